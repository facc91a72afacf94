"""Known pixels in a result: taken over from the measurement exactly, where the task keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial

from torch import Tensor

from inverse.errors import DivergenceError
from inverse.operators.selection import Selection
from inverse.solvers import Step
from inverse.solvers.calls import Pause


def kept(step: Step, operator: Selection, y: Tensor) -> Step:
    """The step with what was measured in its `x0_hat`; its residual stays that of the solver's own estimate.

    Args:
        step: of a solver.
        operator: that measured y.
        y: (1, *measurement_shape).
    """
    return replace(step, finish=partial(operator.keep, y=y))


def all_kept(steps: Iterator[Step | Pause], operator: Selection, y: Tensor) -> Iterator[Step | Pause]:
    """`kept` of every step, and of the last one before a solver diverged; pauses as they are."""
    with closing(steps):
        try:
            for step in steps:
                yield kept(step, operator, y) if isinstance(step, Step) else step
        except DivergenceError as error:
            error.last = error.last and kept(error.last, operator, y)
            raise
