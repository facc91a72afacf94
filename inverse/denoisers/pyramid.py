"""A prior that answers much noise at a coarse scale, where its network sees further and costs less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.denoisers.base import Denoiser, pad_to_multiple
from inverse.denoisers.wrapper import Wrapper
from inverse.operators.base import Operator

LEAST_SIDE = 64
"""Pixels of the shorter side of a coarse picture, at least: a network that was trained on crops of 128 pixels reads
fewer than half of that as if it knew more of the photo than it does."""


def scale(thresholds: Sequence[float], sigma: float, side: int) -> int:
    """k, the pixels a side of the blocks whose means are used at a noise level, for pictures of a shorter side."""
    k = 2 ** sum(sigma >= threshold for threshold in thresholds)
    while k > 1 and side < k * LEAST_SIDE:
        k //= 2
    return k


_made: WeakValueDictionary[int, Pyramid] = WeakValueDictionary()
"""By the identity of their priors. Weak, so that a prior that nobody uses any more leaves the memory."""


class Pyramid(Wrapper):
    """D(x, sigma) by the prior on means over k x k pixels, k = 2, 4, 8, ..., whose noise is sigma / k.

        D(x, sigma) = U D(M x, sigma / k),    M x the means of blocks, U a cubic spline

    Much noise leaves nothing to be told of what is smaller than such a block, and a prior that was trained on
    photographs at several scales knows the means of blocks as well. There it sees k times as far, for 1 / k^2 of the
    work. What only the full size has is estimated as 0, to which every denoiser shrinks it as sigma grows: on a
    stationary Gaussian field, whose block means are such a field again, D is exact in that limit.

    An estimate that is told the measurement is the prior's own at full size: most of what it knows is not in the noise.

    Args:
        prior: of pictures of any size.
        thresholds: the noise levels from which on means over 2, 4, 8, ... pixels are used, rising; those of the prior
            when None.

    Raises:
        ValueError: the thresholds do not rise, or are not positive.
    """

    def __init__(self, prior: Denoiser, thresholds: Sequence[float] | None = None) -> None:
        thresholds = tuple(prior.thresholds if thresholds is None else thresholds)
        if any(low >= high for low, high in zip((0.0, *thresholds), thresholds, strict=False)):
            raise ValueError(f"the thresholds {thresholds} must be positive and rise")
        super().__init__(prior)
        self.thresholds = thresholds

    def cost(self, sigma: float, size: tuple[int, int], told: bool = False) -> float:
        full = self.prior.cost(sigma, size, told)
        return full if told else full / scale(self.thresholds, sigma, min(size)) ** 2

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        side = min(x.shape[-2:])
        scales = [scale(self.thresholds, level, side) for level in sigma.tolist()]
        if len(set(scales)) == 1:
            return self.at(scales[0], x, sigma)
        parts, places = [], []
        for k in sorted(set(scales)):
            chosen = [index for index, each in enumerate(scales) if each == k]
            parts.append(self.at(k, x[chosen], sigma[chosen]))
            places += chosen
        return torch.cat(parts)[torch.tensor(places, device=x.device).argsort()]

    def at(self, k: int, x: Tensor, sigma: Tensor) -> Tensor:
        """The estimate by means over k x k pixels, whatever the thresholds say; x and sigma as for `denoise`."""
        if k == 1:
            return self.prior.denoise(x, sigma)
        height, width = x.shape[-2:]
        means = F.avg_pool2d(pad_to_multiple(x, k * self.multiple), k)
        x0_hat = self.prior.denoise(means, sigma / k)
        return F.interpolate(x0_hat, scale_factor=k, mode="bicubic", align_corners=False)[..., :height, :width]

    # What it knows of the measurement is the prior's

    @property
    def batches(self) -> bool:
        return self.prior.batches

    @property
    def conditional(self) -> bool:
        return self.prior.conditional

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> Any | None:
        return self.prior.condition(operator, y, sigma_y)

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: Sequence[Any]) -> Tensor:
        return self.prior.denoise_given(x, sigma, conditions)


def coarse(prior: Denoiser) -> Denoiser:
    """The prior with its pyramid; as it is where nobody measured its thresholds.

    It is the same object whenever it is asked for, so that runs with it share passes.
    """
    if not prior.thresholds or isinstance(prior, Pyramid):
        return prior
    return _made.get(id(prior)) or _made.setdefault(id(prior), Pyramid(prior))
