"""Settings in and out: a file to load, and a menu of what to copy."""

from __future__ import annotations

import gradio as gr

from inverse.web.base import limits
from inverse.web.elements.damaged import FIRST
from inverse.web.elements.element import element
from inverse.web.elements.picker import DAMAGED

BROUGHT = f"""async () => [(await inverse.module("share")).brought("{DAMAGED}{FIRST}"), null, null]"""
"""JavaScript for the opening of the page: what its address or the browser brings."""


def share() -> gr.HTML:
    """Loads settings from a file (fires `upload` with {"path"}), and copies them; is given `page.share.copies`."""
    return element("share", {}, given={"megabytes": limits.current().body}, label="Settings", elem_id="share")
