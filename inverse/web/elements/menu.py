"""Choices that leave refusals to the library: Gradio's own name neither the field nor what helps.

Its check compares with the choices that the server has by then. Right after they changed, another event of the same
page may still bring the earlier value, and would be answered with a bare error 500.
"""

from __future__ import annotations

from typing import Any, TypeVar

import gradio as gr

Field = TypeVar("Field", gr.Dropdown, gr.Radio, gr.CheckboxGroup)


def menu(choices: list[tuple[str, Any]], **settings: Any) -> gr.Dropdown:
    """One of several, in a list that opens."""
    return _unchecked(gr.Dropdown(choices, **settings))


def buttons(choices: list[tuple[str, Any]], **settings: Any) -> gr.Radio:
    """One of several, as a row of buttons."""
    return _unchecked(gr.Radio(choices, **settings))


def boxes(choices: list[tuple[str, Any]], **settings: Any) -> gr.CheckboxGroup:
    """Some of several."""
    return _unchecked(gr.CheckboxGroup(choices, **settings))


def _unchecked(field: Field) -> Field:
    """Hands over what the browser sent, whatever it is; the library refuses what it does not know, in a sentence."""
    field.preprocess = lambda payload: payload
    return field
