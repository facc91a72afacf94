"""One of several words, as `number` is one of many numbers."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

from inverse.parameters import Choice
from inverse.web.elements.element import element, literal, template


def select(spec: Choice, value: str, *, name: str, label: str, words: Mapping[str, str], elem_id: str) -> gr.HTML:
    """Fires `release`.

    Args:
        spec, value, name, label, elem_id: as for `number`.
        words: what people read for each option.
    """
    options = "".join(f'<option value="{literal(each)}">{literal(words[each])}</option>' for each in spec.options)
    markup = template("select").format(
        label=literal(label),
        name=literal(name),
        limits=literal(spec.limits),
        options=options,
        help=literal(" ".join(filter(None, [spec.help, spec.effect]))),
    )
    return element("select", value, markup, label=label, elem_id=elem_id, elem_classes=["inv-number", "inv-select"])
