"""Choices that leave refusals to the library: Gradio's own name neither the field nor what helps.

Its check compares with the choices that the server has by then. Right after they changed, another event of the same
page may still bring the earlier value, and would be answered with a bare error 500.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from inverse.web.base.gradio_internals import unchecked


def menu(choices: list[tuple[str, Any]], **settings: Any) -> gr.Dropdown:
    """One of several, in a list that opens."""
    return unchecked(gr.Dropdown(choices, **settings))


def buttons(choices: list[tuple[str, Any]], **settings: Any) -> gr.Radio:
    """One of several, as a row of buttons."""
    return unchecked(gr.Radio(choices, **settings))


def boxes(choices: list[tuple[str, Any]], **settings: Any) -> gr.CheckboxGroup:
    """Some of several."""
    return unchecked(gr.CheckboxGroup(choices, **settings))
