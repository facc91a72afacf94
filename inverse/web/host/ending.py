"""How the program ends: at once, whatever is being computed, and with nothing left behind."""

from __future__ import annotations

import logging
import os
import signal
import threading
from types import FrameType

import gradio as gr

from inverse.web.base.gradio_internals import end_tunnels
from inverse.web.host import folder


def wait(blocks: gr.Blocks) -> None:
    """Blocks until Ctrl+C, SIGTERM or `blocks.close()`; the first two end the process."""
    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, _end)
    blocks.block_thread()


def _end(number: int, frame: FrameType | None) -> None:
    """Removes the temporary folder and ends the process.

    Without Python's own end, which joins threads, among them those that compute and those that listen to clients, for
    as long as a step and a stream take; and which destroys PyTorch's objects under the threads that use them:
    "terminate called without an active exception". Nothing here is written at the end: files are written whole, under
    their names at once.
    """
    signal.signal(number, signal.SIG_IGN)  # a second one would break off the tidying up
    try:
        end_tunnels()
        for _ in range(10):  # an upload may just be written
            folder.release(folder.own())
            if not folder.own().exists():
                break
        print("inverse has ended.", flush=True)
        logging.shutdown()
    finally:  # whoever reads what is printed may be gone
        os._exit(0)
