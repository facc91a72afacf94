"""The entry: kernel and sharp picture in turns, from a shrunk photo to the photo itself.

The alternation is that of Cho and Lee 2009, Fast motion deblurring, ACM Trans. Graphics 28, with the image step of Xu,
Zheng and Jia 2013, Unnatural L0 sparse representation for natural image deblurring, CVPR; the kernel step is solved
exactly under its constraints.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import torch
from PIL import Image
from torch import Tensor

from inverse.blind import kernels, latent, part
from inverse.errors import ProblemError
from inverse.imaging import images
from inverse.operators import noise
from inverse.parameters import Integer, Real

KERNEL_SIZE = Integer(
    help="Side of the square within which a point was spread; a little larger than the blur looks.",
    effect="Too small cuts the blur off; too large takes longer and is less sure.",
    unit="pixels", low=3, high=61,
)  # fmt: skip
DEFAULT_SIZE = 31
CONFIDENCE = Real(
    help="How similar the kernels must be that two halves of the photo tell, each by itself.",
    effect="Too low takes a wrong kernel for the blur; too high refuses one that would do.",
    low=0.0, high=1.0,
)  # fmt: skip
TRUSTED = 0.7
"""Default of that; docs/blur.md says what it separates."""
ERRORS = 0.03
"""Standard deviation of what a usual estimate leaves unexplained, for pixels from -1 to 1."""
SHARP = 0.75
"""Similarity to a kernel of one pixel from which nothing is blurred: that of a Gaussian of std 0.75."""
SMALLEST, SCALE = 3, math.sqrt(0.5)
"""Side of the kernel in the most shrunk photo, and the ratio of the scales."""
TURNS = 5
"""Of image and kernel step at every scale."""
PRICE, CHEAPER, LEAST_PRICE = 0.02, 1.1, 7e-4
"""Of an edge, on [0, 1]: at the start, the factor by which it falls every turn, and its least value."""
NOISY = 4.0
"""Times the variance of the noise that an edge costs at least."""


@dataclass(frozen=True)
class KernelEstimate:
    """What a photo was blurred by, as far as it tells.

    Attributes:
        kernel: (n, n), odd n, non-negative, float64, summing to 1, its centre of mass in the middle; for the photo's
            own resolution.
        confidence: similarity from 0 to 1 of the kernels that two halves of the photo tell, each by itself.
        noise: standard deviation of the photo's noise, for pixels from -1 to 1.
    """

    kernel: Tensor
    confidence: float
    noise: float

    @property
    def sigma_y(self) -> float:
        """That to restore by, to three digits: what the kernel gets wrong counts as noise, and leaves fewer rings."""
        return round(math.hypot(self.noise, ERRORS), 3)

    @property
    def image(self) -> Image.Image:
        """The picture that the task `deblur-kernel` takes: mode L, its brightest pixel white."""
        return Image.fromarray((self.kernel / self.kernel.max() * 255).round().to(torch.uint8).numpy())

    @property
    def words(self) -> str:
        """What was found, and what it holds for."""
        return (
            f"Two halves of the photo agree on it by {self.confidence:.0%}. It is one blur for the whole photo: where "
            "parts of it are blurred differently, as by depth or by what moved, some of them suffer."
        )


def estimate_kernel(
    photo: images.Photo, size: int = DEFAULT_SIZE, sigma_y: float | None = None, confidence: float = TRUSTED
) -> KernelEstimate:
    """The blur kernel of a photo, told from the photo alone, where one blur lies over all of it.

    It is found by the brightness of at most 640 x 640 pixels, those with the strongest edges, at the photo's own
    resolution: shrink the photo, and the kernel shrinks too. A kernel is known up to a shift.

    Args:
        photo: as `images.load` takes it.
        size: side of the square in which the kernel lies, 3-61 pixels; an even one counts as the next odd one.
        sigma_y: standard deviation of the noise, for pixels from -1 to 1; estimated if None.
        confidence: below this similarity of what two halves tell, 0-1, nothing is returned; 0 takes anything.

    Raises:
        ImageError: the photo cannot be read.
        ParameterError: a number is out of its range.
        ProblemError: the photo is too small for such a kernel, has nothing on it whose blur could be seen, is sharp,
            or its halves disagree.
    """
    size = KERNEL_SIZE.check("size", size) // 2 * 2 + 1
    wanted = CONFIDENCE.check("confidence", confidence)
    luma = part.busiest(photo)
    known = noise.estimate(2 * luma[None, None] - 1) if sigma_y is None else noise.SIGMA_Y.check("sigma_y", sigma_y)
    part.demand(luma, size, known / 2)
    kernel = estimated(luma, size, known / 2)
    if float(kernel.max() / kernel.norm()) > SHARP:
        raise ProblemError(
            "This photo is sharp: what is found on it blurs less than a pixel. There is nothing to undo."
        )
    agreement = kernels.similarity(*(estimated(half, size, known / 2) for half in part.halves(luma)))
    if agreement < wanted:
        raise ProblemError(
            f"What blurred this photo is not sure: two halves of it agree by {agreement:.0%} only. The blur differs "
            "from part to part, or too few edges tell it. Choose another kernel size, crop the photo to a part that "
            "is blurred in one way, or draw the kernel yourself."
        )
    return KernelEstimate(kernel, agreement, known)


def estimated(luma: Tensor, size: int, sigma: float = 0.0) -> Tensor:
    """The kernel of a picture, (size, size) as in `KernelEstimate`, whatever it is worth.

    Args:
        luma: (h, w) on [0, 1].
        size: odd.
        sigma: standard deviation of its noise, on [0, 1].
    """
    kernel, price = None, PRICE
    for scale, side in _scales(size):
        picture = _shrunk(luma, scale)
        height, width = picture.shape
        whole = latent.periodic(picture, side)
        inside = torch.zeros_like(whole)
        inside[: height - 1, : width - 1] = 1
        blurred = latent.gradients(whole) * inside
        flat = torch.full((side, side), 1 / side**2, dtype=torch.float64)
        kernel = flat if kernel is None else kernels.resized(kernel, side)
        for _ in range(TURNS):
            sharp = latent.gradients(latent.sharpened(whole, kernel, price)) * inside
            kernel = kernels.cleaned(kernels.fitted(latent.strongest(sharp, side), blurred, kernel))
            price = max(price / CHEAPER, LEAST_PRICE, NOISY * sigma**2)
    assert kernel is not None
    return kernel


def _scales(size: int) -> Iterator[tuple[float, int]]:
    """Scales of the photo, the smallest first, and the kernel's side there."""
    for level in range(math.floor(math.log(SMALLEST / size) / math.log(SCALE)), -1, -1):
        scale = SCALE**level
        yield scale, max(SMALLEST, round(size * scale) // 2 * 2 + 1)


def _shrunk(picture: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return picture
    size = (max(8, round(picture.shape[1] * scale)), max(8, round(picture.shape[0] * scale)))
    return torch.from_numpy(cv2.resize(picture.numpy(), size, interpolation=cv2.INTER_AREA))
