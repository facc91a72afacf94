"""The queue before the device: bounded, the same for everybody, and nobody in it who no longer listens.

Gradio's own queue holds whatever is not fetched, for as long as it likes. It asks a session's messages for the next one
only while that session's stream takes them: a client that never opened its stream, closed it, or stopped reading asks
for nothing. So the time of the last question tells who listens. A job whose page may come back goes on for a while
without anybody: `away.py`.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any

from fastapi import HTTPException, Request

from inverse.web.base import limits
from inverse.web.base.gradio_internals import (
    Event,
    EventMessage,
    PredictBodyInternal,
    ProcessCompletedMessage,
    ProcessGeneratingMessage,
    Queue,
    functions,
)
from inverse.web.base.sessions import LONGEST_NAME, Sessions
from inverse.web.jobs.away import Away
from inverse.web.jobs.line import Ask, Line, Place, job_of

DEVICE = "gpu"
"""The concurrency id of everything that uses the device: one job at a time."""
QUICK = 8
"""Events of one session that may wait, those for the device included."""

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
        self.away = Away()
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
            # Its stream was closed. Gradio's own would raise here, which ends the queue for everybody.
            event.alive = job_of(event) in self.away
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
            if not self.listened(job_of(event)):
                event.alive = False
            self.line.begin(event)
        try:
            await super().process_events(events, *arguments)
        finally:
            for event in events:
                self.line.end(event)
                self.away.forget(job_of(event))

    async def clean_events(self, *, session_hash: str | None = None, event_id: str | None = None) -> None:
        """A session's stream was closed, or an event is to be forgotten."""
        if session_hash is None:
            await super().clean_events(event_id=event_id)
        else:
            self.drop(session_hash)

    @property
    def running(self) -> list[Event]:
        return [event for events in [*self.active_jobs] for event in events or ()]

    @property
    def in_line(self) -> list[Event]:
        """Those that wait for the device."""
        waiting = self.event_queue_per_concurrency_id.get(DEVICE)
        return [*waiting.queue] if waiting else []

    def place(self, job: Ask) -> Place | None:
        """Where a job for the device stands; see `Line.place`."""
        running = [event for event in self.running if event.concurrency_id == DEVICE]
        return self.line.place(job, running, self.in_line)

    def holds(self, job: Ask) -> bool:
        """Whether a job for the device waits or runs."""
        return any(job_of(event) == job for event in [*self.in_line, *self.running])

    def withdraw(self, job: Ask) -> None:
        """Takes a job out of the line."""
        for event in [event for event in self.in_line if job_of(event) == job]:
            self._remove(event)
        self.away.forget(job)

    def attended(self, job: Ask) -> bool:
        """Whether somebody listens to a job: the page that asked for it, or an open one that came back to it."""
        sessions = getattr(self.server_app, "state_holder", None)
        pages = sessions.pages if isinstance(sessions, Sessions) else ()
        return not self.abandoned(job[0]) or self.away.watched(job, pages)

    def listened(self, job: Ask) -> bool:
        """Whether somebody listens to a job, or did a short while ago and may come back to it."""
        attended = self.attended(job)
        if attended and job in self.away:
            self.away.hear(job)
        if attended or job not in self.away:
            return attended
        allowed = limits.current()
        wanted = any(self.attended(job_of(event)) for event in self.in_line)
        return self.away.silence(job) <= (min(allowed.away, allowed.away_in_line) if wanted else allowed.away)

    @property
    def busy(self) -> set[str]:
        """Sessions with messages or jobs."""
        return {event.session_hash for event in [*self.running, *self.in_line]} | set(self.pending_messages_per_session)

    def abandoned(self, session: str) -> bool:
        """Whether nobody has asked for this session's messages for too long."""
        mailbox = self.pending_messages_per_session.get(session)
        return mailbox is None or mailbox.silence > limits.current().abandoned

    def drop(self, session: str) -> None:
        """Forgets a session's messages and jobs, the running one at its next message, but for those in `away`."""
        for queue in self.event_queue_per_concurrency_id.values():
            for event in [event for event in queue.queue if event.session_hash == session]:
                if job_of(event) not in self.away:
                    self._remove(event)
        for event in self.running:
            if event.session_hash == session and job_of(event) not in self.away:
                event.alive = False
        self.pending_messages_per_session.pop(session, None)
        self.pending_event_ids_session.pop(session, None)
        if not any(job[0] == session for job in [*self.away.heard]):
            self.line.forget(session)

    def _remove(self, event: Event) -> None:
        self.event_queue_per_concurrency_id[event.concurrency_id].queue.remove(event)
        self.event_ids_to_events.pop(event._id, None)
        self.line.forget(*job_of(event))

    def forget_abandoned(self) -> None:
        """Drops every session that nobody listens to, and jobs that nobody came back to."""
        for session in [name for name in self.pending_messages_per_session if self.abandoned(name)]:
            self.drop(session)
        running = {job_of(event) for event in self.running}
        for job in [*self.away.heard]:
            if job not in running and not self.listened(job):  # a running one looks itself
                self.withdraw(job)
        for session in set(self.pending_event_ids_session) - set(self.pending_messages_per_session):
            del self.pending_event_ids_session[session]
