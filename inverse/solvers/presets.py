"""Settings that work, for every task and solver: tables that a search wrote, one for each kind of prior."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from inverse.denoisers.cards import EMBEDDED
from inverse.operators import TASKS, Task
from inverse.operators.chain import Chain
from inverse.parameters import named
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.defaults import GENERAL, default_solver
from inverse.solvers.ways import KINDS, possible_behind_a_decoder

DEFAULT_TASK = "inpaint-random"
DEFAULT_DEGRADED_TASK = "denoise"  # for a photo of which nothing is known: it assumes least, and so harms least


def default_task(degraded: bool) -> str:
    """The task when none is named, for a photo that is degraded already or one that is clean."""
    return DEFAULT_DEGRADED_TASK if degraded else DEFAULT_TASK


FILE = Path(__file__).with_suffix(".toml")
"""Of the embedded prior. Written by `python -m inverse.evaluation.tune`, which says how the search goes and what was
measured; `file_of` names those of other kinds."""

CLOSE = 1.0
"""Decibels below the best solver of a task that hardly anybody sees."""


@dataclass(frozen=True)
class Preset:
    """One row of the table.

    Attributes:
        settings: what differs from the solver's own defaults.
        psnr: dB that these reached in the search, on crops of photos; None before one.
        whole: dB that these reached on whole photos; None where that was not measured.
        defaults: dB that the solver's defaults reached on the crops.
        source: where settings are from that nobody searched here.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    psnr: float | None = None
    whole: float | None = None
    defaults: float | None = None
    source: str = ""


Table = dict[str, dict[str, Preset]]


def file_of(kind: str) -> Path:
    """Where the table for priors of a kind is, or would be."""
    return FILE if kind == EMBEDDED else FILE.with_name(f"presets-{kind or 'own'}.toml")


def read(file: Path = FILE) -> Table:
    """The table of a file, by solver and task; an empty one where there is no file."""
    if not file.exists():
        return {}
    rows = tomllib.loads(file.read_text(encoding="utf-8"))
    return {solver: {task: Preset(**row) for task, row in tasks.items()} for solver, tasks in rows.items()}


PRESETS = read()
"""Of the embedded prior."""


@cache
def table_of(kind: str) -> Table:
    """The table for priors of a kind; an empty one where nobody has searched it."""
    return PRESETS if kind == EMBEDDED else read(file_of(kind)) if kind else {}


UNTUNED = "Not tuned for this prior: sweep it."
"""What to say in few words of a prior of a kind that has no table."""


def remark(kind: str) -> str:
    """A sentence for whoever uses a prior of a kind that has no table, or one that nobody searched; else empty."""
    rows = [row for tasks in table_of(kind).values() for row in tasks.values()]
    if any(row.psnr is not None for row in rows):
        return ""
    if rows:
        sources = ", ".join(dict.fromkeys(row.source for row in rows))
        return (
            f"The presets for priors of this kind are those of {sources}, and were not tuned for this prior: sweep "
            "them. On tasks and for solvers that have none, solvers start from their own defaults."
        )
    return (
        f"{UNTUNED} The presets were searched with the embedded prior. With a prior of another kind solvers start from "
        "their own defaults; `python -m inverse.evaluation.tune --prior NAME` searches presets for it."
    )


def solvers_for(task: str, kind: str = EMBEDDED) -> list[str]:
    """Names of the solvers that can deal with a task and a kind of prior: first those that came close to the best one
    in the search.

    Raises:
        ParameterError: the task is unknown.
    """
    able, table = [name for name in SOLVERS if possible(task, name, kind)], table_of(kind)
    reached = {name: table.get(name, {}).get(task, Preset()).psnr or 0.0 for name in able}
    return sorted(able, key=lambda name: reached[name] < max(reached.values()) - CLOSE)


def possible(task: str, solver: str, kind: str = EMBEDDED) -> bool:
    """Whether the solver can deal with the task and the kind of prior; ParameterError when one is unknown."""
    if kind in KINDS:
        return possible_behind_a_decoder(task, solver)
    known, found = TASKS.find(task), SOLVERS.find(solver)
    return (known.linear or not found.linear_only) and (known.learnable or not found.needs_estimator)


def fits(task: Task, solver: str, kind: str = EMBEDDED) -> bool:
    """As `possible`, of this very task, which may be a chain: no estimator has learned one, and some have no
    decomposition."""
    if not possible(task.name, solver, kind):
        return False
    found = SOLVERS.find(solver)
    if found.needs_estimator and not task.estimable:
        return False
    return not (isinstance(task, Chain) and found.needs_svd and not task.has_svd)


def default_solver_for(task: Task, kind: str = EMBEDDED, estimator: bool = True) -> str:
    """The name of the default solver of a task, or of a chain: that of the one that weighs most, if it can."""
    solver = default_solver(task.name, estimator)
    return solver if fits(task, solver, kind) else GENERAL


def preset(task: str, solver: str, overrides: Mapping[str, Any] | None = None, kind: str = EMBEDDED) -> Solver:
    """The solver with its preset for the task and the kind of prior, some values overridden.

    Without a preset the solver has its own defaults: what suits one kind of prior can be wrong for another.

    Raises:
        ParameterError: the task, the solver or a parameter is unknown, or a value is out of its range.
    """
    TASKS.find(task)
    found = table_of(kind).get(SOLVERS.find(solver).name, {}).get(task, Preset())
    return SOLVERS[solver].create({**found.settings, **named(overrides, "solver")})


def make_solver(
    solver: str | Solver | None,
    task: Task,
    parameters: Mapping[str, Any] | None = None,
    kind: str = EMBEDDED,
    estimator: bool = True,
) -> Solver:
    """A solver by name at its preset for the task and the kind of prior, with some of its parameters set; the task's
    default when None, for which it matters whether the prior has a conditional estimator.

    Raises:
        ParameterError: the name or a parameter is unknown, or a value is out of its range.
    """
    if isinstance(solver, Solver):
        return solver.replace(**named(parameters, "solver"))
    if solver is None:
        solver = default_solver_for(task, kind, estimator)
    return preset(task.name, solver, parameters, kind)
