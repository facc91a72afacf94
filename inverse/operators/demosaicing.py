"""Raw sensor data: one colour a pixel, behind a Bayer filter."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import Shape
from inverse.operators.selection import Selection
from inverse.operators.task import TASKS, Task
from inverse.parameters import choice


class Mosaic(Selection):
    """H picks one channel at every pixel, (B, 3, H, W) -> (B, 1, H, W); H H^T = I.

    The pattern has the colours of the top left 2 x 2 pixels in reading order, e.g. "RGGB".
    """

    def __init__(self, pattern: str, image_shape: Shape) -> None:
        height, width = image_shape[-2:]
        self.image_shape = tuple(image_shape)
        self.measurement_shape = (1, height, width)
        colours = torch.tensor(["RGB".index(colour) for colour in pattern]).view(2, 2)
        colours = colours.repeat((height + 1) // 2, (width + 1) // 2)[:height, :width]
        self.picked = torch.stack([colours == channel for channel in range(3)]).double()

    def __call__(self, x: Tensor) -> Tensor:
        return (self.picked.to(x.dtype) * x).sum(1, keepdim=True)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.picked.to(y.dtype) * y

    def as_pictures(self, y: Tensor) -> Tensor:
        """One picture for each place in the filter's 2 x 2 pixels."""
        even = y[..., : y.shape[-2] // 2 * 2, : y.shape[-1] // 2 * 2]
        return torch.cat([even[..., i::2, j::2] for i in (0, 1) for j in (0, 1)], dim=1)

    @property
    def singular_values(self) -> Tensor:
        return self.picked

    def preview(self, y: Tensor) -> Tensor:
        """The mosaic in its colours, on black."""
        return self.measurement_to_spectral(y + 1) - 1

    def recoloured(self, picture: Tensor) -> Tensor:
        """The mosaic in a photo, be it grey, or coloured on black as in `preview`."""
        if picture.shape[1] != self.image_shape[0]:
            return picture
        if picture.shape[-2:] != self.picked.shape[-2:]:
            raise ProblemError("A mosaic that was shrunk has lost its colours. Use the raw data as they were.")
        return self(picture)


@TASKS.register
@dataclass(frozen=True)
class Demosaic(Task):
    name = "demosaic"
    title = "Demosaicing"
    group = "Raw measurements"
    summary = "Raw data of a camera sensor, which sees one colour a pixel."

    pattern: str = choice(
        "RGGB", "RGGB", "BGGR", "GRBG", "GBRG", help="Colours of the top left 2 x 2 pixels, in reading order.",
        effect="The wrong one swaps colours and leaves a checkerboard.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mosaic:
        if image_shape[0] != 3:
            raise ProblemError(f"A mosaic needs 3 channels and the image has {image_shape[0]}. Use a colour image.")
        return Mosaic(self.pattern, image_shape)
