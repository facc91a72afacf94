"""Settings in and out: a file to load, and a menu of what to copy."""

from __future__ import annotations

import gradio as gr

from inverse.web.base import limits
from inverse.web.elements.element import element

BROUGHT = """async () => [(await inverse.module("share")).brought(), null, null]"""
"""JavaScript for the opening of the page: what its address or the browser brings."""


def share() -> gr.HTML:
    """Loads settings from a file (fires `upload` with {"path"}), and copies them; is given `page.share.copies`."""
    return element("share", {}, MARKUP, {"megabytes": limits.current().body}, label="Settings", elem_id="share")


MARKUP = """
<span class="inv-said" role="status" aria-live="polite"></span>
<label class="inv-small" title="A PNG that was saved here, or JSON. You can also drop it">Load settings
 <input type="file" accept=".png,.json,image/png,application/json"
  aria-label="Load settings from a PNG or JSON"></label>
<div class="inv-copy">
 <button type="button" class="inv-small inv-menu-open" aria-haspopup="menu"
  aria-expanded="false">Copy as…</button>
 <div class="inv-menu" role="menu" aria-label="Copy this run as" hidden>
  <button type="button" role="menuitem" data-copy="command line">Command line</button>
  <button type="button" role="menuitem" data-copy="Python">Python</button>
  <button type="button" role="menuitem" data-copy="JSON">JSON</button>
  <button type="button" role="menuitem" data-copy="link">Link to these settings</button>
 </div>
</div>
"""
