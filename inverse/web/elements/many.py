"""Several photos: which, how far each is, the files, and a ZIP of them all."""

from __future__ import annotations

import gradio as gr

from inverse.web.base import limits
from inverse.web.elements.element import element


def many() -> gr.HTML:
    """Is given {"id", "phase", "message", "progress", "rows": [{"name", "status", "words", "file", "made", "path"}]}.

    Fires `upload` with {"add": [{"path", "name"}]}, {"over"} or {"clear"}, and `download` for a ZIP, {"archive"}.
    """
    return element("many", {}, given={"megabytes": limits.current().body}, elem_id="photos")
