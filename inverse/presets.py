"""Settings that work, for every task and solver: one table, measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inverse.operators import TASKS
from inverse.solvers import SOLVERS, Solver

DEFAULT_TASK = "inpaint-random"
DEFAULT_SOLVER = "vml-map"

# What differs from a solver's own defaults, by solver and task.
PRESETS: dict[str, dict[str, dict[str, Any]]] = {}


def preset(task: str, solver: str, overrides: Mapping[str, Any] | None = None) -> Solver:
    """The solver with its preset for the task, some values overridden.

    Raises:
        ParameterError: the task, the solver or a parameter is unknown, or a value is out of its range.
    """
    TASKS.find(task)
    kind = SOLVERS.find(solver)
    return kind.create({**PRESETS.get(solver, {}).get(task, {}), **(overrides or {})})
