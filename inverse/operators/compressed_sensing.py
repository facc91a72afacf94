"""Compressed sensing: far fewer numbers than pixels, each a random mixture of them all."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task
from inverse.operators.transforms import dct, idct
from inverse.parameters import real


class RandomRows(LinearOperator):
    """H = R F S: random signs S, the orthonormal cosine transform F, a random choice R of its rows; H H^T = I.

    S is (H, W); R is indices into the H * W coefficients of one channel, all different.

    A structurally random matrix (Do, Gan, Nguyen and Tran, IEEE Trans. Signal Processing 2012): nothing but the signs
    and the chosen rows is stored, and both are the same for every channel.
    """

    norm = 1.0
    measures_pictures = False

    def __init__(self, signs: Tensor, rows: Tensor, image_shape: Shape) -> None:
        self.signs, self.rows = signs, rows
        self.image_shape = tuple(image_shape)
        self.measurement_shape = (image_shape[0], len(rows))

    def __call__(self, x: Tensor) -> Tensor:
        return self.to_spectral(x).flatten(-2)[..., self.rows]

    def to_spectral(self, x: Tensor) -> Tensor:
        return dct(x * self.signs.to(x.dtype))

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return idct(coefficients) * self.signs.to(coefficients.dtype)

    @property
    def singular_values(self) -> Tensor:
        return self.measurement_to_spectral(self.signs.new_ones(1, len(self.rows)))

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        height, width = self.image_shape[-2:]
        coefficients = y.new_zeros(*y.shape[:-1], height * width)
        coefficients[..., self.rows] = y
        return coefficients.unflatten(-1, (height, width))

    def preview(self, y: Tensor) -> Tensor:
        """The adjoint of y: the image that explains y with the least energy."""
        return self.adjoint(y)


@TASKS.register
@dataclass(frozen=True)
class CompressedSensing(Task):
    name = "compressed-sensing"
    title = "Compressed sensing"
    group = "Raw measurements"
    summary = "Only a few random mixtures of all pixels were measured."

    ratio: float = real(
        0.25, 0.05, 0.5, help="How many numbers were measured, as a share of the number of pixels.",
        effect="Below 0.1 only the coarse shape can be recovered.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> RandomRows:
        height, width = image_shape[-2:]
        signs = torch.randint(2, (height, width), generator=generator).float() * 2 - 1
        rows = torch.randperm(height * width, generator=generator)[: max(1, round(self.ratio * height * width))]
        return RandomRows(signs, rows.sort().values, image_shape)
