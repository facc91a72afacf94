"""A restoration at full size: how far it is, and its file."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element


def fullsize() -> gr.HTML:
    """Is given {"phase", "message", "progress", "file", "name"}; the file is a path that the server gives out."""
    return element("fullsize", {}, elem_id="fullsize")
