"""Several runs in one go, shown cell by cell: the stream behind the tabs that sweep and compare."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
from PIL import Image

from inverse.batch.runs import run_all
from inverse.errors import ParameterError, ProblemError
from inverse.results.record import METRICS, Record, best
from inverse.solvers import Step
from inverse.solvers.cost import in_passes
from inverse.web.base import limits
from inverse.web.base.guards import said, spoken_errors
from inverse.web.base.pictures import frame, jpeg
from inverse.web.elements.photos import UNKNOWN, PhotoFile
from inverse.web.jobs import device
from inverse.web.jobs.running import UPDATE_EVERY
from inverse.web.jobs.settings import Settings, check_work
from inverse.web.jobs.waiting import reader_is_behind

VIEW_AT_MOST_EVERY = 1.0
"""Seconds between two views at most, while steps take less."""
PATIENCE = 5.0
"""Seconds more for a visitor who does not take them as fast as they come."""
THUMB = 320
"""Longer side of a cell's picture, in pixels."""


@dataclass
class Batch:
    """A visitor's latest sweep or comparison. Stop and adopt read it while the runs write it.

    Attributes:
        head: what the page needs to lay the cells out.
        runs: settings of every cell.
        plan: what they were made from.
        file: of the photo.
        done: records by place.
        cells: the same for the page.
        stopping: whether Stop was pressed; the runs end after this step, as `running.Latest` says.
        asked: what the server held of the page when it was asked for, by component, until it begins.
        earlier: the one before, until this one begins: it may be refused, and the page shows that one on.
    """

    head: dict[str, Any] = field(default_factory=dict)
    runs: list[Settings] = field(default_factory=list)
    plan: Any = None
    file: PhotoFile = UNKNOWN
    done: dict[int, Record] = field(default_factory=dict)
    cells: list[dict[str, Any]] = field(default_factory=list)
    stopping: bool = False
    asked: dict[Any, Any] | None = None
    earlier: Batch | None = None

    @staticmethod
    def shown(batch: Batch | None) -> Batch | None:
        """The one that the page shows: that before, as long as this one has not begun."""
        return batch.earlier if batch is not None and not batch.runs else batch

    @property
    def complete(self) -> bool:
        """Whether runs that are over went to their ends, all of them."""
        return not self.stopping and not any(record.failure for record in self.done.values())

    def view(self, phase: str, message: str = "", **live: Any) -> dict[str, Any]:
        """The value of the element that shows it."""
        winners = {metric: best(self.done, metric) for metric in METRICS}
        count = {"count": len(self.runs), "best": winners, "cells": list(self.cells)}
        return {**self.head, **count, "phase": phase, "message": message, **live}

    def stop(self) -> dict[str, Any]:
        """Ends the runs, and gives the last view."""
        self.stopping = True
        if not self.runs:
            return {"phase": "stopped", "message": "Stopped before it began."}
        return self.view("stopped", f"Stopped. {len(self.done)} of {len(self.runs)} runs are finished and stay.")


def begin(batch: Batch, head: dict[str, Any], runs: list[Settings], plan: Any = None) -> None:
    """Fills a new batch.

    Raises:
        ParameterError: it has too many runs, or none.
    """
    check_count(len(runs))
    batch.head = {**head, "id": time.time_ns() // 1_000_000}
    batch.runs, batch.plan, batch.earlier = runs, plan, None


def check_count(count: int) -> None:
    """Raises ParameterError when so many runs are too many or too few."""
    most = limits.current().cells
    if count > most:
        raise ParameterError(f"These are {count} runs; at most {most} are possible here. Leave some values out.")
    if count == 0:
        raise ParameterError("Nothing is chosen to run. Choose at least one.")


def stream(batch: Batch, photo: Image.Image, auxiliary: Image.Image | None) -> Iterator[dict[str, Any]]:
    """Yields values of the element by the clock, and whenever a run has ended.

    Raises:
        gr.Error: a sentence with the cause and the remedy; what is finished stays.
    """
    start = time.perf_counter()
    yield batch.view("running", "Preparing…")
    try:
        with spoken_errors():
            check_work(batch.runs, photo)
            shape = batch.runs[0].shape(photo)
            if not batch.stopping:
                yield from device.stream(_views, photo, auxiliary, state=batch, runs=batch.runs, image_shape=shape)
    except gr.Error as error:
        yield batch.view("failed", said(error))
        raise
    if batch.stopping:
        yield batch.stop()
        return
    yield batch.view("done", f"Done: {len(batch.runs)} runs in {time.perf_counter() - start:.1f} s.")


def _views(photo: Image.Image, auxiliary: Image.Image | None, batch: Batch) -> Iterator[dict[str, Any]]:
    start, due = time.perf_counter(), 0.0
    live: dict[int, Step] = {}
    with closing(run_all(batch.runs, photo, auxiliary, pauses=True)) as progresses:
        for progress in progresses:
            if progress.record is None:
                if progress.step is not None:
                    live[progress.index] = progress.step
                if time.perf_counter() - start > limits.current().seconds:
                    raise ProblemError(
                        f"This was stopped after {limits.current().seconds} seconds; what is finished stays. "
                        f"Choose fewer runs, {batch.runs[0].smaller} or fewer steps."
                    )
                patient = PATIENCE if reader_is_behind() else 0
                if time.perf_counter() < due + patient and not batch.stopping:
                    continue
            else:
                live.pop(progress.index, None)
                batch.done[progress.index] = progress.record
                batch.cells.append(_cell(progress.index, progress.record))
            shown = time.perf_counter()
            pictures = [_live(*each) for each in live.items()]
            yield batch.view("running", _said(batch, shown - start), live=pictures)
            # Many pictures come less often, so that showing them stays a twentieth of the time.
            due = time.perf_counter() + min(max(UPDATE_EVERY, 20 * (time.perf_counter() - shown)), VIEW_AT_MOST_EVERY)


def promise(runs: list[Settings], photo: Image.Image) -> str:
    """How many runs, and about how long they take, before they are started."""
    check_count(len(runs))
    check_work(runs, photo)
    return f"{len(runs)} run{'s' if len(runs) > 1 else ''}, {device.promise(runs, runs[0].shape(photo))}."


def _said(batch: Batch, seconds: float) -> str:
    finished = len(batch.done)
    text = f"{finished} of {len(batch.runs)} runs finished"
    if not finished:
        return f"{text}."
    left = seconds / finished * (len(batch.runs) - finished)
    return f"{text}, about {left:.0f} s left." if left < 90 else f"{text}, about {left / 60:.1f} min left."


def _live(index: int, step: Step) -> dict[str, Any]:
    return {
        "index": index,
        "src": _thumb(frame(step.x0_hat[0])),
        "step": step.index,
        "total": step.total,
        "nfe": step.nfe,
        "cost": in_passes(step.nfe, step.vjp),
    }


def _cell(index: int, record: Record) -> dict[str, Any]:
    return {"index": index, "src": record.image and _thumb(record.image), **record.figures}


def _thumb(image: Image.Image) -> str:
    small = image.copy()
    small.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    return jpeg(small, 90)
