"""The mean of a Gaussian field, given a measurement and a noisy picture: in closed form, or by conjugate gradients."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.estimators.field import Field
from inverse.estimators.folds import Folds, folds
from inverse.operators.base import LinearOperator
from inverse.operators.cg import conjugate_gradients
from inverse.operators.compressed_sensing import RandomRows
from inverse.operators.convolution import CircularBlur
from inverse.operators.transforms import hartley

ITERATIONS = 100
"""Conjugate-gradient steps of one mean, at most. Where H^T H is diagonal in cosines, one suffices; a large hole takes
about fifty."""
TOLERANCE = 0.01
"""They end where r^T P r is below its square for each number of the picture. The error that is left is then below a
tenth of the posterior's standard deviation."""
SEED = 0


@dataclass(frozen=True)
class System(ABC):
    """(H^T H / v + I / sigma^2 + C^-1) x0 = H^T y / v + x / sigma^2, with C diagonal among the coefficients of a field.

    Attributes:
        field: the Gaussian field.
        operator: H.
        noise: v, the variance of the measurement's noise.
    """

    field: Field
    operator: LinearOperator
    noise: float

    @abstractmethod
    def mean(self, y: Tensor, spectrum: Tensor, x: Tensor, precision: Tensor, start: Tensor | None = None) -> Tensor:
        """x0, (B, C, H, W); differentiable in x.

        Args:
            y: measurements, (B, *measurement_shape).
            spectrum: variances of the coefficients, (B or 1, C, H, W).
            x: noisy pictures, (B, C, H, W).
            precision: 1 / sigma^2, (B or 1, 1, 1, 1); 0 where x says nothing.
            start: a guess.
        """

    def _given(self, y: Tensor, x: Tensor, precision: Tensor) -> Tensor:
        return self.operator.adjoint(y) / self.noise + precision * x

    def _measured(self, x: Tensor) -> Tensor:
        return self.operator.adjoint(self.operator(x)) / self.noise

    def _times(self, variance: Tensor, x: Tensor) -> Tensor:
        """x times what is diagonal among coefficients."""
        return self.field.from_coefficients(variance * self.field.to_coefficients(x))

    def _solved(
        self, apply: Callable[[Tensor], Tensor], b: Tensor, start: Tensor | None,
        precondition: Callable[[Tensor], Tensor],
    ) -> Tensor:  # fmt: skip
        first = precondition(b) if start is None else start
        return conjugate_gradients(apply, b, first, precondition, TOLERANCE**2 * b[0].numel(), ITERATIONS)


@dataclass(frozen=True)
class CosineSystem(System):
    """Among coefficients, preconditioned by the diagonal: exact where H^T H is diagonal there.

    Attributes:
        diagonal: about that of H^T H, (1, C, H, W).
    """

    diagonal: Tensor

    def mean(self, y: Tensor, spectrum: Tensor, x: Tensor, precision: Tensor, start: Tensor | None = None) -> Tensor:
        to, back = self.field.to_coefficients, self.field.from_coefficients
        own = 1 / spectrum + precision
        inverse = 1 / (self.diagonal / self.noise + own)
        return back(self._solved(
            lambda c: to(self._measured(back(c))) + own * c, to(self._given(y, x, precision)),
            None if start is None else to(start), lambda r: inverse * r,
        ))  # fmt: skip


@dataclass(frozen=True)
class FoldedSystem(System):
    """Where H folds cosines onto each other: in closed form.

    Attributes:
        folded: how.
    """

    folded: Folds

    def mean(self, y: Tensor, spectrum: Tensor, x: Tensor, precision: Tensor, start: Tensor | None = None) -> Tensor:
        to, variance = self.field.to_coefficients, 1 / (1 / spectrum + precision)
        given = variance * precision * to(x)
        return self.field.from_coefficients(self.folded.posterior_mean(given, variance, to(y), self.noise))


@dataclass(frozen=True)
class PartialSystem(System):
    """Where a part is not measured, which cosines do not see: that and the other part are inverted apart.

    In the part that is not, C^-1 is inverted as everywhere, but for frequencies so low that what is measured around a
    gap settles them.

    Attributes:
        seen: takes from a picture the part that is measured.
        stiffness: 1 / S at the frequency that belongs to the gaps, (1, C, 1, 1).
    """

    seen: Callable[[Tensor], Tensor]
    stiffness: Tensor

    def mean(self, y: Tensor, spectrum: Tensor, x: Tensor, precision: Tensor, start: Tensor | None = None) -> Tensor:
        own = 1 / spectrum + precision
        inverse, variance = 1 / (self.operator.norm**2 / self.noise + precision), 1 / (own + self.stiffness)

        def precondition(r: Tensor) -> Tensor:
            seen = self.seen(r)
            unseen = self._times(variance, r - seen)
            return inverse * seen + unseen - self.seen(unseen)

        return self._solved(
            lambda z: self._measured(z) + self._times(own, z), self._given(y, x, precision), start, precondition
        )


@dataclass(frozen=True)
class CircularSystem(System):
    """Where H is a circular blur: H^T H is diagonal in Hartley's basis, and to begin with, C is taken for it too.

    Attributes:
        power: that diagonal, (H, W).
    """

    power: Tensor

    def mean(self, y: Tensor, spectrum: Tensor, x: Tensor, precision: Tensor, start: Tensor | None = None) -> Tensor:
        own, colours = 1 / spectrum + precision, self.field
        alike = spectrum[..., _cosines(x.shape[-2]), :][..., _cosines(x.shape[-1])]
        inverse = 1 / (self.power / self.noise + 1 / alike + precision)
        return self._solved(
            lambda z: self._measured(z) + self._times(own, z), self._given(y, x, precision), start,
            lambda r: colours.from_colours(hartley(inverse * hartley(colours.to_colours(r)))),
        )  # fmt: skip


def system(field: Field, operator: LinearOperator, noise: float, known: Tensor) -> System:
    """The one that the operator wants.

    Args:
        field, operator, noise: as `System` has them.
        known: how much is measured at each pixel, on [0, 1], (1, 1, H, W).
    """
    folded = folds(operator, known)
    if folded:
        return FoldedSystem(field, operator, noise, folded)
    if isinstance(operator, CircularBlur):
        return CircularSystem(field, operator, noise, operator.magnitude.square().to(known))
    if isinstance(operator, RandomRows):  # H H^T = I, and no row is alike a cosine: as if scattered pixels were known
        share = math.prod(operator.measurement_shape) / math.prod(operator.image_shape)
        stiffness = _stiffness(field, share**0.5 / (2 * math.pi), known)
        return PartialSystem(field, operator, noise, lambda r: operator.adjoint(operator(r)), stiffness)
    missing = (known[0, 0] < 0.5).cpu().numpy()
    if missing.any():
        away = cv2.distanceTransform(missing.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[missing].mean()
        stiffness = _stiffness(field, 1 / (4 * math.pi * float(away)), known)
        return PartialSystem(field, operator, noise, lambda r: known * r, stiffness)
    return CosineSystem(field, operator, noise, _diagonal(field, operator, known))


def _stiffness(field: Field, frequency: float, like: Tensor) -> Tensor:
    """1 / S there, (1, C, 1, 1): what is as far from anything measured as a pixel is in its gap varies no slower."""
    return 1 / field.law(like.new_tensor([[frequency**2]]))[None]


def _diagonal(field: Field, operator: LinearOperator, like: Tensor) -> Tensor:
    """About the diagonal of H^T H among the field's coefficients, (1, C, H, W): exact where H^T H is diagonal there.

    By random signs (Bekas, Kokiopoulou and Saad 2007), averaged over neighbouring frequencies.
    """
    generator = torch.Generator("cpu").manual_seed(SEED)
    signs = (2 * torch.randint(0, 2, (2, *operator.image_shape), generator=generator) - 1).to(like)
    image = field.to_coefficients(operator.adjoint(operator(field.from_coefficients(signs))))
    found = F.avg_pool2d(F.pad((signs * image).mean(0, keepdim=True), (2, 2, 2, 2), mode="replicate"), 5, 1)
    return found.clamp(0, operator.norm**2)


def _cosines(side: int) -> Tensor:
    """Which cosine of so many pixels has the frequency of each of Hartley's."""
    turns = torch.arange(side)
    return (2 * torch.minimum(turns, side - turns)).clamp_max(side - 1)
