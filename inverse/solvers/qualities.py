"""Qualities by name: for a task, the solver and the settings that reach most at a cost, from one table.

*Standard* is the task's default solver at its preset. What *draft* and *best* are, and the sampler whose pictures look
most *natural*, stands in `qualities.toml`, with what was measured; docs/qualities.md tells how, and what each reaches.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inverse.denoisers.cards import EMBEDDED
from inverse.operators import Task
from inverse.parameters import Choice
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.presets import default_solver_for, fits, preset

STANDARD, NATURAL = "standard", "natural"


@dataclass(frozen=True)
class Quality:
    """What a name means, whatever the task.

    Attributes:
        name: what --quality and settings call it.
        title: what people read.
        passes: calls of the network at full size that it takes at most, with the embedded prior and its estimator.
        help: a sentence on what it is for.
        samples: how many restorations to draw, to see what the measurement leaves open.
    """

    name: str
    title: str
    passes: float
    help: str
    samples: int = 1


QUALITIES = {
    each.name: each
    for each in (
        Quality("draft", "Draft", 3, "A first restoration, in one call of the network where an estimator is."),
        Quality(STANDARD, "Standard", 10, "The default."),
        Quality("best", "Best", 40, "What comes nearest to the truth, whatever it costs within reason."),
        Quality(
            NATURAL, "Natural", 10,
            "Samples that look like photographs, with invented texture: their mean is the most faithful, their spread "
            "says what is invented.", samples=4,
        ),
    )
}  # fmt: skip

QUALITY = Choice(
    help="Solver and settings by what they are for: draft in at most 3 passes of the network, standard in 10, best in "
    "40, each as near to the truth as is known; natural is a sampler, which looks most like a photograph.",
    options=tuple(QUALITIES),
)


@dataclass(frozen=True)
class Row:
    """What a quality is, for a task.

    Attributes:
        solver: its name.
        settings: what differs from its preset for the task.
    """

    solver: str
    settings: Mapping[str, Any] = field(default_factory=dict)


LEARNED, ANY = "learned", "any"
"""Rows of a quality for tasks that have none of their own: those that the estimator has learned, and others."""


FILE = Path(__file__).with_suffix(".toml")


def read(file: Path = FILE) -> dict[str, dict[str, Row]]:
    """The table, by quality and task."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))
    return {quality: {task: Row(**row) for task, row in tasks.items()} for quality, tasks in rows.items()}


TABLE = read()


def at_quality(quality: str, task: Task, kind: str = EMBEDDED, estimator: bool = True) -> Solver:
    """The solver of a quality, for a task, or for a chain that of the one that weighs most, if it can.

    Args:
        quality: its name; one of which the table says nothing for such a task is the standard.
        task: what is to be undone.
        kind: of the prior.
        estimator: whether the prior has a conditional estimator.

    Raises:
        ParameterError: there is no such quality.
    """
    rows = TABLE.get(QUALITY.check("quality", quality), {})
    usual = Row(default_solver_for(task, kind, estimator))
    for row in filter(None, (rows.get(task.name), rows.get(LEARNED), rows.get(ANY))):
        if fits(task, row.solver, kind) and (estimator or not SOLVERS[row.solver].needs_estimator):
            return preset(task.name, row.solver, row.settings, kind)
    return preset(task.name, usual.solver, kind=kind)


def quality_of(solver: Solver, task: Task, kind: str = EMBEDDED, estimator: bool = True) -> str:
    """The name of the quality that a solver with these settings is; empty where it is none."""
    names = (STANDARD, *QUALITIES)  # one without a row is the standard
    return next((name for name in names if at_quality(name, task, kind, estimator) == solver), "")


def offered(task: Task, kind: str = EMBEDDED, estimator: bool = True) -> list[str]:
    """The names of the qualities that differ from each other for a task and a prior."""
    found: dict[Solver, str] = {}
    for name in (STANDARD, *QUALITIES):
        found.setdefault(at_quality(name, task, kind, estimator), name)
    return [name for name in QUALITIES if name in found.values()]
