"""The mask panel: what is brushed over the photo is missing.

Gradio's own editor uploads full-size layers on every event.
"""

from __future__ import annotations

import gradio as gr

from inverse.web.base.pictures import LONGEST_MASK
from inverse.web.elements.element import element


def mask() -> gr.HTML:
    """A brush over the photo, with an eraser, shapes to start from, upload and download.

    Its value is {"mask": PNG, white where missing}, and while a picture is uploaded {"mask", "path"}; it is given
    {"photo", "mask", ...}. Fires `release` when the mask has changed and `upload` when there is a picture to load.
    """
    return element("mask", None, MARKUP, {"limit": LONGEST_MASK}, label="Mask", elem_id="mask")


MARKUP = """
<div class="inv-figure">
<div class="inv-mask-head"><b>Mask</b> <small>what you cover is missing</small></div>
<div class="inv-pad"><canvas tabindex="0" role="application" aria-roledescription="drawing area"
 aria-label="Photo to brush over" aria-describedby="mask-keys"></canvas></div>
<div class="inv-tools" role="toolbar" aria-label="Mask tools">
  <button type="button" data-tool="brush" aria-pressed="true">Brush</button>
  <button type="button" data-tool="eraser" aria-pressed="false">Eraser</button>
  <label>Size <input type="range" min="2" max="100" value="24" aria-label="Brush size"></label>
  <button type="button" data-do="undo" disabled>Undo</button>
  <button type="button" data-do="invert">Invert</button>
  <button type="button" data-do="clear">Clear</button>
  <select aria-label="Draw a shape"><option value="">Shape…</option></select>
  <label class="inv-file">Upload<input type="file" accept="image/*" aria-label="Upload a mask picture"></label>
  <button type="button" data-do="download" disabled>Download</button>
</div>
<p class="inv-hint" id="mask-keys">Arrow keys move the brush, Space paints,
 Shift with arrows draws, Ctrl+Z takes back.</p>
<p class="inv-hint" role="status"></p>
</div>
"""
