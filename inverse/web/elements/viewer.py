"""The restored photo while it emerges."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from inverse.imaging.heat import AMOUNT, DEVIATION, css
from inverse.results.misfit import TOP
from inverse.web.elements.element import element


def viewer(value: dict[str, Any]) -> gr.HTML:
    """Latest frame from the server, earlier ones kept by the page for scrubbing.

    Is given the whole state each time, of which Gradio sends what changed: {"run", "phase", "before", "truth", "width",
    "height", "samples", "filename", "frame", "curve", "record"}, a frame being what `frames.py` makes, the curve
    `Curve.value`, and the record that of `history.py`, which comes with the end.
    """
    return element("viewer", value, MARKUP, elem_id="viewer")


def awaiting(photo: Image.Image) -> dict[str, Any]:
    """The viewer before a run, in the photo's proportions."""
    return {"phase": "idle", "width": photo.width, "height": photo.height}


MARKUP = f"""
<div class="inv-viewer-head">
  <b>Restored</b>
  <span class="inv-segments" role="radiogroup" aria-label="What to show">
    <label title="The model's estimate of the clean photo, x0_hat"
    ><input type="radio" name="inv-view" value="x0" checked><span>Estimate <i>x̂₀</i></span></label>
    <label title="The state of the reverse diffusion, x_t"><input type="radio" name="inv-view" value="xt"
    ><span>Noisy state <i>x<sub>t</sub></i></span></label>
    <label title="What of the measurement the estimate does not explain, y - A(x0_hat)"
    ><input type="radio" name="inv-view" value="misfit"><span>Misfit</span></label>
  </span>
</div>
<div class="inv-explain">
  <p></p>
  <span class="inv-legend" data-legend="misfit" hidden>−{TOP:g} × noise
   <i style="background: {css(DEVIATION)}"></i> +{TOP:g} × noise</span>
  <span class="inv-legend" data-legend="spread" hidden>0 <i style="background: {css(AMOUNT)}"></i> <b></b></span>
</div>
<div class="inv-screen">
  <div class="inv-stage"><div class="inv-frame">
    <p class="inv-empty"></p>
    <span class="inv-tag inv-tag-before"></span><span class="inv-tag inv-tag-after"></span>
    <button type="button" class="inv-back" hidden></button>
    <div class="inv-cut"><span>⟨ ⟩<small>drag to compare</small></span></div>
    <input class="inv-divider" type="range" min="0" max="100" step="0.5" value="0"
     aria-label="Before and after: drag to uncover the damaged photo">
  </div></div>
  <div class="inv-strip" role="radiogroup" aria-label="Which sample to show" hidden></div>
</div>
<div class="inv-viewer-foot">
  <label class="inv-timeline"><span class="inv-at">Updates</span>
   <input type="range" min="0" max="0" value="0" disabled aria-label="Look back at earlier steps"></label>
  <select aria-label="Compare the restored photo with"><option value="before">Compare: damaged</option
  ><option value="truth">Compare: original</option></select>
  <button type="button" class="inv-save" disabled>Save PNG</button>
</div>
"""
