"""Words beside a button, which also explain it: while it cannot be pressed, they say why."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element


def reason(text: str, *, button: str, elem_id: str) -> gr.HTML:
    """Args:
    text: they start with.
    button: its id.
    elem_id: of the element.
    """
    return element("reason", text, "<p></p>", {"button": button}, elem_id=elem_id)
