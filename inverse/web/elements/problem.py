"""The original photo and what is left of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from inverse.web.elements.element import element


def problem(value: dict[str, Any]) -> gr.HTML:
    """Is given {"truth", "measured", "caption", "measured_title", "fault"}."""
    return element("problem", value, elem_id="problem")
