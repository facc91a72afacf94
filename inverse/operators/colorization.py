"""Missing colour: every pixel is a weighted sum of its channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task
from inverse.parameters import choice

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in the brightness of a picture (ITU-R BT.601), as JPEG and Pillow use them."""


def weights_field(default: str) -> Any:
    return choice(
        default, "mean", "luma", advanced=True,
        help="How red, green and blue became grey: their plain mean, or the brightness that programs compute.",
        effect="The wrong one shifts brightness a little, most where the photo is blue or green.",
    )  # fmt: skip


class Grey(LinearOperator):
    """H = w^T at every pixel: one singular value, |w|, and as many null dimensions as there are other channels.

    The weights w, (C,), sum to 1, so that grey stays what it is.
    """

    pixelwise = True

    def __init__(self, weights: Tensor, image_shape: Shape) -> None:
        self.image_shape = tuple(image_shape)
        self.measurement_shape = (1, *image_shape[-2:])
        self.weights = weights.to(torch.float64).view(-1, 1, 1)
        self.norm = float(self.weights.norm())
        # An orthonormal basis of the channels whose first vector is w / |w|.
        others = torch.eye(len(weights), dtype=torch.float64)
        basis = torch.linalg.qr(torch.cat([self.weights.view(-1, 1), others], dim=1)).Q
        self.basis = basis * torch.sign(basis[:, :1].mT @ self.weights.view(-1, 1))
        self.values = torch.zeros(len(weights), 1, 1, dtype=torch.float64)
        self.values[0] = self.norm

    def __call__(self, x: Tensor) -> Tensor:
        return (self.weights.to(x.dtype) * x).sum(1, keepdim=True)

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        return (response(self.values[:1]) * self.weights / self.norm).to(y.dtype) * y

    def to_spectral(self, x: Tensor) -> Tensor:
        return torch.einsum("ck,bchw->bkhw", self.basis.to(x.dtype), x)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return torch.einsum("ck,bkhw->bchw", self.basis.to(coefficients.dtype), coefficients)

    @property
    def singular_values(self) -> Tensor:
        return self.values

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return torch.cat([y, y.new_zeros(y.shape[0], self.image_shape[0] - 1, *y.shape[2:])], dim=1)

    def recoloured(self, picture: Tensor) -> Tensor:
        """The grey of a photo, whether its channels are equal already or not."""
        return self(picture) if picture.shape[1] == self.image_shape[0] else picture


@TASKS.register
@dataclass(frozen=True)
class Colorize(Task):
    name = "colorize"
    title = "Colorization"
    group = "Colours and tones"
    summary = "The photo is black and white."

    weights: str = weights_field("mean")

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Grey:
        channels = image_shape[0]
        if self.weights == "mean":
            return Grey(torch.full((channels,), 1 / channels, dtype=torch.float64), image_shape)
        if channels != len(LUMA):
            raise ProblemError(f"Luma weights need 3 channels and the image has {channels}. Use the mean instead.")
        return Grey(torch.tensor(LUMA, dtype=torch.float64), image_shape)
