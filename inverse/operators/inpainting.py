"""Missing pixels: a diagonal operator of zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ProblemError
from inverse.imaging import images, masks
from inverse.operators.base import Shape
from inverse.operators.selection import Selection
from inverse.operators.task import TASKS, Task
from inverse.parameters import choice, integer, real

NEGLIGIBLE = 0.04
"""Up to this sigma_y, 5 of 255 levels, noise counts as the photo's own grain, which stays where nothing is missing."""


def _keep_known(advanced: bool = True) -> Any:
    return choice(
        "auto", "auto", "always", "never",
        help="Keep known pixels exactly as they are in the photo: auto does so in a photo that is already degraded, "
        f"while its sigma_y is {NEGLIGIBLE:g} at most.",
        effect="Never lets all pixels change a little, which removes noise; always keeps the noise, too.",
        advanced=advanced,
    )  # fmt: skip


def _side_field(which: str) -> Any:
    return real(
        0.25, 0.02, 0.9, help=f"{which} of the missing box, as a share of the image.",
        effect="The larger, the more has to be invented.",
    )  # fmt: skip


def _place_field(along: str) -> Any:
    return real(
        0.5, 0.0, 1.0, help=f"Where the box sits {along}.",
        effect="Plain surroundings are easier to continue than a face or an edge.",
    )  # fmt: skip


class Mask(Selection):
    """H = diag(m), m in {0, 1}, (H, W): a measurement is the image with its missing pixels at 0, which is mid-grey."""

    channelwise = True

    def __init__(self, mask: Tensor, image_shape: Shape) -> None:
        self.mask = mask.reshape(1, 1, *mask.shape[-2:])
        self.image_shape = self.measurement_shape = tuple(image_shape)

    @property
    def entries(self) -> int:
        return int(self.mask.sum()) * self.image_shape[0]

    @property
    def missing(self) -> float:
        return 1 - float(self.mask.mean())

    def project(self, y: Tensor) -> Tensor:
        return self.mask * y

    def as_pictures(self, y: Tensor) -> Tensor:
        return y.masked_fill(self.mask.to(y.device) == 0, float("nan"))

    def __call__(self, x: Tensor) -> Tensor:
        return self.mask * x

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.mask * y

    @property
    def singular_values(self) -> Tensor:
        return self.mask


@dataclass(frozen=True)
class Inpaint(Task):
    """Base of the tasks whose operator is a mask; each of them declares `keep_known`, after its own parameters."""

    group = "Missing pixels"

    if TYPE_CHECKING:
        keep_known: str

    def keeps_known(self, sigma_y: float, degraded: bool) -> bool:
        automatic = degraded and sigma_y <= NEGLIGIBLE
        return self.keep_known == "always" or (self.keep_known == "auto" and automatic)


@TASKS.register
@dataclass(frozen=True)
class InpaintRandom(Inpaint):
    name = "inpaint-random"
    title = "Inpainting: random pixels"
    summary = "Most pixels are missing, scattered at random, the same in every colour."

    missing: float = real(
        0.7, 0.0, 0.99, help="Share of pixels that are missing.", effect="Above 0.9 fine detail cannot be recovered."
    )
    keep_known: str = _keep_known()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mask:
        drawn = torch.rand(image_shape[-2:], generator=generator)
        # One pixel is known in the smallest image too.
        return Mask((drawn >= min(self.missing, float(drawn.max()))).float(), image_shape)


@TASKS.register
@dataclass(frozen=True)
class InpaintBox(Inpaint):
    name = "inpaint-box"
    title = "Inpainting: box"
    summary = "A rectangle is missing."

    box_height: float = _side_field("Height")
    box_width: float = _side_field("Width")
    box_y: float = _place_field("vertically: 0 is the top, 1 the bottom")
    box_x: float = _place_field("horizontally: 0 is the left, 1 the right")
    keep_known: str = _keep_known()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mask:
        mask = torch.ones(image_shape[-2:])
        rows = _span(image_shape[-2], self.box_height, self.box_y)
        columns = _span(image_shape[-1], self.box_width, self.box_x)
        mask[rows, columns] = 0
        return Mask(mask, image_shape)


@TASKS.register
@dataclass(frozen=True)
class InpaintHalf(Inpaint):
    name = "inpaint-half"
    title = "Inpainting: half"
    summary = "One half of the image is missing."

    half: str = choice(
        "right",
        "left",
        "right",
        "top",
        "bottom",
        help="Which half is missing.",
        effect="Known on one side only, most of it is invented, and samples differ much.",
    )
    keep_known: str = _keep_known()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mask:
        height, width = image_shape[-2:]
        mask = torch.ones(height, width)
        missing = {
            "left": (slice(None), slice(0, width // 2)),
            "right": (slice(None), slice(width - width // 2, width)),
            "top": (slice(0, height // 2), slice(None)),
            "bottom": (slice(height - height // 2, height), slice(None)),
        }
        mask[missing[self.half]] = 0
        return Mask(mask, image_shape)


@TASKS.register
@dataclass(frozen=True)
class InpaintPeriodic(Inpaint):
    name = "inpaint-periodic"
    title = "Inpainting: every n-th pixel"
    summary = "Only every n-th pixel of every n-th row is known."

    period: int = integer(
        2, 2, 16, unit="pixels", help="Distance between known pixels, along rows and columns.",
        effect="Above 4 fine detail cannot be recovered.",
    )  # fmt: skip
    keep_known: str = _keep_known()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mask:
        mask = torch.zeros(image_shape[-2:])
        mask[:: self.period, :: self.period] = 1
        return Mask(mask, image_shape)


@TASKS.register
@dataclass(frozen=True)
class InpaintMask(Inpaint):
    name = "inpaint-mask"
    title = "Inpainting: your own mask"
    summary = f"You brush over or upload what is missing. {masks.WORDS}"
    auxiliary = "mask"

    keep_known: str = _keep_known(advanced=False)

    def load(self, picture: images.Photo, max_side: int | None = None) -> Image.Image:
        return masks.load(picture, max_side)

    def prepare(self, picture: Image.Image, size: tuple[int, int]) -> Tensor:
        return masks.fitted(picture, size)

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Mask:
        if auxiliary is None:
            raise ProblemError("This task needs a mask. Brush over the missing part or upload a mask picture.")
        if tuple(auxiliary.shape[-2:]) != tuple(image_shape[-2:]):
            found, wanted = _size(auxiliary.shape), _size(image_shape)
            raise ProblemError(f"The mask is {found} and the image {wanted}. Use a mask of the image's size.")
        known = (auxiliary < 0.5).float()
        if not known.any():
            raise ProblemError("The mask covers the whole image. Leave some of it known (black).")
        if known.all():
            raise ProblemError("The mask marks nothing as missing. Paint over what is to be filled in (white).")
        return Mask(known, image_shape)


def _span(size: int, share: float, position: float) -> slice:
    """Pixels covered by an interval of length share * size; position 0 touches the start, 1 the end."""
    length = max(1, round(share * size))
    start = round(position * (size - length))
    return slice(start, start + length)


def _size(shape: Shape) -> str:
    return f"{shape[-1]}x{shape[-2]}"
