"""Noise alone: the identity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task


class Identity(LinearOperator):
    """H = I."""

    norm = 1.0

    def __init__(self, image_shape: Shape) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.one = torch.ones(1, 1, 1)

    def __call__(self, x: Tensor) -> Tensor:
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        return y

    def pinv(self, y: Tensor) -> Tensor:
        return y

    def gain(self, r: Tensor, c: float) -> Tensor:
        return r / (1 + c)

    def to_spectral(self, x: Tensor) -> Tensor:
        return x

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return coefficients

    @property
    def singular_values(self) -> Tensor:
        return self.one

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return y


@TASKS.register
@dataclass(frozen=True)
class Denoise(Task):
    name = "denoise"
    title = "Denoising"
    summary = "Every pixel is there, but noisy."

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Identity:
        return Identity(image_shape)
