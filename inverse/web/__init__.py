"""The web app: `build()` makes the page, `launch(page)` serves it.

    picker, controls -> form.py, settings.py -> preview.py (CPU, at once) and running.py (the device) -> the stage

`elements.py`, `player.py` and `masks.py` hold our own page elements, `cards.py`, `tabs.py` and `layout.py` say where
everything stands, `events.py` what leads to what, `jobs.py` what needs the device.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any

from inverse.web.host import folder

if TYPE_CHECKING:
    import gradio as gr

# Gradio reads these when it is imported, which the functions below do first.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
FOLDER = folder.claim()
os.environ["GRADIO_TEMP_DIR"] = str(FOLDER)
atexit.register(folder.release, FOLDER)


def build() -> gr.Blocks:
    """The page, with everything wired.

    Raises:
        SystemExit: a limit or the port in the environment is nonsense; its text names the variable.
    """
    from inverse.errors import ParameterError
    from inverse.web.host import port

    port.named()  # Gradio would end with its own words on nonsense, when it is imported
    from inverse.web.api import endpoints
    from inverse.web.base import limits
    from inverse.web.page import events, layout

    try:
        limits.current()
    except ParameterError as error:
        raise SystemExit(f"inverse: {error}") from None
    page = layout.build()
    events.wire(page)
    endpoints.publish(page.blocks)
    return page.blocks


def launch(blocks: gr.Blocks, **settings: Any) -> Any:
    """Serves the page on this machine; `settings` go to `gradio.Blocks.launch` over our own."""
    from inverse.web.host import server

    return server.launch(blocks, **settings)
