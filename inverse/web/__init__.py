"""The web app: `build()` makes the page, `launch(page)` serves it. Importing it changes nothing.

base: limits, messages, pictures, and how scripts and styles reach the browser. elements: our own parts of a page.
jobs: what runs, and the line before the device. page: where everything stands, what leads to what, and the tabs.
api: the same for programs. host: the server around Gradio.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr


def build() -> gr.Blocks:
    """The page, with everything wired.

    Raises:
        SystemExit: a limit, the priors or the port in the environment are nonsense; its text says which.
    """
    from inverse.errors import ParameterError
    from inverse.web.host import folder, port

    port.named()  # Gradio would end with its own words on nonsense
    # Gradio reads these when it is imported, which is done below.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    folder.own()
    from inverse.web.api import endpoints
    from inverse.web.base import limits
    from inverse.web.jobs import priors
    from inverse.web.page import events, layout

    try:
        limits.current()
        priors.offered()
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
