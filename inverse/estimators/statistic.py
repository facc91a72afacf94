"""What x and y together say of a picture, if photographs were a Gaussian field; and how wrong that is."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.estimators.field import Field
from inverse.estimators.systems import SEED, system
from inverse.operators.base import LinearOperator

FIRST_LEVEL = 10.0
"""The noise level from which on x counts for nothing, and only y is known: where sampling begins.

Even there the mean of a picture, which is one of thousands of numbers in a coefficient, stands out of the noise. So a
picture of noise alone, as sampling begins with, would be taken for one that is grey on average."""
LEAST_NOISE = 5e-3
"""A measurement counts as at least this noisy here."""
WINDOW = 9
"""Side of the window over which what is known is averaged, in pixels."""


@dataclass(frozen=True)
class Told:
    """How wrong a statistic is: the root mean square of its error, as the Gaussian field has it.

    Attributes:
        low, high: the smallest and the largest over the image, (B,).
        share: where between their logarithms a pixel is, on [0, 1], (1 or B, 1, H, W); None where they are equal.
    """

    low: Tensor
    high: Tensor
    share: Tensor | None

    @property
    def level(self) -> Tensor:
        """The root mean square error of every pixel, (B, 1, H or 1, W or 1)."""
        low, high = self.low[:, None, None, None], self.high[:, None, None, None]
        return low if self.share is None else low * (high / low) ** self.share


class Statistic:
    """x_G = E[x0 | x, y] of a Gaussian field with the covariance C, for y = H x0 + sigma_y n and x = x0 + sigma m:

        (H^T H / sigma_y^2 + I / sigma^2 + C^-1) x_G = H^T y / sigma_y^2 + x / sigma^2

    as `systems` solve it, differentiable in x.
    The combined statistic of exact posterior scores (arXiv 2606.17048); the field and the solver are ours.

    Attributes:
        known: how much is measured at each pixel, on [0, 1], (1, 1, H, W).
        scattered: 0 where that is in one piece, up to 1 where it is single pixels.
        y0: the estimate from y alone, (B, C, H, W).

    Args:
        field: the Gaussian field.
        operator: H, on the device and in the precision of y.
        y: measurements, (B, *measurement_shape), one for all or one for each image that will come.
        sigma_y: standard deviation of their noise.
    """

    def __init__(self, field: Field, operator: LinearOperator, y: Tensor, sigma_y: float) -> None:
        self.field, self.operator = field, operator
        self.variance = max(sigma_y, LEAST_NOISE) ** 2
        self.known = _known(operator, y)
        near = _windowed(self.known)
        self.scattered = (self.known * (1 - near)).sum() / self.known.sum().clamp_min(1) / 0.7
        self.scattered = self.scattered.clamp(0, 1)
        self.system = system(field, operator, self.variance, self.known)
        _, height, width = operator.image_shape
        self.spectrum = field.spectrum((height, width), y)
        self._told: dict[tuple[float, ...], Told] = {}
        self._take(y)

    def _take(self, y: Tensor) -> None:
        nothing = y.new_zeros(len(y), *self.operator.image_shape)
        self.y, self.y0 = y, self.system.mean(y, self.spectrum[None], nothing, y.new_zeros(1, 1, 1, 1))

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        """x_G, (B, C, H, W).

        Args:
            x: noisy images, (B, C, H, W).
            sigma: standard deviation of their noise, (B,).
        """
        precision = torch.where(sigma < FIRST_LEVEL, 1 / sigma.square(), 0)[:, None, None, None]
        lifted = self.field.lifted(self.spectrum, precision, self.scattered)
        start = torch.lerp(x, self.y0.expand_as(x), 1 / (1 + 0.02 * precision))
        return self.system.mean(self.y, lifted, x, precision, start)

    @torch.no_grad()
    def told(self, sigma: Tensor) -> Told:
        """How wrong `self(x, sigma)` is, at each of sigma (B,), at most sigma.

        It is measured: a picture of the field, each coefficient of its standard deviation and of a random sign, goes
        through the same operator and the same formula. Where H is diagonal too, that is exact.
        """
        key = tuple(sigma.tolist())
        if len(set(key)) > 1:
            if key not in self._told:
                self._told[key] = self._measured(sigma)
            return self._told[key]
        if key[:1] not in self._told:
            self._told[key[:1]] = self._measured(sigma[:1])
        told = self._told[key[:1]]
        return Told(told.low.expand(len(key)), told.high.expand(len(key)), told.share)

    def _measured(self, sigma: Tensor) -> Told:
        shape = (len(sigma), *self.operator.image_shape)
        generator = torch.Generator("cpu").manual_seed(SEED)
        signs = 2 * torch.randint(0, 2, shape, generator=generator).to(self.y) - 1
        truth = self.field.from_coefficients(self.spectrum.sqrt() * signs)
        noisy = truth + sigma[:, None, None, None] * torch.randn(shape, generator=generator).to(self.y)
        clean = self.operator(truth)
        y = clean + self.variance**0.5 * torch.randn(clean.shape, generator=generator).to(self.y)
        error = (self._of(self.operator.project(y))(noisy, sigma) - truth).square()
        known = self.known.expand_as(error[:, :1])
        inside = _mean(error, known)
        outside = torch.where(known.mean((1, 2, 3)) < 1 - 1e-6, _mean(error, 1 - known), inside)
        least, most = (torch.minimum(value, sigma.square()) for value in (inside, outside))
        level = _windowed(known * least[:, None, None, None] + (1 - known) * most[:, None, None, None]).sqrt()
        low, high = level.amin((1, 2, 3)), level.amax((1, 2, 3))
        ratio = (high / low).log()
        if (ratio < 0.05).all():
            return Told(level.square().mean((1, 2, 3)).sqrt(), high, None)
        share = (level / low[:, None, None, None]).log() / ratio.clamp_min(1e-3)[:, None, None, None]
        return Told(low, high, share.clamp(0, 1))

    def _of(self, y: Tensor) -> Statistic:
        """The same of other measurements."""
        other = copy.copy(self)
        other._take(y)
        return other


def _known(operator: LinearOperator, like: Tensor) -> Tensor:
    """The share of a constant picture that H^T H keeps at each pixel, its largest at 1, (1, 1, H, W)."""
    seen = operator.adjoint(operator(like.new_ones(1, *operator.image_shape))).mean(1, keepdim=True)
    most = seen.amax()
    return (seen / most).clamp(0, 1) if most > 0 else torch.ones_like(seen)


def _windowed(x: Tensor) -> Tensor:
    """The mean over a window about each pixel, what is beyond the edge left out."""
    return F.avg_pool2d(x, WINDOW, 1, WINDOW // 2, count_include_pad=False)


def _mean(error: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean over pixels and channels, (B,)."""
    return (error * weight).mean((1, 2, 3)) / weight.mean((1, 2, 3)).clamp_min(1e-6)
