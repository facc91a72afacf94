"""The original photo and what is left of it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from inverse.web.elements.element import element


def problem(value: dict[str, Any]) -> gr.HTML:
    """Is given {"truth", "measured", "caption", "measured_title", "fault"}."""
    return element("problem", value, MARKUP, elem_id="problem")


MARKUP = """
<figure class="inv-figure" data-part="truth"><figcaption><b>Original</b></figcaption>
 <div class="inv-box"></div></figure>
<figure class="inv-figure" data-part="measured"><figcaption><b>Damaged</b> <small>measurement y</small></figcaption>
 <div class="inv-box"></div><p class="inv-note" aria-live="polite"></p></figure>
"""
