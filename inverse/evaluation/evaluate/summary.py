"""What results say together: cells of one task, solver and prior, means with standard errors, paired differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.plan import Plan


@dataclass(frozen=True)
class Estimate:
    """A figure: its value, its standard error (NaN where none is known), and of how many it is."""

    value: float
    error: float
    n: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Estimate | None:
        """The mean, with the standard error of the mean; None of nothing."""
        known = [value for value in values if math.isfinite(value)]
        if not known:
            return None
        n, mean = len(known), math.fsum(known) / len(known)
        if n < 2:
            return cls(mean, math.nan, n)
        variance = math.fsum((value - mean) ** 2 for value in known) / (n - 1)
        return cls(mean, math.sqrt(variance / n), n)

    def said(self, digits: int) -> str:
        """In words, with its error where there is one."""
        error = "" if math.isnan(self.error) or self.error == 0 else f" ± {self.error:.{digits}f}"
        return f"{self.value:.{digits}f}{error}"


@dataclass(frozen=True)
class Cell:
    """The jobs of one prior, task and solver, and what came of them.

    Attributes:
        jobs: one a photo.
        lines: the results that are there, by the jobs' ids.
    """

    prior: str
    task: str
    solver: str
    jobs: Sequence[Job]
    lines: Mapping[str, Mapping[str, Any]]

    @property
    def complete(self) -> bool:
        return all(job.id in self.lines for job in self.jobs)

    @property
    def failures(self) -> list[str]:
        """Why jobs failed."""
        return [line["failure"] for job in self.jobs if (line := self.lines.get(job.id)) and line["failure"]]

    @property
    def good(self) -> list[tuple[Job, Mapping[str, Any]]]:
        """Jobs that did not fail, with their lines."""
        return [(job, line) for job in self.jobs if (line := self.lines.get(job.id)) and not line["failure"]]


def cells(plan: Plan, lines: Mapping[str, Mapping[str, Any]]) -> list[Cell]:
    """All cells of a plan, in its order."""
    groups: dict[tuple[str, str, str], list[Job]] = {}
    for job in plan.jobs:
        groups.setdefault((job.settings.prior, job.task, job.solver), []).append(job)
    return [Cell(*key, jobs, lines) for key, jobs in groups.items()]


def paired(values: Mapping[str, float], others: Mapping[str, float]) -> Estimate | None:
    """The mean difference over the photos that both have, by their digests: how hard a photo is cancels."""
    return Estimate.of(values[photo] - others[photo] for photo in values if photo in others)
