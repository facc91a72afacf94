"""Known pixels in a result: taken over from the measurement exactly, where the task keeps them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from functools import partial

from torch import Tensor

from inverse.errors import DivergenceError
from inverse.operators.selection import Selection
from inverse.solvers.calls import Process
from inverse.solvers.step import Step


def kept(step: Step, operator: Selection, y: Tensor) -> Step:
    """The step with what was measured, y, in its `x0_hat`; its residual stays that of the solver's own estimate."""
    return replace(step, finish=partial(operator.keep, y=y))


def all_kept(process: Process, operator: Selection, y: Tensor) -> Process:
    """`kept` of every step of a run, and of the last one before it diverged; calls and pauses as they are."""
    reply = None
    with closing(process):
        try:
            while True:
                try:
                    item = process.send(reply)
                except StopIteration:
                    return
                reply = yield kept(item, operator, y) if isinstance(item, Step) else item
        except DivergenceError as error:
            error.last = error.last and kept(error.last, operator, y)
            raise
