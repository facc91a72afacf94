"""The mask panel: a brush over the photo."""

from __future__ import annotations

import gradio as gr

from inverse.web.theme import source


def mask_pad() -> gr.HTML:
    """A brush over the photo; its value is {"mask": PNG, white where missing}, its input {"photo", "mask", ...}."""
    return gr.HTML(
        None, label="Mask", elem_id="mask", html_template=MASK, js_on_load=source("mask.js"), apply_default_css=False
    )


MASK = """
<div class="inv-tools" role="toolbar" aria-label="Mask tools">
  <button type="button" data-tool="brush" aria-pressed="true">Brush</button>
  <button type="button" data-tool="eraser" aria-pressed="false">Eraser</button>
  <label>Size <input type="range" min="2" max="100" value="24" aria-label="Brush size"></label>
  <button type="button" data-do="undo">Undo</button>
  <button type="button" data-do="clear">Clear</button>
</div>
<div class="inv-pad"><canvas aria-label="Photo to brush over: what you cover is missing" role="img"></canvas></div>
"""
