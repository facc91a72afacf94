"""One frame of a restoration, as solvers yield them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

Map = Callable[[Tensor], Tensor]
"""What is done to states, estimates or pictures of every sample, (B, ...) -> (B, ...)."""


def unchanged(z: Tensor) -> Tensor:
    """The identity, which can be pickled."""
    return z


@dataclass(frozen=True)
class Step:
    """One frame of a restoration. The last one's `x0_hat` is the result.

    A solver works in the prior's own space, on z, and people look at pictures, x. For a prior of pictures they are the
    same; for another one, a picture is made when somebody asks for it, and once.

    Attributes:
        index, total: this is step `index` of `total`, counted from 1.
        sigma: noise level of z, 0 when it is clean.
        z: state of the reverse process, (B, C, h, w).
        z0_hat: the prior's estimate of the clean image there, (B, C, h, w).
        nfe: forward passes of the prior so far, for each sample.
        vjp: how many of them were followed by a backward pass.
        measure: the `residual` of pictures: few ask for it at every step.
        passes: what they cost so far, in forward passes of the network at full size; see `Denoiser.cost`.
        operator_calls: gradients through A so far that were taken without the network (Langevin's steps of DAPS).
        lower: from the prior's space to pictures, (B, C, h, w) -> (B, 3, H, W).
        preview: the same in a hurry.
        finish: what is done to the picture of the estimate at last, (B, 3, H, W) -> (B, 3, H, W).
    """

    index: int
    total: int
    sigma: float
    z: Tensor
    z0_hat: Tensor
    nfe: int
    vjp: int
    measure: Map | None = field(repr=False, compare=False)
    operator_calls: int = 0
    passes: float = 0.0
    lower: Map = field(default=unchanged, repr=False, compare=False)
    preview: Map = field(default=unchanged, repr=False, compare=False)
    finish: Map = field(default=unchanged, repr=False, compare=False)

    @cached_property
    def x(self) -> Tensor:
        """The state as pictures, (B, 3, H, W)."""
        with torch.no_grad():
            return self.lower(self.z)

    @cached_property
    def x0_hat(self) -> Tensor:
        """The prior's estimate of the clean image, (B, 3, H, W), on [-1, 1]."""
        return self.finish(self._estimate)

    @cached_property
    def _estimate(self) -> Tensor:
        """`x0_hat` as the solver left it."""
        with torch.no_grad():
            return self.lower(self.z0_hat)

    @cached_property
    def residual(self) -> Tensor:
        """Root mean square of y - A(x0_hat), before `finish`, over what was measured, (B,), in the units of y."""
        if self.measure is None:
            raise ValueError("a copy of a step has no other residual than the one that it was copied with")
        with torch.no_grad():
            return self.measure(self._estimate)

    @property
    def draft(self) -> Step:
        """This step with pictures, and a residual, by `preview`: for frames that are shown for a moment."""
        return replace(self, lower=self.preview)

    @classmethod
    def together(cls, steps: Sequence[Step]) -> Step:
        """The same step of several samples that were made one by one, each step with B = 1."""
        maps = {name: _each([getattr(step, name) for step in steps]) for name in ("measure", "lower", "preview")}
        z, z0_hat = (torch.cat([getattr(step, name) for step in steps]) for name in ("z", "z0_hat"))
        return replace(steps[0], z=z, z0_hat=z0_hat, **maps)

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process has pictures and residual, and not the prior and the run by which they are made.
        seen = {"z": self.x, "z0_hat": self.x0_hat, "residual": self.residual, "measure": None}
        left = {name: value for name, value in vars(self).items() if name != "_estimate"}
        return {**left, **seen, "lower": unchanged, "preview": unchanged, "finish": unchanged}


def _each(maps: Sequence[Map]) -> Map:
    """Every sample by its own map, so that none depends on the others."""
    return lambda x: torch.cat([one(sample) for one, sample in zip(maps, x.split(1), strict=True)])
