"""Who waits for the device, at which place, and about how long, by the queue's own record."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from inverse.solvers.cost import spoken
from inverse.web.base.gradio_internals import Event

USUAL = 20.0
"""Seconds of a job of which nobody said how long it takes, as those of programs."""
MOST = 1000
"""Jobs that are expected at once; of more, the oldest are forgotten."""

Ask = tuple[str, int]
"""A session, and the number of the function that it asks for."""


@dataclass(frozen=True)
class Place:
    """Where a job stands in the line.

    Attributes:
        number: 1 for the next one.
        seconds: about how long until its turn.
    """

    number: int
    seconds: float

    @property
    def words(self) -> str:
        return f"{'Next' if self.number == 1 else ordinal(self.number)} in line, about {spoken(self.seconds)}."


@dataclass
class Line:
    """What the jobs for the device are expected to take.

    Attributes:
        expected: seconds of those that wait, or are about to be asked for, by session and number of the function.
        running: when a job's turn came, and the seconds it was expected to take, by its id.
    """

    expected: dict[Ask, float] = field(default_factory=dict)
    running: dict[str, tuple[float, float]] = field(default_factory=dict)

    def expect(self, job: Ask, seconds: float) -> None:
        """A job is about to be asked for."""
        self.expected[job] = seconds
        while len(self.expected) > MOST:
            del self.expected[next(iter(self.expected))]

    def forget(self, session: str, function: int | None = None) -> None:
        """A job will not come, or none of this session."""
        for job in [job for job in self.expected if job[0] == session and function in (None, job[1])]:
            del self.expected[job]

    def begin(self, event: Event) -> None:
        """A job's turn has come."""
        self.running[event._id] = time.monotonic(), self.expected.pop(job_of(event), USUAL)

    def end(self, event: Event) -> None:
        """A job is over."""
        self.running.pop(event._id, None)

    def place(self, job: Ask, running: list[Event], waiting: list[Event]) -> Place | None:
        """Where a job stands, or will stand when it is asked for; None where nobody is before it, or none is expected.

        Args:
            job: session, and number of the function.
            running, waiting: on the device and for it, in order.
        """
        ahead = next((at for at, event in enumerate(waiting) if job_of(event) == job), len(waiting))
        if job not in self.expected or not (running or ahead):
            return None
        left = sum(self._left(event) for event in running)
        return Place(ahead + 1, left + sum(self.expected.get(job_of(event), USUAL) for event in waiting[:ahead]))

    def _left(self, event: Event) -> float:
        began, takes = self.running.get(event._id, (time.monotonic(), USUAL))
        return max(began + takes - time.monotonic(), 1.0)


def ordinal(number: int) -> str:
    """1 -> "1st", 12 -> "12th", 23 -> "23rd"."""
    teen = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def job_of(event: Event) -> Ask:
    """The job that an event of the queue is."""
    return event.session_hash, event.fn._id
