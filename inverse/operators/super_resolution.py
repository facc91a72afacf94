"""Fewer pixels: every s x s block of the image is replaced by its mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task
from inverse.operators.transforms import block_dct, block_idct
from inverse.parameters import integer


class BlockMean(LinearOperator):
    """H averages s x s blocks, s the factor, of which sides are multiples: H H^T = I / s^2, singular values are 1 / s.

    Its right singular vectors are the cosine transform of every block; what is measured is the constant one.
    """

    pixelwise = channelwise = True

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
        self.values = torch.full((1, height // factor, width // factor), self.norm, dtype=torch.float64)

    @property
    def taps(self) -> tuple[Tensor, Tensor]:
        """Where along an axis the pixels lie that make one, from its middle, and their weights, (T,) each."""
        places = torch.arange(self.factor, dtype=torch.float64) - (self.factor - 1) / 2
        return places, torch.full_like(places, 1 / self.factor)

    def __call__(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(x, self.factor)

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        filtered = response(self.values).to(y.dtype) * y * self.norm
        return filtered.repeat_interleave(self.factor, -1).repeat_interleave(self.factor, -2)

    def to_spectral(self, x: Tensor) -> Tensor:
        return block_dct(x, self.factor)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return block_idct(coefficients, self.factor)

    @property
    def singular_values(self) -> Tensor:
        return self._constant_terms(self.values)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self._constant_terms(y)

    def _constant_terms(self, values: Tensor) -> Tensor:
        """One value a block at the place of the block's constant coefficient, 0 at the others."""
        height, width = self.image_shape[-2:]
        coefficients = values.new_zeros(*values.shape[:-2], height, width)
        coefficients[..., :: self.factor, :: self.factor] = values
        return coefficients


@dataclass(frozen=True)
class Enlarge(Task):
    """Base of the tasks whose measurement is a smaller picture."""

    group = "Low resolution"

    factor: int = integer(
        4, 2, 8, help="How many times larger the restored image is, a side.",
        effect="Too low leaves the photo small; the higher, the more detail is invented.",
    )  # fmt: skip

    @property
    def multiple(self) -> int:
        return self.factor

    def image_shape(self, measurement_size: tuple[int, int]) -> tuple[int, int]:
        height, width = measurement_size
        return height * self.factor, width * self.factor

    def measurement_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        height, width = image_size
        return height // self.factor, width // self.factor


@TASKS.register
@dataclass(frozen=True)
class SuperResolution(Enlarge):
    name = "super-resolution"
    title = "Super-resolution"
    summary = "The image is small: every block of pixels was averaged into one."

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> BlockMean:
        return BlockMean(self.factor, image_shape)
