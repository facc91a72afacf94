"""Missing colour, and a few strokes that say which: brightness is measured everywhere, colour where strokes reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from inverse.errors import ProblemError
from inverse.imaging import images, strokes
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.colorization import LUMA, Grey, weights_field
from inverse.operators.spreading import REACHED, share, spread_colours
from inverse.operators.task import TASKS, Task
from inverse.parameters import flag, real

NEEDED = f"This task needs strokes of colour. Paint some, or upload a picture of them. {strokes.WORDS}"
DRAWN = 8
"""Strokes that are drawn at random where nobody gave any."""


class Colours(LinearOperator):
    """H = |w| V^T with some rows left out: at every pixel w^T x, and two directions of colour where `known` is 1.

    V is an orthonormal basis of the channels that begins with w / |w|. A measurement, (3, H, W), has brightness first;
    colours that are not measured are 0 in it.

    Args:
        grey: the weights, and V.
        marks: (H, W), 1 under a stroke.
        colours: red, green and blue of the strokes, (3, H, W) on [-1, 1]; None where the image itself tells them.
        reach: how far strokes reach, as in `spread_colours`.
        invent: colours that no stroke reaches are not measured; otherwise they are measured as grey.
    """

    pixelwise = True
    alters_noise = True  # which is spread along with the colours

    def __init__(self, grey: Grey, marks: Tensor, colours: Tensor | None, reach: float, invent: bool) -> None:
        self.grey = grey
        self.image_shape = self.measurement_shape = tuple(grey.image_shape)
        self.norm = grey.norm
        self.marks = marks.to(torch.float64).view(1, 1, *marks.shape[-2:])
        self.colours = None if colours is None else colours.to(torch.float64).view(1, *colours.shape[-3:])
        self.reach, self.invent = reach, invent
        self.known = self.marks if invent else torch.ones_like(self.marks)

    def fitted_to(self, picture: Tensor) -> Self:
        if not self.invent:
            return self
        reached = [self._carried(one[None], self.colours)[1] >= REACHED for one in picture]
        fitted = self.to(self.known.device, self.known.dtype)
        fitted.known = torch.stack(reached).all(0).to(self.known).view_as(self.known)
        return fitted

    @property
    def entries(self) -> int:
        return self.marks.numel() + 2 * int(self.known.sum())

    def __call__(self, x: Tensor) -> Tensor:
        return self.norm * self.project(self.to_spectral(x))

    def project(self, y: Tensor) -> Tensor:
        return torch.cat([y[:, :1], self.known.to(y.dtype) * y[:, 1:]], dim=1)

    @property
    def singular_values(self) -> Tensor:
        return self.norm * torch.cat([torch.ones_like(self.known), self.known, self.known], dim=1)

    def to_spectral(self, x: Tensor) -> Tensor:
        return self.grey.to_spectral(x)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return self.grey.from_spectral(coefficients)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.project(y)

    def as_pictures(self, y: Tensor) -> Tensor:
        return y[:, :1]

    def preview(self, y: Tensor) -> Tensor:
        return torch.where(self.known.to(y.device) > 0, self.pinv(y), y[:, :1])

    def recoloured(self, picture: Tensor) -> Tensor:
        return picture

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        """What a photo would tell of which strokes had the colours of x: those are taken there, and spread."""
        noisy = disturb(self.norm * self.to_spectral(x))
        seen = self.from_spectral(noisy / self.norm)
        return torch.cat([self._told(one[None], None) for one in seen])

    def _read(self, picture: Tensor) -> Tensor:
        if self.colours is None:
            raise ProblemError(NEEDED)
        return self._told(picture, self.colours.to(picture))

    def _told(self, picture: Tensor, colours: Tensor | None) -> Tensor:
        """The measurement in the grey of a picture and in strokes, whose colours may be its own."""
        light = self.grey(picture)
        tint, influence = self._carried(picture, colours)
        if not self.invent:
            tint = tint * share(influence)
        return self(light + _in_range(tint, light))

    def _carried(self, picture: Tensor, colours: Tensor | None) -> tuple[Tensor, Tensor]:
        """Colours beside grey, (1, 3, H, W), and the influence of strokes, (H, W)."""
        colours = picture if colours is None else colours.to(picture)
        tint = colours - self.grey(colours)
        tint, influence = spread_colours(self.grey(picture)[0, 0], self.marks[0, 0], tint[0], self.reach)
        return tint[None], influence


def _in_range(tint: Tensor, light: Tensor) -> Tensor:
    """Colours beside grey, made as much paler as their pixel is too bright or too dark for them."""
    room = torch.where(tint > 0, 1 - light, 1 + light).clamp_min(0)
    most = torch.where(tint != 0, room / tint.abs().clamp_min(1e-12), torch.inf).amin(1, keepdim=True)
    return tint * most.clamp_max(1)


@TASKS.register
@dataclass(frozen=True)
class ColorizeStrokes(Task):
    """A black-and-white photo with strokes of colour on it; parameters as declared, `auxiliary` is (4, H, W)."""

    name = "colorize-strokes"
    title = "Colorization by hand"
    group = "Colours and tones"
    summary = f"The photo is black and white, and you paint a few strokes of colour. {strokes.WORDS}"
    auxiliary = "strokes"
    learnable = False  # strokes are what somebody wants
    alone = True

    reach: float = real(
        0.5, 0.0, 1.0, help="How far strokes reach over pixels as bright as theirs: 0 colours what is painted and "
        "nothing else, a half reaches a part of the photo, 1 everything.",
        effect="Too low leaves grey patches; too high carries colours into what has none.",
    )  # fmt: skip
    invent: bool = flag(
        False, help="Let the prior choose colours where no stroke reaches, which stay grey otherwise.",
        effect="On gives other parts colours that nobody asked for.",
    )  # fmt: skip
    weights: str = weights_field("luma")

    def load(self, picture: images.Photo, max_side: int | None = None) -> Image.Image:
        return strokes.load(picture, max_side)

    def prepare(self, picture: Image.Image, size: tuple[int, int]) -> Tensor:
        return strokes.fitted(picture, size)

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Colours:
        """As of every task; without strokes a few are drawn at random, with the colours of the image measured."""
        channels, height, width = image_shape
        if channels != len(LUMA):
            raise ProblemError(f"Strokes need 3 channels and the image has {channels}. Give it a picture in RGB.")
        weights = torch.tensor(LUMA if self.weights == "luma" else (1 / 3,) * 3, dtype=torch.float64)
        grey = Grey(weights, image_shape)
        if auxiliary is None:
            return Colours(grey, drawn((height, width), generator), None, self.reach, self.invent)
        if tuple(auxiliary.shape) != (4, height, width):
            raise ProblemError(
                f"The strokes are {'x'.join(map(str, auxiliary.shape))} (channels x height x width) and the image "
                f"needs 4x{height}x{width}. Use a picture of the image's size."
            )
        if not (auxiliary[3] > 0).any():
            raise ProblemError("There is no stroke in this picture. Paint some of the photo in colour.")
        return Colours(grey, (auxiliary[3] > 0).float(), 2 * auxiliary[:3] - 1, self.reach, self.invent)


def drawn(size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """A few short strokes at random, (H, W), 1 under them."""
    height, width = size
    picture = Image.new("L", (width, height))
    draw, longest = ImageDraw.Draw(picture), max(size)
    for x, y, turn in torch.rand(DRAWN, 3, generator=generator, dtype=torch.float64).tolist():
        start = x * (width - 1), y * (height - 1)
        end = start[0] + longest / 8 * np.cos(np.pi * turn), start[1] + longest / 8 * np.sin(np.pi * turn)
        draw.line((*start, *end), 255, max(1, longest // 64))
    return torch.from_numpy(np.array(picture)).float() / 255
