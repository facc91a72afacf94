"""Further damages, one after another: tasks with parameters of their own, added and taken away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gradio as gr

from inverse.operators import TASKS
from inverse.operators.chain import ALONE, COMMONEST
from inverse.parameters import Choice, Flag, Integer, Real
from inverse.settings.fields import THEN
from inverse.web.elements.controls import label
from inverse.web.elements.element import element


def further(value: list[dict[str, Any]], offered: Iterable[str]) -> gr.HTML:
    """Its value is a list of {"name", "parameters"}, as settings have it; fires `release` when it has changed.

    The property `choices` holds the names of the tasks on offer.
    """
    tasks = {name: {"title": kind.title, "parameters": _parameters(name)} for name, kind in TASKS.items()}
    given = {"tasks": tasks, "most": THEN.most, "usual": COMMONEST}
    return element(
        "further",
        value,
        None,
        given,
        label="Further damages",
        elem_id="then",
        choices=followers(offered),
    )


def _parameters(task: str) -> list[dict[str, Any]]:
    """What the script needs of each parameter to make a control of it."""
    kind, found = TASKS[task], []
    for name, spec in kind.specs().items():
        if name in ALONE:
            continue
        shown = {"name": name, "label": label(name), "unit": spec.unit, "help": f"{spec.help} {spec.effect}".strip()}
        shown |= {"default": kind.defaults()[name], "advanced": spec.advanced}
        if isinstance(spec, Choice):
            shown["options"] = [[option, label(option)] for option in spec.options]
        elif isinstance(spec, Real | Integer):
            shown |= {"low": spec.low, "high": spec.high, "whole": isinstance(spec, Integer)}
        elif not isinstance(spec, Flag):
            raise TypeError(f"no control for {type(spec).__name__}")
        found.append(shown)
    return found


def followers(offered: Iterable[str]) -> list[str]:
    """Those of the tasks that may come after another."""
    return [name for name in offered if not TASKS[name].alone]
