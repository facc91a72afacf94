"""How a photo is restored at full size where nobody chooses: a solver that is quick enough for millions of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inverse.operators import Task
from inverse.operators.task import TASKS

QUICK: dict[str, Any] = {"solver": "cse", "solver_parameters": {"steps": 1}}
"""One call of the conditional estimator, the mean of the posterior: a quarter of the time of the default solver in
windows around scratches, a twentieth elsewhere, and about as near to the truth. Grain is added to what it fills in."""

KEPT = ("colorize",)
"""Tasks whose own default solver is kept: the mean of all colours is grey."""


def chosen(
    task: str | Task, solver: Any = None, parameters: Mapping[str, Any] | None = None, estimator: bool = True
) -> dict[str, Any]:
    """Arguments of `Settings.create` for solver and parameters: as they are given, or the quick ones.

    The quick ones are for linear tasks but those in `KEPT`, where the prior has a conditional estimator.
    """
    known = type(task) if isinstance(task, Task) else TASKS.find(task)
    given = solver is not None or bool(parameters)
    if not given and estimator and known.linear and known.name not in KEPT:
        return dict(QUICK)
    return {"solver": solver, "solver_parameters": parameters}
