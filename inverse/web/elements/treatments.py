"""A part of the photo as several treatments leave it, side by side: a click on one uses its settings."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element


def treatments() -> gr.HTML:
    """Is given what a batch shows, with {"photo", "part", "before", "treatments": [{"name", "words"}], "notes"}.

    Fires `select` with {"adopt"}, the place of a treatment, and `release` with {"at": [x, y]}, the middle of another
    part, as shares of the width and the height.
    """
    return element("treatments", {}, label="Treatments on a part of the photo", elem_id="treatments")
