"""What a handler may know of the queue: where its visitor stands in it, who listens, and who waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from inverse.web.base.gradio_internals import LocalContext, queue_of
from inverse.web.jobs.line import Place
from inverse.web.jobs.trail import Trail
from inverse.web.jobs.waiting import Waiting

BEHIND = 10
"""Messages that may wait for a reader before it is sent fewer pictures."""
WAITING = "Waiting for the device…"


@dataclass
class Turn:
    """One kind of job for the device, as the handlers of the page that asks for it see it.

    Attributes:
        function: its number, known when the page is wired.
    """

    function: int = -1

    def ask(self, seconds: float | None, trail: Trail | None = None) -> str:
        """What to say to somebody who is about to ask for one that takes so many seconds.

        With its `trail` it goes on for a while when its page is left.
        """
        own = _own()
        if own is not None:
            job = own.session, self.function
            if seconds is not None:
                own.queue.line.expect(job, seconds)
            if trail is not None:
                trail.ask = job
                own.queue.away.hear(job)
        return self.words or WAITING

    def leave(self, trail: Trail | None = None) -> None:
        """It is not waited for any more, nor is the one with that `trail`, which another page asked for."""
        if own := _own():
            own.queue.line.forget(own.session, self.function)
            if trail is not None and trail.ask is not None:
                own.queue.withdraw(trail.ask)

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


def deserted(trail: Trail) -> bool:
    """Whether nobody listens to a job any more, and nobody came back to it in time."""
    own = _own()
    return own is not None and trail.ask is not None and not own.queue.listened(trail.ask)


def follow(trail: Trail) -> Place | None:
    """Has the visitor of the handler that is running listen to a job; where it stands in line.

    Raises:
        LookupError: it neither waits nor runs.
    """
    own = _own()
    if own is None or trail.ask is None:
        return None
    if not own.queue.holds(trail.ask):
        raise LookupError
    own.queue.away.hear(trail.ask, own.session)
    return own.queue.place(trail.ask)


def reader_is_behind() -> bool:
    """Whether the visitor of the handler that is running has not taken what it was sent last."""
    own = _own()
    mailbox = own and own.queue.pending_messages_per_session.get(own.session)
    return mailbox is not None and mailbox.qsize() > BEHIND


def others_wait() -> bool:
    """Whether somebody else than the visitor of the handler that is running waits for the device."""
    own = _own()
    return own is not None and any(event.session_hash != own.session for event in own.queue.in_line)
