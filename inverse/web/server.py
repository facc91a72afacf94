"""How the page is served: limits, names and what a client may never see."""

from __future__ import annotations

import threading
from importlib.util import find_spec
from typing import Any

import gradio as gr
import torch

from inverse.denoisers.catalog import load_prior
from inverse.errors import InverseError
from inverse.web import device, theme
from inverse.web.guards import MAX_UPLOAD, BodyLimit

FAVICON = theme.STATIC / "favicon.svg"
STYLES = ("page.css", "elements.css", "history.css")


def launch(blocks: gr.Blocks, **settings: Any) -> Any:
    """Serves the page, until it is interrupted or, with prevent_thread_lock=True, in the background.

    `settings` are Gradio's own and win over ours.
    """
    if device.LENT:
        load_prior()  # at once: what is in memory when the app starts is what the lent GPU gets
    else:
        # The prior is read while the visitor looks at the page. A fault of it is told when a run needs it.
        threading.Thread(target=_warm_up, daemon=True).start()
    blocks.queue(max_size=16, api_open=False)
    ours = {
        "theme": theme.theme(),
        "css": "".join(theme.source(name) for name in STYLES),
        "head": f"<script>{theme.source('page.js')}</script>",
        "favicon_path": str(FAVICON),
        "footer_links": ["api", "settings"],
        "max_file_size": MAX_UPLOAD,
        "allowed_paths": [],
        "enable_monitoring": False,
        "mcp_server": find_spec("mcp") is not None,
        "run_history": False,
        "state_session_capacity": 300,
        "max_threads": 16,
        "share": False,
        "ssr_mode": False,
        "pwa": False,
        "quiet": True,
        "show_error": True,
        "app_kwargs": {"middleware": [BodyLimit.middleware()]},
    }
    background = settings.pop("prevent_thread_lock", False)
    served = blocks.launch(**{**ours, **settings}, prevent_thread_lock=True)
    if not background:
        print(f"inverse is open at {blocks.local_url} (Ctrl+C ends it)", flush=True)
        blocks.block_thread()
    return served


def _warm_up() -> None:
    try:
        prior = load_prior()
        with torch.no_grad():
            prior(torch.zeros(1, prior.channels, 64, 64, device=prior.device, dtype=prior.dtype), 1.0)
    except InverseError:
        return
