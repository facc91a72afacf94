"""The mask panel: what is brushed over the photo is missing.

Gradio's own editor uploads full-size layers on every event.
"""

from __future__ import annotations

import gradio as gr

from inverse.web.base.pictures import LONGEST_MASK
from inverse.web.elements.element import element


def mask() -> gr.HTML:
    """A brush over the photo, with an eraser, shapes to start from, upload and download.

    Its value is {"mask": PNG, white where missing}, and while a picture is uploaded {"mask", "path"}; it is given
    {"photo", "mask", ...}. Fires `release` when the mask has changed and `upload` when there is a picture to load.
    """
    return element("mask", None, given={"limit": LONGEST_MASK}, label="Mask", elem_id="mask")
