"""The restored photo while it emerges."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from inverse.imaging.heat import AMOUNT, DEVIATION, css
from inverse.results.misfit import TOP
from inverse.web.elements.element import element, template


def viewer(value: dict[str, Any]) -> gr.HTML:
    """Latest frame from the server, earlier ones kept by the page for scrubbing.

    Is given the whole state each time, of which Gradio sends what changed: {"run", "phase", "before", "truth", "width",
    "height", "samples", "filename", "frame", "curve", "caption", "record"}, a frame being what `frames.py` makes, the
    curve `Curve.value`, the caption what a figure of it says, and the record that of `history.py`; these two come with
    the end.
    """
    markup = template("viewer").format(top=TOP, deviation=css(DEVIATION), amount=css(AMOUNT))
    return element("viewer", value, markup, elem_id="viewer")


def awaiting(photo: Image.Image) -> dict[str, Any]:
    """The viewer before a run, in the photo's proportions."""
    return {"phase": "idle", "width": photo.width, "height": photo.height}
