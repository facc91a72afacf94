"""The pads over the photo: what is brushed on one is missing, and what is painted on the other has that colour.

Gradio's own editor uploads full-size layers on every event.
"""

from __future__ import annotations

import gradio as gr

from inverse.web.base.pictures import LONGEST_MASK, LONGEST_STROKES
from inverse.web.elements.element import element, template


def mask() -> gr.HTML:
    """A brush over the photo, with an eraser, undo and redo, shapes to start from, upload and download.

    The same pad over the whole screen is an editor with zoom. The brush has its size in pixels of the screen, a pen
    paints as wide as it is pressed, one finger paints and two look closer.

    Its value is {"mask": PNG, white where missing}, and while a picture is uploaded {"mask", "path"}; it is given a
    mask to "load", or a "reset". The photo to draw on comes with the problem's value, as "under". Fires `release` when
    the mask has changed and `upload` when there is a picture to load.
    """
    return element("mask", None, given={"limit": LONGEST_MASK}, label="Mask", elem_id="mask")


def strokes() -> gr.HTML:
    """The same with colours: {"mask": PNG, opaque under strokes and transparent elsewhere}."""
    words = {
        "mask-keys": "strokes-keys", "Mask tools": "Tools to paint with", "Photo to brush over": "Photo to paint on",
        "<b>Mask</b>": "<b>Colours</b>", "what you cover is missing": "paint what it should have",
        "Upload a mask picture": "Upload a picture of strokes",
    }  # fmt: skip
    markup = template("mask")
    for old, new in words.items():
        markup = markup.replace(old, new)
    given = {"limit": LONGEST_STROKES, "colours": True}
    return element("mask", None, markup, given, label="Colours", elem_id="strokes")
