"""The contract of a measurement operator `A`, and the one linear solve that most solvers need."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

Shape = tuple[int, ...]


class Operator(ABC):
    """A differentiable map from images (B, C, H, W) on [-1, 1] to measurements (B, *measurement_shape).

    Attributes:
        image_shape: (C, H, W) of the images it accepts.
        measurement_shape: shape of one measurement, without the batch.
    """

    linear = False
    image_shape: Shape
    measurement_shape: Shape

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """The noiseless measurement of x, (B, C, H, W) -> (B, *measurement_shape)."""

    @property
    def entries(self) -> int:
        """How many numbers one measurement really has; entries of y that are always 0 do not count."""
        return math.prod(self.measurement_shape)

    def restrict(self, y: Tensor) -> Tensor:
        """y with the entries that are not measured set to 0."""
        return y

    def preview(self, y: Tensor) -> Tensor:
        """A picture (B, C, h, w) on [-1, 1] of a measurement, for people to look at."""
        return y

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Self:
        """A copy with every tensor on the device and in the precision, complex ones in the matching complex one."""
        moved = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                target = dtype.to_complex() if value.is_complex() else dtype if value.is_floating_point() else None
                setattr(moved, name, value.to(device=device, dtype=target))
        return moved


class LinearOperator(Operator):
    """A linear operator H with closed forms for everything that a solver asks of it.

    Attributes:
        norm: spectral norm of H, its largest singular value.
    """

    linear = True
    norm: float

    @abstractmethod
    def adjoint(self, y: Tensor) -> Tensor:
        """H^T y, (B, *measurement_shape) -> (B, C, H, W)."""

    @abstractmethod
    def pinv(self, y: Tensor) -> Tensor:
        """H^+ y, the pseudo-inverse; singular values below the operator's cut count as zero."""

    @abstractmethod
    def gain(self, r: Tensor, c: float) -> Tensor:
        """H^T (H H^T + c I)^-1 r for c > 0, (B, *measurement_shape) -> (B, C, H, W).

        Solvers use it in place of `solve`: the forms are equal in algebra, but this one does not cancel
        in float32 at sigma = 80.
        """

    def solve(self, v: Tensor, a: float, b: float) -> Tensor:
        """(a H^T H + b I)^-1 v for a, b > 0, right in the null space too (Woodbury's identity)."""
        return (v - self.gain(self(v), b / a)) / b
