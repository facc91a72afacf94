"""Lost tones: clipped lights and shadows, and few levels of brightness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import Shape, StraightThrough
from inverse.operators.task import TASKS, Task
from inverse.parameters import choice, integer, real


class Clipping(StraightThrough):
    """A(x) = clip(e x, -1, 1), or min(e (x + 1), 2) - 1 where only highlights clip.

    The surrogate does not clip. The misfit's gradient is then that of the distance to all images that fit: none where
    image and measurement are clipped alike, and back into the range where only the image is. The true derivative, 0
    wherever the image clips, would leave it stuck there. No measurement lies outside the range, noise or not.

    Args:
        exposure: e >= 1.
        highlights_only: black stays black, as in an overexposed photo; otherwise mid-grey stays what it is.
    """

    def __init__(self, exposure: float, highlights_only: bool, image_shape: Shape) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.highlights_only = highlights_only
        self.norm = exposure

    def exact(self, x: Tensor) -> Tensor:
        return self.project(self.surrogate(x))

    def surrogate(self, x: Tensor) -> Tensor:
        return self.norm * (x + 1) - 1 if self.highlights_only else self.norm * x

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        return self.project(disturb(self.surrogate(x)))

    def project(self, y: Tensor) -> Tensor:
        return y.clamp(max=1) if self.highlights_only else y.clamp(-1, 1)


class Levels(StraightThrough):
    """Rounds to 2^bits levels, evenly spaced from -1 to 1. The surrogate is the identity."""

    norm = 1.0

    def __init__(self, bits: int, image_shape: Shape) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.steps = 2**bits - 1
        # Three standard deviations of it do not leave a level from its middle.
        self.hidden_noise = 2 / self.steps / 6

    def exact(self, x: Tensor) -> Tensor:
        return ((x.clamp(-1, 1) + 1) / 2 * self.steps).round() / self.steps * 2 - 1

    def surrogate(self, x: Tensor) -> Tensor:
        return x


@TASKS.register
@dataclass(frozen=True)
class HighDynamicRange(Task):
    name = "hdr"
    title = "Clipped tones (HDR)"
    group = "Colours and tones"
    summary = "The contrast was too high: the brightest or darkest parts are plain white or black."
    linear = False

    exposure: float = real(
        2.0, 1.0, 8.0, help="By how much brightness was multiplied before it was clipped.",
        effect="Too low leaves the result too bright and flat; too high makes it dark.",
    )  # fmt: skip
    clipped: str = choice(
        "both", "both", "highlights",
        help="What was clipped: highlights and shadows alike, which is what papers compute, or highlights only, "
        "as in an overexposed photo.",
        effect="The wrong one takes clipped parts for measured ones, which then stay plain.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Clipping:
        return Clipping(self.exposure, self.clipped == "highlights", image_shape)


@TASKS.register
@dataclass(frozen=True)
class BitDepth(Task):
    name = "bit-depth"
    title = "Few colours (bit depth)"
    group = "Colours and tones"
    summary = "Every colour has only a few levels, so that smooth areas show bands."
    linear = False

    bits: int = integer(
        3,
        1,
        8,
        help="Bits of each colour: 1 gives 2 levels, 3 gives 8.",
        effect="Too few smooth real detail away; too many leave the bands.",
    )

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Levels:
        return Levels(self.bits, image_shape)
