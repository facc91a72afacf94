"""All that is used of Gradio beyond its documentation, so that its version can move: a test checks each of it.

Three classes of ours extend one of Gradio's: `jobs.waiting.Waiting`, `base.sessions.Sessions`, `host.received.Blocks`.
What they override and read there is in `EXTENDED`.
"""

from __future__ import annotations

import uuid
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.blocks import Block
from gradio.context import LocalContext
from gradio.data_classes import PredictBodyInternal
from gradio.events import Dependency
from gradio.queueing import Event, Queue
from gradio.routes import App, file_upload_statuses
from gradio.server_messages import EventMessage, ProcessCompletedMessage, ProcessGeneratingMessage
from gradio.state_holder import SessionState, StateHolder
from gradio.tunneling import CURRENT_TUNNELS
from gradio.utils import get_function_description, get_upload_folder

__all__ = [
    "EXTENDED", "App", "Block", "Dependency", "Event", "EventMessage", "LocalContext", "PredictBodyInternal",
    "ProcessCompletedMessage", "ProcessGeneratingMessage", "Queue", "Session", "SessionState", "StateHolder",
    "descriptions", "end_tunnels", "forget_uploads", "functions", "queue_of", "unchecked", "upload_folder", "use_queue",
    "use_sessions",
]  # fmt: skip

EXTENDED = {
    Queue: (
        "push process_events send_message compute_analytics_summary __len__",
        "blocks active_jobs cached_event_analytics_summary event_ids_to_events event_queue_per_concurrency_id "
        "pending_event_ids_session pending_message_lock pending_messages_per_session ANALYTICS_MAX_EVENTS",
    ),
    StateHolder: ("__getitem__ update set_blocks", "session_data time_last_used lock"),
    gr.Blocks: ("preprocess_data call_function", "fns default_config"),
}
"""Of each class that is extended: methods, and attributes of an instance."""


PREPROCESS = "preprocess"
Field = TypeVar("Field", gr.Dropdown, gr.Radio, gr.CheckboxGroup)


def unchecked(field: Field) -> Field:
    """Has a field hand over what the browser sent, whatever it is, now and after every update; and returns it.

    So refusals are left to the library: Gradio's own name neither the field nor what helps. Its check compares with the
    choices that the server has by then; right after they changed, another event of the same page may still bring the
    earlier value, and would be answered with a bare error 500.
    """
    setattr(field, PREPROCESS, lambda payload: payload)
    return field


class Session(SessionState):
    """Gradio's session without its copy of the whole page, which is for links that this app does not have.

    The copy takes a tenth of a second to make, in which nobody else is answered, and keeps every picture once more.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values = {}
        self.state_data = {}
        self._state_ttl = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        if isinstance(block := self.blocks_config.blocks.get(key), gr.State):
            self._state_ttl[key] = (block.time_to_live, datetime.now())
            self.state_data[key] = value
        else:
            # Gradio makes a component anew when it is updated; what we set on the one before is not among its settings.
            replaced = vars(self.blocks_config.blocks.get(key, value))
            if PREPROCESS in replaced:
                setattr(value, PREPROCESS, replaced[PREPROCESS])
            self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing is copied."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing is copied."""


def use_sessions(app: App, blocks: gr.Blocks, sessions: StateHolder) -> None:
    """Has an app keep its sessions there."""
    app.state_holder = sessions
    sessions.set_blocks(blocks)


def use_queue(blocks: gr.Blocks, queue: Queue) -> None:
    """Has a page that has a queue use another one."""
    blocks._queue = queue


def queue_of(blocks: gr.Blocks | None) -> Queue | None:
    return getattr(blocks, "_queue", None)


def functions(blocks: gr.Blocks) -> dict[int, Any]:
    """The handlers of a page by their numbers, each with its `inputs` and `outputs`."""
    return blocks.fns


def descriptions(function: Any) -> dict[str, str]:
    """What a docstring says of each parameter."""
    return get_function_description(function)[1]


def upload_folder() -> Path:
    return Path(get_upload_folder())


def new_file(name: str) -> Path:
    """A place for a file of that name, which the page may show, in a folder of its own."""
    path = upload_folder() / uuid.uuid4().hex / name
    path.parent.mkdir(parents=True)
    return path


def forget_uploads(followed: set[str]) -> set[str]:
    """Ends what Gradio notes of uploads for whoever asks how far they are; nobody may ever ask.

    Args:
        followed: uploads that were there at the last look, and were done.

    Returns:
        the same for the next look.
    """
    uploads = file_upload_statuses
    for name in followed:
        uploads.stop_tracking(name)
    for name in [*uploads._signals]:
        if name not in uploads._statuses:
            uploads._signals.pop(name, None)
    for status in uploads._statuses.values():
        status.is_done = True  # a body is complete before Gradio sees it, so no upload goes on for long
    return set(uploads._statuses)


def end_tunnels() -> None:
    """Ends the processes behind shared links, which would go on."""
    for tunnel in CURRENT_TUNNELS:
        tunnel.kill()
