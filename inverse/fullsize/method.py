"""How a photo is restored at full size where nobody chooses: a solver that is quick enough for millions of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inverse.denoisers.cards import EMBEDDED
from inverse.operators import Task

QUICK = {"solver": "cse", "solver_parameters": {"steps": 1}}
"""One call of the conditional estimator: the mean of the posterior."""
LEARNED = ("inpaint-mask", "inpaint-box", "denoise", "deblur-gaussian", "super-resolution")


def chosen(task: str | Task, solver: Any, parameters: Mapping[str, Any] | None, kind: str) -> dict[str, Any]:
    """The arguments of `Settings.create` for solver and parameters: as they are given, or the quick ones."""
    name = task if isinstance(task, str) else task.name
    if solver is None and not parameters and kind == EMBEDDED and name in LEARNED:
        return dict(QUICK)
    return {"solver": solver, "solver_parameters": parameters}
