"""A study of the findings lab on its way, as the page sees it: figures that grow, and what Stop leaves."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from inverse.errors import ProblemError
from inverse.evaluation.findings import Findings, Study, stream, truth
from inverse.evaluation.findings.claims import verdicts
from inverse.evaluation.findings.contenders import contenders
from inverse.evaluation.findings.figures import figures
from inverse.evaluation.findings.measuring import ADDED
from inverse.evaluation.findings.page import key, to_markdown
from inverse.evaluation.findings.sentences import sentences
from inverse.evaluation.findings.tables import table
from inverse.solvers.cost import passes, spoken
from inverse.web.base import limits
from inverse.web.base.guards import spoken_errors
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.turn import reader_is_behind

EVERY = 0.4
"""Seconds between two views: points that move, and figures that are drawn anew."""
PANELS = ("score", "mean", "samples")

View = dict[str, Any]


@dataclass
class Investigation(Lifecycle):
    """A visitor's latest study. It needs no device and no photo: everything is exact and small.

    Attributes:
        study: what is asked.
        found: what has been found so far.
        start: when it began, by the clock.
        earlier: the one before, until this one begins.
    """

    study: Study | None = None
    found: Findings | None = None
    start: float = 0.0
    earlier: Investigation | None = None

    def begin(self, study: Study) -> Generator[View, None, None]:
        """Runs a study: yields values of the element by the clock.

        Raises:
            gr.Error: a sentence with the cause and the remedy; what was shown last stays.
        """
        self.study, self.found, self.earlier, self.start = study, None, None, time.perf_counter()
        self.begun = True
        yield self.seen("running", "Preparing…")
        try:
            with spoken_errors():
                if not self.stopping:
                    yield from self.work(study)
        except Exception as error:
            yield self.failed(error)
            raise
        yield from self.ended()

    def work(self, study: Study) -> Generator[View, None, None]:
        due, most = 0.0, limits.current().seconds
        with closing(stream(study)) as updates:
            for self.found in updates:
                now = time.perf_counter()
                if self.stopping:
                    return
                if now - self.start > most:
                    raise ProblemError(f"This was stopped after {most} seconds; what is found stays. Take fewer steps.")
                if now >= due and not reader_is_behind():
                    yield self.seen("running", f"{self.found.doing}…")
                    # Drawing stays a small part of the time.
                    due = time.perf_counter() + max(EVERY, 5 * (time.perf_counter() - now))

    def seen(self, phase: str, message: str, **more: Any) -> View:
        """The value of the element that shows it."""
        view: View = {"id": self.start, "phase": phase, "message": message, **more}
        found = self.found
        if found is None:
            return view
        charts = figures(found)
        said, judged = sentences(found), dict(zip(PANELS, verdicts(found), strict=True))
        return {
            **view,
            "progress": round(100 * found.done / max(found.total, 1)),
            "figures": {name: chart.svg() for name, chart in charts.items()},
            "sentences": said,
            "verdicts": judged if found.complete else {},
            "name": f"findings-{key(found)}",
        }

    def ended(self) -> Iterator[View]:
        if self.stopping:
            yield self.stop()
            return
        seconds = time.perf_counter() - self.start
        yield self._last("done", f"Done in {seconds:.0f} s.")

    def stop(self) -> View:
        self.stopping = True
        if not self.begun:
            return self.told("stopped", "Stopped before it began.")
        return self._last("stopped", "Stopped. What is found by now stays.")

    def _last(self, phase: str, message: str) -> View:
        view = self.seen(phase, message)
        if self.found is not None:
            view |= {"csv": table(self.found), "page": to_markdown([self.found], {})}
        return view


def promise(study: Study) -> str:
    """How many samplers there are, and about how long it takes.

    Raises:
        ParameterError: a solver cannot deal with the task.
    """
    known = truth(study.truth, study.task, study.seed)
    judged = contenders(known, study.solvers, study.step_sizes, study.steps, study.parts)
    kind, count = known.kind, study.samples or known.kind.samples
    work = sum(passes(each.solver) for each in judged) if count else 0.0
    for each in judged:
        if each.implies:  # at every level a step, which is made for each noise of the pairs
            noises = 1 if each.solver.name in ADDED else 2 * kind.pairs
            work += kind.levels * noises * passes(each.solver) / each.solver.steps
    samplers = f"{len(judged)} samplers" if count else "no samples, as each takes minutes"
    return f"{kind.levels} noise levels, {samplers}, about {spoken(work * kind.seconds)}."
