"""A dropdown whose choices change while the page is open."""

from __future__ import annotations

from typing import Any

import gradio as gr


class Menu(gr.Dropdown):
    """Hands over what the browser sent, whatever it is; the library refuses what it does not know, in a sentence.

    Gradio's own check compares with the choices that the server has by then. Right after they changed, another event
    of the same page may still bring the earlier value, and would be answered with a bare error 500.
    """

    is_template = True  # drawn as a dropdown

    def preprocess(self, payload: Any) -> Any:
        return payload
