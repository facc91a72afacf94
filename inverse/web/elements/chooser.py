"""A menu of tasks or solvers, in groups and with a line on each: a list box that opens below its field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import gradio as gr

from inverse.parameters import Parameters
from inverse.web.elements.element import element, template


def chooser(offered: list[dict[str, str]], value: str, *, label: str, elem_id: str) -> gr.HTML:
    """Its value is a name; fires `input`. The property `choices` holds what is offered, as `entries` makes it.

    An entry may have "refused", a sentence on why it cannot be chosen, in place of what it is about.

    Args:
        offered: the entries.
        value: name of the chosen one.
        label: what it chooses, for screen readers.
        elem_id: of the element.
    """
    markup = template("chooser").format(label=label, id=f"{elem_id}-list")
    return element("chooser", value, markup, label=label, elem_id=elem_id, elem_classes="inv-chooser", choices=offered)


def entries(registry: Mapping[str, type[Parameters]], names: Iterable[str]) -> list[dict[str, str]]:
    """What a chooser offers: classes of a registry, the groups in the order of their first member."""
    kinds = [registry[name] for name in names]
    groups = list(dict.fromkeys(kind.group for kind in kinds))
    kinds.sort(key=lambda kind: groups.index(kind.group))
    return [{"name": kind.name, "title": kind.title, "about": kind.summary, "group": kind.group} for kind in kinds]


def offer(registry: Mapping[str, type[Parameters]], names: Iterable[str], value: str) -> Any:
    """The update of a chooser that offers these and has chosen one."""
    return gr.update(choices=entries(registry, names), value=value)
