"""A number: Gradio's own slider has no logarithmic scale, and refuses values without naming the field."""

from __future__ import annotations

import gradio as gr

from inverse.parameters import Integer, Real
from inverse.web.elements.element import element, literal, template


def number(
    spec: Real | Integer,
    value: float | None,
    *,
    name: str,
    label: str,
    slider: bool = True,
    also: tuple[float, str] = (0, ""),
    without: str = "",
    elem_id: str | None = None,
) -> gr.HTML:
    """A labelled number with a slider, a question mark that explains it, and a word when it is out of range.

    Fires `input` while it moves and `release` when it rests. Whatever it holds is checked again by the library.

    Args:
        spec: range, unit, scale and help.
        value: where it starts.
        name: what the library calls it.
        label: what people read.
        slider: False for a bare number.
        also: (factor, words) to show the same value in another unit below.
        without: a word for no value, which is then allowed; the slider has it at its right end.
        elem_id: of the element.
    """
    whole = isinstance(spec, Integer)
    given = {
        "low": spec.low,
        "high": spec.high,
        "whole": whole,
        "log": getattr(spec, "log", False) or (whole and spec.high >= 100 * max(spec.low, 1)),
        "limits": spec.limits,
        "unit": spec.unit,
        "without": without,
        "also": also,
    }
    markup = template("number").format(
        name=literal(name),
        label=literal(label),
        unit=f" <small>{literal(spec.unit)}</small>" if spec.unit else "",
        limits=literal(spec.limits),
        slider=f'<input type="range" aria-label="{literal(label)}, slider">' if slider else "",
        help=literal(" ".join(filter(None, [spec.help, spec.effect]))),
    )
    classes = ["inv-number"] + ([] if slider else ["inv-bare"])
    return element("number", value, markup, given, label=label, elem_id=elem_id, elem_classes=classes)
