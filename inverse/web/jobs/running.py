"""The run: a thin generator over the library's `stream`, which decides when the page gets a frame."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from inverse.errors import DivergenceError
from inverse.restoration import stream
from inverse.results.problem import Problem
from inverse.solvers import Step
from inverse.solvers.calls import Pause
from inverse.web.base import limits
from inverse.web.base.guards import said, spoken_errors
from inverse.web.elements import figures
from inverse.web.elements.curves import Curve
from inverse.web.elements.history import record
from inverse.web.jobs import device, frames
from inverse.web.jobs.frames import Clock, Player, Show
from inverse.web.jobs.settings import Settings
from inverse.web.jobs.waiting import reader_is_behind

UPDATE_EVERY = 0.25
"""Seconds between two updates of the figures, and of the picture where that takes little of the time."""
CURVE_EVERY = 1.0
"""Seconds between two updates of the curves."""
ANALYSED_EVERY = 0.5
"""Seconds between two pictures that cost most: the misfit, and what several samples have in common."""
FRAME_SHARE, ANALYSED_SHARE, CURVE_SHARE = 0.015, 0.005, 0.005
"""Shares of a run's time that may go into them, at most."""

STOPPED = "Stopped. The last picture stays."

View = dict[str, Any]
Status = dict[str, Any]


@dataclass
class Latest:
    """What a visitor's run has come to. Stop reads it while the run writes it.

    Attributes:
        run: its number, by which the page tells it from earlier ones.
        show: what the run becomes for who asked for it.
        view, status: as sent last.
        problem, settings: of the run; its last picture carries the settings.
        filename: what its result is called when it is saved.
        origin: which photo and which picture it was made from, as `history.origin` tells them apart.
        step: the last one.
        curve: of the steps until now.
        seconds: how long it has taken until then.
        overhead: seconds spent on showing rather than on solving.
        stopping: whether Stop was pressed; the run ends after this step. Gradio alone would not always end it: to what
            its queue has no name for yet, its own Stop says nothing.
        expired: why the run ended before its end though nobody stopped it.
        over, shown: whether the run's handler has ended, and whether Stop has taken the last picture.
        asked: what the server held of the page when it was asked for, by component, until it begins.
    """

    run: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    show: Show = field(default_factory=Player)
    view: View | None = None
    status: Status = field(default_factory=dict)
    problem: Problem | None = None
    settings: Settings | None = None
    filename: str = "restored.png"
    origin: dict[str, str] = field(default_factory=dict)
    step: Step | None = None
    curve: Curve = field(default_factory=Curve)
    seconds: float = 0.0
    overhead: float = 0.0
    stopping: bool = False
    expired: str = ""
    over: bool = False
    shown: bool = False
    asked: dict[Any, Any] | None = None

    @property
    def complete(self) -> bool:
        """Whether a run that is over went to its end."""
        return not self.stopping and not self.expired

    def ended(self, closed: bool) -> None:
        """The run's handler has ended, or was closed, as Stop does, which then shows the last picture."""
        self.over = True
        if self.shown or not (closed or self.stopping):
            self.release()

    def was_shown(self) -> None:
        """Stop has taken the last picture, after the handler has ended or before."""
        self.shown = True
        if self.over:
            self.release()

    def release(self) -> None:
        """Lets go of what only a run needs, which may be hundreds of megabytes: the page has the result."""
        self.view = self.problem = self.step = None
        self.curve = Curve()


def restore(prepare: Callable[[], tuple[Settings, Problem]], latest: Latest) -> Iterator[tuple[View | None, Status]]:
    """Yields (view, status) by the clock, the first and the last frame always; view is None when only figures change.

    Args:
        prepare: makes what is to be solved; it may fail.
        latest: is kept up to date.

    Raises:
        gr.Error: a sentence with the cause and the remedy; the last frame stays.
    """
    latest.status = {"run": latest.run, "phase": "running", "message": "Preparing…"}
    yield None, latest.status
    if latest.stopping:
        yield finished(latest, "stopped", STOPPED)
        return
    try:
        with spoken_errors():
            settings, problem = prepare()
            size = tuple(problem.operator.image_shape[-2:])
            runs, status = [settings] * settings.samples, latest.status
            run = device.stream(_frames, settings, problem, state=latest, runs=runs, image_shape=size)
            with closing(run) as updates:
                for view, status in updates:
                    yield view, status
            if status["phase"] == "running":  # Stop ended it, or the clock
                yield finished(latest, "stopped", latest.expired or STOPPED)
    except Exception as error:
        if isinstance(error.__cause__, DivergenceError):
            latest.step = error.__cause__.last or latest.step
        yield finished(latest, "failed", said(error))
        raise


def _frames(settings: Settings, problem: Problem, latest: Latest) -> Iterator[tuple[View | None, Status]]:
    start = time.perf_counter()
    latest.view, latest.problem, latest.settings = _start(settings, problem, latest), problem, settings
    yield latest.view, latest.status
    due, alive = 0.0, start + UPDATE_EVERY  # of what a step shows, and of a sign of life between two steps
    pictures, analysis = Clock(UPDATE_EVERY, FRAME_SHARE), Clock(ANALYSED_EVERY, ANALYSED_SHARE)
    points, curve_due = Clock(0.0, CURVE_SHARE, most=ANALYSED_EVERY), 0.0
    with closing(stream(problem, settings.solver, seed=settings.seed, samples=settings.samples, pauses=True)) as steps:
        for step in steps:
            now = time.perf_counter()
            latest.seconds = now - start
            within = isinstance(step, Pause)  # nothing to show, but the clock is looked at, and Stop is heard
            if not within:
                latest.step = step
                if step.index == step.total:
                    break
            if now - start > limits.current().seconds:
                limit = f"{limits.current().seconds} seconds, the most that a run may take here"
                latest.expired = f"Stopped after {limit}. Choose {settings.smaller} or fewer steps."
                yield None, latest.status  # from another process, what changed comes with an update only
                return
            if within:
                if now >= alive or latest.stopping:
                    yield None, latest.status
                    alive = time.perf_counter() + UPDATE_EVERY
                continue
            if now >= points.due:
                latest.curve.add(problem, step)
                points.spent(time.perf_counter() - now)
            if now < due and not latest.stopping:
                continue
            latest.status = {"run": latest.run, **figures.running(problem, step, now - start)}
            keeps_up = not latest.stopping and (latest.view["frame"] is None or not reader_is_behind())
            pictured, curved = keeps_up and now >= pictures.due, keeps_up and now >= curve_due
            if pictured:
                more = {}
                if latest.show.analyses and now >= analysis.due:
                    more = frames.analysed(problem, step)
                    analysis.spent(time.perf_counter() - now)
                begun = time.perf_counter()
                latest.view = {**latest.view, "frame": {**latest.show.live(step), **more}}
            if curved:
                latest.view = {**latest.view, "curve": latest.curve.value}
                curve_due = now + CURVE_EVERY
            yield latest.view if pictured or curved else None, latest.status
            if pictured:
                pictures.spent(time.perf_counter() - begun)
            due = alive = time.perf_counter() + UPDATE_EVERY
            latest.overhead += time.perf_counter() - now
    latest.seconds = seconds = time.perf_counter() - start
    latest.status = {
        "run": latest.run,
        **figures.running(problem, latest.step, seconds),
        "progress": 100,
        "seconds": round(seconds, 3),
        "overhead": round(latest.overhead, 3),
    }
    yield finished(latest, "done", figures.verdict(problem, latest.step, seconds))


def finished(latest: Latest, phase: str, message: str) -> tuple[View | None, Status]:
    """The last frame, exact, and the status of a run that ended as `phase` says: done, stopped or failed."""
    status = {"run": latest.run, **latest.status, "phase": phase, "message": message}
    step, problem, view, curve = latest.step, latest.problem, latest.view, latest.curve  # before they are let go
    if view is None or problem is None or step is None:
        return None, status
    curve.add(problem, step)
    last = latest.show.last(problem, step, latest.settings)
    view = {**view, "phase": phase, "frame": last, "curve": curve.value}
    if phase != "failed":
        view["record"] = record(latest.settings, step, curve.last, latest.seconds, latest.origin)
    return view, status


def _start(settings: Settings, problem: Problem, latest: Latest) -> View:
    return {
        "run": latest.run,
        "phase": "running",
        **latest.show.begun(problem, settings),
        "filename": latest.filename,
        "frame": None,
        "curve": None,
        "record": None,
    }
