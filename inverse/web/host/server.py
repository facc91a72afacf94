"""How the page is served: limits, names and what a client may never see."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import gradio as gr
import torch
from starlette.middleware import Middleware

from inverse.denoisers import catalog, memory
from inverse.errors import InverseError
from inverse.text import visible_record
from inverse.web.base import files, limits, theme
from inverse.web.base.documents import Documents
from inverse.web.base.gradio_internals import App, forget_uploads, use_queue, use_sessions
from inverse.web.base.head import Head
from inverse.web.base.sessions import Sessions
from inverse.web.host import ending, folder, port
from inverse.web.host.connections import Connections, quieten
from inverse.web.host.gate import Gate
from inverse.web.host.origins import names_of
from inverse.web.jobs import device, priors
from inverse.web.jobs.waiting import Waiting

log = logging.getLogger(__name__)

TIDY_EVERY = 5.0
"""Seconds between two looks at what nobody needs any more."""


def launch(blocks: gr.Blocks, **settings: Any) -> Any:
    """Serves the page, until it is interrupted or, with prevent_thread_lock=True, in the background.

    `settings` are Gradio's own and win over ours. The tools for language models (MCP) are there only if
    GRADIO_MCP_SERVER=true asks for them: Gradio runs the calls of all such clients in one session of its own, which
    shares one visitor's limits, and a job goes on when the client that asked for it has left.

    Raises:
        SystemExit: the port that was named, by `server_port` or by the environment, cannot be had.
    """
    folder.own()
    logging.setLogRecordFactory(visible_record)
    if device.LENT:
        # At once: what is in memory when the app starts is what the lent GPU gets.
        catalog.keep_all()
        priors.prepare()
        for name in priors.usable():
            priors.load(name)
    allowed = limits.current()
    blocks.queue(api_open=False)
    queue = Waiting(
        live_updates=True, concurrency_count=allowed.threads, update_intervals=1, max_size=allowed.queue, blocks=blocks
    )
    use_queue(blocks, queue)
    ours = {
        "theme": theme.theme(),
        "css": files.styles(),
        "favicon_path": str(files.FAVICON),
        "footer_links": ["api", "settings"],
        "max_file_size": allowed.body * 2**20,
        "allowed_paths": [],
        "enable_monitoring": False,
        "run_history": False,
        "state_session_capacity": allowed.sessions,
        "max_threads": allowed.threads,
        "share": False,
        "ssr_mode": False,
        "pwa": False,
        "quiet": True,
        "show_error": False,  # of errors that are not our sentences: those may name paths
    }
    background = settings.pop("prevent_thread_lock", False)
    chosen = {**ours, **settings}
    connections = Connections()
    names = names_of(chosen.get("server_name"), bool(chosen["share"]))
    if names.anywhere and not priors.public(os.environ):
        priors.open_to_others()
    chosen["app_kwargs"] = {
        "middleware": [Middleware(Gate, names), Middleware(Head), Middleware(files.Scripts), Middleware(Documents)],
        "lifespan": partial(_housekeeping, blocks, queue, connections),
        **chosen.get("app_kwargs", {}),
    }
    quieten()
    served = port.opened(blocks.launch, {**chosen, "prevent_thread_lock": True})
    connections.guard(blocks.server)
    if not device.LENT:
        # The prior is read while the visitor looks at the page. A fault of it is told when a run needs it. Not before:
        # a program that ends for want of a port is aborted where PyTorch still works in another thread.
        threading.Thread(target=warm_up, daemon=True).start()
    if not background:
        print(allowed.summary)
        if "server_port" not in settings:
            print(port.remark(blocks.server_port), end="")
        print(f"inverse is open at {blocks.local_url} (Ctrl+C ends it)", flush=True)
        ending.wait(blocks)
    return served


@asynccontextmanager
async def _housekeeping(blocks: gr.Blocks, queue: Waiting, connections: Connections, app: App) -> AsyncIterator[None]:
    """While the app is served: sessions that nobody uses are let go, and the temporary folder stays within bounds."""
    sessions = Sessions()
    use_sessions(app, blocks, sessions)
    keep = set(folder.files(folder.own()))
    budget = limits.current().disk * 2**20

    async def tidy() -> None:
        followed: set[str] = set()
        while True:
            await asyncio.sleep(TIDY_EVERY)
            try:
                followed = forget_uploads(followed)
                queue.forget_abandoned()
                if sessions.forget_idle(queue.busy):
                    await asyncio.to_thread(memory.release, torch.device("cpu"))
                await asyncio.to_thread(folder.sweep, folder.own(), budget, keep)
            except Exception:
                log.exception("tidying failed")

    tasks = [asyncio.create_task(tidy()), asyncio.create_task(connections.watch())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def warm_up() -> None:
    """Reads the prior and uses it once, so that the first run need not wait for either.

    Where others use the app, what its operator offers them is downloaded before they ask.
    """
    try:
        prior = catalog.load_prior()
        with torch.no_grad():
            prior(torch.zeros(1, prior.channels, 64, 64, device=prior.device, dtype=prior.dtype), 1.0)
    except InverseError:
        return
    if priors.public(os.environ):
        priors.prepare()
