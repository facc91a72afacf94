"""Which part of a photo is asked for its blur, and whether it can tell."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.imaging import images
from inverse.operators.colorization import LUMA

LARGEST = 640
"""Side in pixels of the part that is looked at: the blur is the same everywhere, and so the busiest part tells most."""
TIMES = 4
"""Sides of the kernel that the photo has along its shorter side, at least."""
FLAT = 0.02
"""Standard deviation on [0, 1], beyond the noise, below which there is nothing whose blur could be seen."""


def busiest(photo: images.Photo) -> Tensor:
    """The brightness of the part with the strongest edges, (h, w) on [0, 1], at the photo's own resolution.

    Raises:
        ImageError: the photo cannot be read.
    """
    picture = images.load(photo)
    width, height = min(picture.width, LARGEST), min(picture.height, LARGEST)
    grey = torch.tensor(LUMA)[:, None, None]
    luma = ((images.to_tensor(picture)[0] + 1) / 2 * grey).sum(0)
    strength = torch.hypot(*torch.gradient(luma)).clamp_max(0.1)  # a single bright lamp is no texture
    sums = torch.from_numpy(cv2.integral(strength.numpy()))
    inside = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    top, left = divmod(int(inside.argmax()), inside.shape[1])
    return luma[top : top + height, left : left + width].contiguous()


def demand(luma: Tensor, size: int, sigma: float) -> None:
    """Refuses what cannot tell its blur.

    Args:
        luma: (h, w) on [0, 1].
        size: of the kernel, in pixels.
        sigma: standard deviation of the noise, on [0, 1].

    Raises:
        ProblemError: it is too small, or nothing is on it.
    """
    height, width = luma.shape
    if min(height, width) < TIMES * size:
        raise ProblemError(
            f"The photo is {width}x{height}, and {TIMES * size} pixels a side are needed to tell a blur of up to "
            f"{size}. Choose a smaller kernel size, or a larger photo."
        )
    if float(luma.std()) < FLAT + sigma:
        raise ProblemError(
            "There is nothing on this photo whose edges could tell its blur. Choose a photo with more on it, or draw "
            "the kernel yourself: what one bright point became, bright on black."
        )


def halves(luma: Tensor) -> tuple[Tensor, Tensor]:
    """The left and the right half, or the upper and the lower one of a tall picture."""
    height, width = luma.shape
    first, second = luma.split((width + 1) // 2, 1) if width >= height else luma.split((height + 1) // 2, 0)
    return first.contiguous(), second.contiguous()
