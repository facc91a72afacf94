"""Progress and figures of the run."""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element
from inverse.web.elements.figures import IDLE, TIME_LEFT


def status() -> gr.HTML:
    """Is given {"phase", "message", "progress", "figures": [[label, value, help]]}."""
    return element("status", {}, MARKUP, {"idle": IDLE, "left": TIME_LEFT}, elem_id="status")


MARKUP = """
<div class="inv-progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"><i></i></div>
<p class="inv-message" role="status" aria-live="polite"></p>
<dl class="inv-figures"></dl>
"""
