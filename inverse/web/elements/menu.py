"""Choices that leave refusals to the library: Gradio's own name neither the field nor what helps."""

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


class Buttons(gr.Radio):
    """As `Menu`, as a row of buttons."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload


class Boxes(gr.CheckboxGroup):
    """As `Menu`, of which several can be chosen."""

    is_template = True

    def preprocess(self, payload: Any) -> Any:
        return payload
