"""Noise alone: the identity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import Shape
from inverse.operators.selection import Selection
from inverse.operators.task import TASKS, Task


class Identity(Selection):
    """H = I."""

    channelwise = True

    def __init__(self, image_shape: Shape) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.one = torch.ones(1, 1, 1)

    def __call__(self, x: Tensor) -> Tensor:
        return x

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return y

    @property
    def singular_values(self) -> Tensor:
        return self.one


@TASKS.register
@dataclass(frozen=True)
class Denoise(Task):
    name = "denoise"
    title = "Denoising"
    group = "Noise and compression"
    summary = "Every pixel is there, but noisy."

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Identity:
        return Identity(image_shape)
