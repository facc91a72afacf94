"""What is under way on the page, kept by the browser's tab: a reload asks for it again."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element


def again() -> gr.HTML:
    """Shows nothing. Is given {"tokens"}, of jobs by name; fires `play` with {"back"}, those of the page before."""
    return element("again", {}, "", elem_id="again")
