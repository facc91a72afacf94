"""Settings that work, for every task and solver: one table, measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inverse.operators import TASKS
from inverse.solvers import SOLVERS, Solver

DEFAULT_TASK = "inpaint-random"
DEFAULT_DEGRADED_TASK = "denoise"  # for a photo of which nothing is known: it assumes least, and so harms least
DEFAULT_SOLVER = "vml-map"

# What differs from a solver's own defaults, by solver and task.
PRESETS: dict[str, dict[str, dict[str, Any]]] = {}


def solvers_for(task: str) -> list[str]:
    """Names of the solvers that can deal with a task, the recommended ones first.

    Raises:
        ParameterError: the task is unknown.
    """
    linear = TASKS.find(task).linear
    return [name for name, solver in SOLVERS.items() if linear or not solver.linear_only]


def preset(task: str, solver: str, overrides: Mapping[str, Any] | None = None) -> Solver:
    """The solver with its preset for the task, some values overridden.

    Raises:
        ParameterError: the task, the solver or a parameter is unknown, or a value is out of its range.
    """
    TASKS.find(task)
    kind = SOLVERS.find(solver)
    return kind.create({**PRESETS.get(solver, {}).get(task, {}), **(overrides or {})})
