"""Words beside a button, which also explain it: while it cannot be pressed, they say why."""

from __future__ import annotations

import html

import gradio as gr

from inverse.web.elements.element import element

REFUSED = '<span class="inv-refused">'


def reason(text: str, *, button: str, elem_id: str) -> gr.HTML:
    """Starts with a text; the button is given by its id."""
    return element("reason", text, "<p></p>", {"button": button}, elem_id=elem_id)


def refused(sentence: Exception | str) -> str:
    """What stands in place of a promise. A sentence may quote what somebody typed."""
    return f"{REFUSED}{html.escape(str(sentence), quote=False)}</span>"


def is_refusal(words: str) -> bool:
    return words.startswith(REFUSED)
