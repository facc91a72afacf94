"""Progress and figures of the run."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element
from inverse.web.elements.figures import IDLE, TIME_LEFT


def status() -> gr.HTML:
    """Is given {"phase", "message", "progress", "figures": [[label, value, help]]}."""
    return element("status", {}, given={"idle": IDLE, "left": TIME_LEFT}, elem_id="status")
