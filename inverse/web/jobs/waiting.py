"""The queue before the device: bounded, the same for everybody, and nobody in it who no longer listens.

Gradio's own queue holds whatever is not fetched, for as long as it likes. It asks a session's messages for the next one
only while that session's stream takes them: a client that never opened its stream, closed it, or stopped reading asks
for nothing. So the time of the last question tells who listens.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from fastapi import HTTPException, Request

from inverse.web.base import limits
from inverse.web.base.gradio_internals import (
    Event,
    EventMessage,
    LocalContext,
    PredictBodyInternal,
    ProcessCompletedMessage,
    ProcessGeneratingMessage,
    Queue,
    functions,
    queue_of,
)
from inverse.web.base.sessions import LONGEST_NAME
from inverse.web.jobs.line import Ask, Line, Place

DEVICE = "gpu"
"""The concurrency id of everything that uses the device: one job at a time."""
BEHIND = 10
"""Messages that may wait for a reader before it is sent fewer pictures."""
QUICK = 8
"""Events of one session that may wait, those for the device included."""

WAITING = "Waiting for the device…"
FULL = "{count} jobs are waiting here already, which is as many as can. Try again in a minute."
TOO_MANY = "{count} jobs of this page are waiting already. Wait for one of them, or stop it."
UNKNOWN = "This page does not fit the program that serves it any more. Reload the page."
UNFIT = "This request does not fit the page. Reload the page and try again."


class Mailbox(asyncio.Queue):
    """Messages for one session, and when it last asked for one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = time.monotonic()

    async def get(self) -> Any:
        self.asked = time.monotonic()
        return await super().get()

    @property
    def silence(self) -> float:
        """Seconds since somebody asked; a stream that is read asks every ten seconds at least."""
        return time.monotonic() - self.asked


class Waiting(Queue):
    """Gradio's queue, with refusals in sentences and an end for jobs that nobody listens to."""

    pending_messages_per_session: Any  # a Mailbox each

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.line = Line()
        self.ANALYTICS_MAX_EVENTS = 1

    async def push(
        self, body: PredictBodyInternal, request: Request, username: str | None
    ) -> tuple[bool, Any, Any]:  # as in Gradio
        """Lets a job in.

        Raises:
            HTTPException: with a sentence; 503 when the queue is full, 429 when this session has enough jobs in it,
                400 when there is no such job.
        """
        allowed = limits.current()
        fn = functions(self.blocks).get(body.fn_index) if type(body.fn_index) is int else None
        if fn is None or len(body.session_hash or "") > LONGEST_NAME:
            raise HTTPException(400, UNKNOWN)
        if len(self) >= allowed.queue:
            raise HTTPException(503, FULL.format(count=len(self)))
        body.session_hash = body.session_hash or uuid.uuid4().hex
        own = [event for queue in self.event_queue_per_concurrency_id.values() for event in queue.queue]
        own = [event.concurrency_id for event in own if event.session_hash == body.session_hash]
        on_device = own.count(DEVICE)
        if (fn.concurrency_id == DEVICE and on_device >= allowed.waiting) or len(own) >= QUICK:
            raise HTTPException(429, TOO_MANY.format(count=on_device or len(own)))
        async with self.pending_message_lock:
            # Whoever asks for a job is there, however long ago the last one was.
            self.pending_messages_per_session.setdefault(body.session_hash, Mailbox()).asked = time.monotonic()
        return await super().push(body, request, username)

    def compute_analytics_summary(self, records: Any) -> dict[str, Any]:
        """Nothing: Gradio would count all events so far with pandas after each one, for a page that is not served."""
        return self.cached_event_analytics_summary

    def send_message(self, event: Event, event_message: EventMessage) -> None:
        if event.session_hash not in self.pending_messages_per_session:
            # Its stream was closed a moment ago. Gradio's own would raise here, which ends the queue for everybody.
            event.alive = False
            return
        if isinstance(event_message, ProcessGeneratingMessage) and self.abandoned(event.session_hash):
            self.drop(event.session_hash)
            return
        if isinstance(event_message, ProcessCompletedMessage) and not event_message.success:
            output = event_message.output
            if isinstance(output, dict) and not output.get("error"):  # not of our own words; the log has the details
                output |= {"error": UNFIT, "visible": True, "duration": 10, "title": "Error"}
        super().send_message(event, event_message)

    async def process_events(self, events: list[Event], *arguments: Any) -> None:
        """Runs a job whose turn has come, unless nobody waits for it any more."""
        for event in events:
            if self.abandoned(event.session_hash):
                event.alive = False
            self.line.begin(event)
        try:
            await super().process_events(events, *arguments)
        finally:
            for event in events:
                self.line.end(event)

    def place(self, job: Ask) -> Place | None:
        """Where a job for the device stands; see `Line.place`."""
        running = [event for events in self.active_jobs for event in events or () if event.concurrency_id == DEVICE]
        waiting = self.event_queue_per_concurrency_id.get(DEVICE)
        return self.line.place(job, running, list(waiting.queue) if waiting else [])

    @property
    def busy(self) -> set[str]:
        """Sessions with messages or jobs."""
        jobs = {event.session_hash for job in self.active_jobs for event in job or ()}
        return jobs | set(self.pending_messages_per_session)

    def abandoned(self, session: str) -> bool:
        """Whether nobody has asked for this session's messages for too long."""
        mailbox = self.pending_messages_per_session.get(session)
        return mailbox is None or mailbox.silence > limits.current().abandoned

    def drop(self, session: str) -> None:
        """Forgets a session's messages and waiting jobs; its running job ends at its next message."""
        for queue in self.event_queue_per_concurrency_id.values():
            for event in [event for event in queue.queue if event.session_hash == session]:
                queue.queue.remove(event)
                self.event_ids_to_events.pop(event._id, None)
        for job in self.active_jobs:
            for event in job or ():
                if event.session_hash == session:
                    event.alive = False
        self.pending_messages_per_session.pop(session, None)
        self.pending_event_ids_session.pop(session, None)
        self.line.forget(session)

    def forget_abandoned(self) -> None:
        """Drops every session that nobody listens to."""
        for session in [name for name in self.pending_messages_per_session if self.abandoned(name)]:
            self.drop(session)
        for session in set(self.pending_event_ids_session) - set(self.pending_messages_per_session):
            del self.pending_event_ids_session[session]


@dataclass
class Turn:
    """One kind of job for the device, as the handlers of the page that asks for it see it.

    Attributes:
        function: its number, known when the page is wired.
    """

    function: int = -1

    def ask(self, seconds: float | None) -> str:
        """What to say to somebody who is about to ask for one that takes so many seconds."""
        own = _own()
        if own is not None and seconds is not None:
            own.queue.line.expect((own.session, self.function), seconds)
        return self.words or WAITING

    def leave(self) -> None:
        """It is not waited for any more."""
        if own := _own():
            own.queue.line.forget(own.session, self.function)

    @property
    def words(self) -> str:
        """The place in line, and about how long until its turn; empty where it has come."""
        own = _own()
        place = own and own.queue.place((own.session, self.function))
        return place.words if place else ""


class _Own(NamedTuple):
    queue: Waiting
    session: str


def _own() -> _Own | None:
    """The queue, and the session of the visitor whose handler is running."""
    request, blocks = LocalContext.request.get(None), LocalContext.blocks.get(None)
    queue = queue_of(blocks)
    if request is None or request.session_hash is None or not isinstance(queue, Waiting):
        return None
    return _Own(queue, request.session_hash)


def reader_is_behind() -> bool:
    """Whether the visitor of the handler that is running has not taken what it was sent last."""
    own = _own()
    mailbox = own and own.queue.pending_messages_per_session.get(own.session)
    return mailbox is not None and mailbox.qsize() > BEHIND


def others_wait() -> bool:
    """Whether somebody else than the visitor of the handler that is running waits for the device."""
    own = _own()
    waiting = own and own.queue.event_queue_per_concurrency_id.get(DEVICE)
    return own is not None and bool(waiting) and any(event.session_hash != own.session for event in [*waiting.queue])
