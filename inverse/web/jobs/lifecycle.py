"""A job on its way: what a run, a sweep and a comparison have in common, from the press of a button to the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from inverse.web.base.guards import said, spoken_errors
from inverse.web.jobs import device, priors
from inverse.web.jobs.job import Job
from inverse.web.jobs.trail import Trail

Seen = Any
"""What the page is shown of a job: a value of its element, or of several."""


@dataclass
class Lifecycle(ABC):
    """What a visitor asked of the device. Stop and other handlers read it while the job writes it.

    Attributes:
        asked: what the server held of the page when it was asked for, by component, until it begins.
        begun: whether its turn has come; until then it may be refused.
        stopping: whether Stop was pressed; it ends after this step. Gradio alone would not always end it: to what its
            queue has no name for yet, its own Stop says nothing.
        trail: what it leaves for a page that comes back to it.
    """

    asked: Mapping[Any, Any] | None = None
    begun: bool = False
    stopping: bool = False
    trail: Trail = field(default_factory=Trail)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process and comes back changed: not the trail, which is of the page and stays here."""
        return {name: value for name, value in vars(self).items() if name != "trail"}

    def as_asked(self, values: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """The values with the photo and the pictures that were on the page when the button was pressed.

        What a component holds comes with the request; what the server holds is of the moment when the job's turn comes.
        """
        asked, self.asked = self.asked or {}, None
        return {**values, **asked}

    @property
    def complete(self) -> bool:
        """Whether one that is over went to its end."""
        return not self.stopping

    def told(self, phase: str, message: str) -> dict[str, Any]:
        """What the page is told before it begins."""
        return {"phase": phase, "message": message}

    def follow(self, prepare: Callable[[], tuple[Any, ...]]) -> Generator[Seen, None, None]:
        """Yields what the page is shown, by the clock, the first and the last always.

        Args:
            prepare: makes the job, and what else `work` needs; it may fail.

        Raises:
            gr.Error: a sentence with the cause and the remedy; what was shown last stays.
        """
        self.begun = True
        yield self.seen("running", "Preparing…")
        try:
            with spoken_errors():
                if not self.stopping:
                    job, *more = prepare()
                    with closing(priors.fetched(run.prior for run in job.runs)) as downloads:
                        for download in downloads:
                            yield self.seen("running", download.words, progress=download.percent)
                            if self.stopping:
                                break
                if not self.stopping:
                    yield from device.stream(_work, job, *more, state=self, runs=job.runs, image_shape=job.image_shape)
        except Exception as error:
            yield self.failed(error)
            raise
        yield from self.ended()

    @abstractmethod
    def seen(self, phase: str, message: str, **more: Any) -> Seen:
        """What the page is shown now; `more` goes with it."""

    @abstractmethod
    def work(self, job: Job, *given: Any) -> Generator[Seen, None, None]:
        """Does it, where the device is, of what `prepare` made."""

    def failed(self, error: Exception) -> Seen:
        """What the page is shown of one that failed."""
        return self.seen("failed", said(error))

    @abstractmethod
    def ended(self) -> Iterator[Seen]:
        """What the page is shown once the device is free again."""

    @abstractmethod
    def stop(self) -> Seen:
        """Ends it, and gives the last view."""

    def desert(self) -> None:
        """Nobody listens any more: it ends after this step, and nobody will ask for its last view by Stop."""
        self.stopping = self.trail.deserted = True

    def left(self, closed: bool) -> None:
        """Its handler has ended, or was closed, as Stop does."""
        self.trail.over = True


def _work(*given: Any) -> Generator[Seen, None, None]:
    """`Lifecycle.work` as a function of a module, which can go to another process; the lifecycle comes last."""
    *more, state = given
    return state.work(*more)
