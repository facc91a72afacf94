"""The run: a thin generator over the library's `stream`, which decides when the page gets a frame."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from inverse.denoisers.base import Denoiser
from inverse.errors import DivergenceError
from inverse.restoration import stream
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.settings.caption import caption
from inverse.solvers import Step
from inverse.solvers.calls import Pause
from inverse.verdicts import Verdict, verdict
from inverse.web.base import limits
from inverse.web.base.guards import said
from inverse.web.elements import figures, history
from inverse.web.elements.curves import Curve
from inverse.web.jobs import frames, priors
from inverse.web.jobs.frames import Clock, Files, Frame, Player
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.offers import smaller
from inverse.web.jobs.turn import reader_is_behind

UPDATE_EVERY = 0.25
"""Seconds between two updates of the figures, and of the picture where that takes little of the time."""
CURVE_EVERY = 1.0
"""Seconds between two updates of the curves."""
ANALYSED_EVERY = 0.5
"""Seconds between two pictures that cost most: the misfit, and what several samples have in common."""
FRAME_SHARE, ANALYSED_SHARE, CURVE_SHARE = 0.015, 0.005, 0.005
"""Shares of a run's time that may go into them, at most."""

STOPPED = "Stopped. The last picture stays."
DESERTED = "Stopped, because its page was away for too long. This is the last picture."

View = dict[str, Any]
Status = dict[str, Any]
Shown = tuple[View | None, Status]
"""The view, None when only figures change, and the status."""


@dataclass
class Latest(Lifecycle):
    """What a visitor's run has come to.

    Attributes:
        run: its number, by which the page tells it from earlier ones.
        show: what the run becomes for who asked for it.
        view, status: as sent last.
        job, problem: of the run.
        step: the last one.
        record, verdict: how the run ended, and what can be said of it.
        curve: of the steps until now.
        seconds: how long it has taken until then.
        overhead: seconds spent on showing rather than on solving.
        expired: why the run ended before its end though nobody stopped it.
        shown: whether Stop has taken the last picture.
    """

    run: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    show: Player | Files = field(default_factory=Player)
    view: View | None = None
    status: Status = field(default_factory=dict)
    job: Job | None = None
    problem: Problem | None = None
    step: Step | None = None
    record: Record | None = None
    verdict: Verdict | None = None
    curve: Curve = field(default_factory=Curve)
    seconds: float = 0.0
    overhead: float = 0.0
    expired: str = ""
    shown: bool = False

    @property
    def complete(self) -> bool:
        return not self.stopping and not self.expired

    def told(self, phase: str, message: str) -> dict[str, Any]:
        return {"run": self.run, **super().told(phase, message)}

    def seen(self, phase: str, message: str, **more: Any) -> Shown:
        self.status = {**self.told(phase, message), **more}
        return None, self.status

    def failed(self, error: Exception) -> Shown:
        if isinstance(error.__cause__, DivergenceError):
            self.step = error.__cause__.last or self.step
        return self.finished("failed", said(error))

    def ended(self) -> Iterator[Shown]:
        if not self.complete:
            yield self.finished("stopped", self.expired or (DESERTED if self.trail.deserted else STOPPED))

    def stop(self) -> Shown:
        """Ends the run, and gives its last picture, after its handler has ended or before."""
        self.stopping = True
        seen = self.finished("stopped", STOPPED)
        self.shown = True
        if self.trail.over:
            self._release()
        return seen

    def left(self, closed: bool) -> None:
        """Keeps what Stop needs, which then shows the last picture."""
        super().left(closed)
        if self.shown or self.trail.deserted or not (closed or self.stopping):
            self._release()

    def _release(self) -> None:
        """Lets go of what only a run needs, which may be hundreds of megabytes: the page has the result."""
        self.view = self.job = self.problem = self.step = self.record = self.verdict = None
        self.curve = Curve()

    def work(self, job: Job, problem: Problem) -> Generator[Shown, None, None]:
        settings, start = job.used, time.perf_counter()
        self.job, self.problem = job, problem
        self.view = view = self._start(job, problem)
        yield view, self.status
        due, alive = 0.0, start + UPDATE_EVERY  # of what a step shows, and of a sign of life between two steps
        pictures, analysis = Clock(UPDATE_EVERY, FRAME_SHARE), Clock(ANALYSED_EVERY, ANALYSED_SHARE)
        points, curve_due = Clock(0.0, CURVE_SHARE, most=ANALYSED_EVERY), 0.0
        prior = yield from self._prior(settings)
        steps = stream(problem, settings.solver, prior, seed=settings.seed, samples=settings.samples, pauses=True)
        with closing(steps):
            for step in steps:
                now = time.perf_counter()
                self.seconds = now - start
                within = isinstance(step, Pause)  # nothing to show, but the clock is looked at, and Stop is heard
                if not within:
                    self.step = step
                    if step.index == step.total:
                        break
                if now - start > limits.current().seconds:
                    self.expired = (
                        f"Stopped after {limits.current().seconds} seconds, the most that a run may take here. "
                        f"Choose {smaller(settings)} or fewer steps."
                    )
                    yield None, self.status  # from another process, what changed comes with an update only
                    return
                if within:
                    if now >= alive or self.stopping:
                        yield None, self.status
                        alive = time.perf_counter() + UPDATE_EVERY
                    continue
                if now >= points.due:
                    self.curve.add(problem, step)
                    points.spent(time.perf_counter() - now)
                if now < due and not self.stopping:
                    continue
                self.status = {"run": self.run, **figures.running(problem, step, now - start)}
                keeps_up = not self.stopping and (view["frame"] is None or not reader_is_behind())
                pictured, curved = keeps_up and now >= pictures.due, keeps_up and now >= curve_due
                begun = now
                if pictured:
                    more = self._analysed(problem, step, analysis)
                    begun = time.perf_counter()
                    self.view = view = {**view, "frame": {**self.show.live(step), **more}}
                if curved:
                    self.view = view = {**view, "curve": self.curve.value}
                    curve_due = now + CURVE_EVERY
                yield view if pictured or curved else None, self.status
                if pictured:
                    pictures.spent(time.perf_counter() - begun)
                due = alive = time.perf_counter() + UPDATE_EVERY
                self.overhead += time.perf_counter() - now
        assert self.step is not None
        self.seconds = time.perf_counter() - start
        yield self._done(problem, self.step)

    def _prior(self, settings: Settings) -> Generator[Shown, None, Denoiser]:
        """The run's prior, and a word where that takes a while."""
        if words := priors.loading(settings.prior):
            yield self.seen("running", words)
        return settings.guided(priors.load(settings.prior))

    def _analysed(self, problem: Problem, step: Step, clock: Clock) -> Frame:
        """The pictures that cost most, when they are due."""
        begun = time.perf_counter()
        if not self.show.analyses or begun < clock.due:
            return {}
        found = frames.analysed(problem, step)
        clock.spent(time.perf_counter() - begun)
        return found

    def _done(self, problem: Problem, step: Step) -> Shown:
        self.record = Record.of(problem, step, self.seconds)
        if self.job is not None:
            self.verdict = verdict(problem, step.x0_hat, self.job.used)
        self.status = {
            "run": self.run,
            **figures.running(problem, step, self.seconds),
            "progress": 100,
            "seconds": round(self.seconds, 3),
            "overhead": round(self.overhead, 3),
        }
        return self.finished("done", figures.verdict(problem, step, self.record))

    def finished(self, phase: str, message: str) -> Shown:
        """The last frame, exact, and the status of a run that ended as `phase` says: done, stopped or failed."""
        status = {"run": self.run, **self.status, "phase": phase, "message": message}
        # Before they are let go.
        job, step, problem, view, curve, record = (
            self.job, self.step, self.problem, self.view, self.curve, self.record
        )  # fmt: skip
        if job is None or view is None or problem is None or step is None:
            return None, status
        curve.add(problem, step)
        view = {**view, "phase": phase, "frame": self.show.last(problem, step, job.carried), "curve": curve.value}
        view["caption"] = caption(job.used)
        if phase != "failed":
            record = record or Record.of(problem, step, self.seconds, without=["ssim"])
            view["record"] = history.card(job.used, job.origin, record)
        view["verdict"] = None if self.verdict is None else self.verdict.to_dict()
        return view, status

    def _start(self, job: Job, problem: Problem) -> View:
        return {
            "run": self.run,
            "phase": "running",
            **self.show.begun(problem, job.used, job.part),
            "filename": job.file.made("restored"),
            "frame": None,
            "curve": None,
            "record": None,
            "verdict": None,
        }
