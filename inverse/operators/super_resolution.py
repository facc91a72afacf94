"""Fewer pixels: every s x s block of the image is replaced by its mean."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task
from inverse.parameters import integer


class BlockMean(LinearOperator):
    """H averages s x s blocks: H H^T = I / s^2, all singular values are 1 / s.

    Args:
        factor: s.
        image_shape: (C, H, W) with H and W multiples of s.
    """

    def __init__(self, factor: int, image_shape: Shape) -> None:
        channels, height, width = image_shape
        if height % factor or width % factor:
            raise ProblemError(
                f"An image of {width}x{height} cannot be split into blocks of {factor}. "
                f"Crop its sides to multiples of {factor}."
            )
        self.factor = factor
        self.image_shape = tuple(image_shape)
        self.measurement_shape = (channels, height // factor, width // factor)
        self.norm = 1 / factor

    def _repeat(self, y: Tensor) -> Tensor:
        return y.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def __call__(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.factor)

    def adjoint(self, y: Tensor) -> Tensor:
        return self._repeat(y) / self.factor**2

    def pinv(self, y: Tensor) -> Tensor:
        return self._repeat(y)

    def gain(self, r: Tensor, c: float) -> Tensor:
        return self._repeat(r) / (1 + c * self.factor**2)


@TASKS.register
@dataclass(frozen=True)
class SuperResolution(Task):
    name = "super-resolution"
    title = "Super-resolution"
    summary = "The image is small: every block of pixels was averaged into one."

    factor: int = integer(4, 2, 8, help="How many times larger the restored image is, a side.")

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> BlockMean:
        return BlockMean(self.factor, image_shape)

    @property
    def multiple(self) -> int:
        return self.factor

    def image_shape(self, measurement_size: tuple[int, int]) -> tuple[int, int]:
        height, width = measurement_size
        return height * self.factor, width * self.factor
