"""One frame of a restoration, as solvers yield them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Step:
    """One frame of a restoration. The last one's `x0_hat` is the result.

    Attributes:
        index, total: this is step `index` of `total`, counted from 1.
        sigma: noise level of x, 0 when it is clean.
        x: state of the reverse process, (B, C, H, W).
        x0_hat: the prior's estimate of the clean image, (B, C, H, W), on [-1, 1].
        nfe: forward passes of the prior so far, for each sample.
        vjp: how many of them were followed by a backward pass.
        measure: what `residual` is computed by, when somebody asks for it: few do at every step.
        operator_calls: gradients through A so far that were taken without the network (Langevin's steps of DAPS).
    """

    index: int
    total: int
    sigma: float
    x: Tensor
    x0_hat: Tensor
    nfe: int
    vjp: int
    measure: Callable[[Tensor], Tensor] = field(repr=False, compare=False)
    operator_calls: int = 0

    @cached_property
    def residual(self) -> Tensor:
        """Root mean square of y - A(x0_hat) over what was measured, (B,), in the units of y."""
        with torch.no_grad():
            return self.measure(self.x0_hat)

    @classmethod
    def together(cls, steps: Sequence[Step]) -> Step:
        """The same step of several samples that were made one by one, each step with B = 1."""
        measures = [step.measure for step in steps]

        def measure(x0_hat: Tensor) -> Tensor:
            return torch.cat([each(x) for each, x in zip(measures, x0_hat.split(1), strict=True)])

        x, x0_hat = (torch.cat([getattr(step, name) for step in steps]) for name in ("x", "x0_hat"))
        return replace(steps[0], x=x, x0_hat=x0_hat, measure=measure)

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process has the residual, and not the whole run by which it was computed.
        return {**vars(self), "residual": self.residual, "measure": None}
