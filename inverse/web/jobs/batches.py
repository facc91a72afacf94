"""Several runs in one go, shown cell by cell: the stream behind the tabs that sweep and compare."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from inverse.batch.runs import run_all
from inverse.batch.sweep import Sweep
from inverse.errors import ProblemError
from inverse.results.record import METRICS, Record, best
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.web.base import limits
from inverse.web.base.pictures import frame, jpeg
from inverse.web.elements.figures import duration
from inverse.web.elements.photos import UNKNOWN, PhotoFile
from inverse.web.jobs import priors
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.offers import smaller
from inverse.web.jobs.running import UPDATE_EVERY
from inverse.web.jobs.turn import reader_is_behind

VIEW_AT_MOST_EVERY = 1.0
"""Seconds between two views at most, while steps take less."""
PATIENCE = 5.0
"""Seconds more for a visitor who does not take them as fast as they come."""
THUMB = 320
"""Longer side of a cell's picture, in pixels."""

View = dict[str, Any]


@dataclass
class Batch(Lifecycle):
    """A visitor's latest sweep or comparison.

    Attributes:
        head: what the page needs to lay the cells out.
        runs: settings of every cell.
        plan: what they were made from.
        file: of the photo.
        done: records by place.
        cells: the same for the page.
        start: when it began, by the clock.
        earlier: the one before, until this one begins: it may be refused, and the page shows that one on.
    """

    head: dict[str, Any] = field(default_factory=dict)
    runs: list[Settings] = field(default_factory=list)
    plan: Sweep | None = None
    file: PhotoFile = UNKNOWN
    done: dict[int, Record] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    start: float = 0.0
    earlier: Batch | None = None

    @staticmethod
    def shown(batch: Batch | None) -> Batch | None:
        """The one that the page shows: that before, as long as this one has not begun."""
        return batch.earlier if batch is not None and not batch.begun else batch

    @staticmethod
    def adopted(batch: Batch | None, asked: Any) -> Settings | None:
        """The settings of the result that was clicked, of those that the page shows; None where there is none such."""
        shown, index = Batch.shown(batch), asked.get("adopt") if isinstance(asked, dict) else None
        if shown is None or type(index) is not int or not 0 <= index < len(shown.runs):
            return None
        return shown.runs[index]

    @property
    def complete(self) -> bool:
        return not self.stopping and not any(record.failure for record in self.done.values())

    def begin(self, job: Job, head: dict[str, Any], plan: Sweep | None = None) -> Generator[View, None, None]:
        """Fills a new one, and runs it: yields values of the element by the clock, and whenever a run has ended.

        Raises:
            gr.Error: as `follow`.
        """
        self.runs, self.plan, self.file, self.earlier = job.runs, plan, job.file, None
        self.head, self.start = {**head, "id": time.time_ns() // 1_000_000}, time.perf_counter()
        self.begun = True

        def prepare() -> tuple[Job]:
            job.check()
            return (job,)

        return self.follow(prepare)

    def seen(self, phase: str, message: str, **more: Any) -> View:
        """The value of the element that shows it."""
        winners = {metric: best(self.done, metric) for metric in METRICS}
        count = {"count": len(self.runs), "best": winners, "cells": list(self.cells)}
        return {**self.head, **count, "phase": phase, "message": message, **more}

    def ended(self) -> Iterator[View]:
        seconds = time.perf_counter() - self.start
        yield self.stop() if self.stopping else self.seen("done", f"Done: {len(self.runs)} runs in {seconds:.1f} s.")

    def stop(self) -> View:
        self.stopping = True
        if not self.begun:
            return self.told("stopped", "Stopped before it began.")
        return self.seen("stopped", f"Stopped. {len(self.done)} of {len(self.runs)} runs are finished and stay.")

    def work(self, job: Job) -> Generator[View, None, None]:
        start, due = time.perf_counter(), 0.0
        live: dict[int, Step] = {}
        with closing(run_all(job.runs, job.photo, job.auxiliary, priors.load, pauses=True)) as progresses:
            for progress in progresses:
                if progress.loading:
                    if words := priors.loading(progress.loading):
                        yield self.seen("running", words, live=[_live(*each) for each in live.items()])
                    continue
                if progress.record is None:
                    if progress.step is not None:
                        live[progress.index] = progress.step
                    if time.perf_counter() - start > limits.current().seconds:
                        raise ProblemError(
                            f"This was stopped after {limits.current().seconds} seconds; what is finished stays. "
                            f"Choose fewer runs, {smaller(job.settings)} or fewer steps."
                        )
                    patient = PATIENCE if reader_is_behind() else 0
                    if time.perf_counter() < due + patient and not self.stopping:
                        continue
                else:
                    live.pop(progress.index, None)
                    self.done[progress.index] = progress.record
                    self.cells.append(_cell(progress.index, progress.record))
                shown = time.perf_counter()
                pictures = [_live(*each) for each in live.items()]
                yield self.seen("running", self._said(shown - start), live=pictures)
                # Many pictures come less often, so that showing them stays a twentieth of the time.
                spent = time.perf_counter() - shown
                due = time.perf_counter() + min(max(UPDATE_EVERY, 20 * spent), VIEW_AT_MOST_EVERY)

    def _said(self, seconds: float) -> str:
        finished = len(self.done)
        text = f"{finished} of {len(self.runs)} runs finished"
        if not finished:
            return f"{text}."
        return f"{text}, about {duration(seconds / finished * (len(self.runs) - finished))} left."


def _live(index: int, step: Step) -> dict[str, Any]:
    return {
        "index": index,
        "src": _thumb(frame(step.x0_hat[0])),
        "step": step.index,
        "total": step.total,
        "nfe": step.nfe,
        "cost": step.passes,
    }


def _cell(index: int, record: Record) -> dict[str, Any]:
    return {"index": index, "src": record.image and _thumb(record.image), **record.figures}


def _thumb(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    return jpeg(small, 90)
