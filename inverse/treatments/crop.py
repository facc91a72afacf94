"""The part of a photo on which treatments are told apart: where the damage is, or else where the most detail is.

Detail is the gradient of the brightness beyond what the noise has of it, strong edges counting no more than middling
ones: a sky has none, grainy or not, and one bright lamp is not worth more than a face.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from inverse.operators import Task
from inverse.operators.chain import Chain
from inverse.operators.inpainting import InpaintPeriodic

BLOCK = 16
"""Pixels to whose multiples a part begins: a part of a JPEG has its blocks where the whole photo has them."""
SMOOTHED = 1.0
"""Std in pixels of what takes noise off before detail is measured."""
LEFT = 0.2
"""Of noise, the std of its gradient after that, as a share of its own."""
STRONG = 24.0
"""Levels a pixel from which an edge is no stronger."""
AS_GOOD = 0.95
"""Share of the best part's worth from which another one, nearer to the middle, is taken."""
MISSING = 0.4
"""Share of a part from which more that is missing tells no more: its surroundings are to be seen, too."""


class Box(NamedTuple):
    """A part of a picture in pixels, as Pillow's `crop` takes it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> tuple[int, int]:
        """(W, H)."""
        return self.right - self.left, self.bottom - self.top


def grid(damage: Task) -> int:
    """The pixels to whose multiples a part of the measurement begins, so that the damage lies in it as in the whole."""
    links = damage.links if isinstance(damage, Chain) else (damage,)
    return math.lcm(BLOCK, *(link.period for link in links if isinstance(link, InpaintPeriodic)))


def telling_box(
    photo: Image.Image, side: int, sigma_y: float = 0.0, missing: np.ndarray | None = None, step: int = BLOCK
) -> Box:
    """The square that tells most; the same for the same picture. Of several as good the one nearest to the middle.

    Args:
        photo: RGB, at the size at which it is restored.
        side: of the square in pixels; the whole width or height where the photo has less.
        sigma_y: standard deviation of the photo's noise, on [-1, 1].
        missing: (H, W), True where nothing is known; what lies there is what is looked for then.
        step: pixels to whose multiples it begins.
    """
    size = (photo.width, photo.height)
    width, height = (min(side, whole) for whole in size)
    lefts, tops = (np.arange(0, whole - part + 1, step) for whole, part in zip(size, (width, height), strict=True))

    def share(of: np.ndarray) -> np.ndarray:
        """The mean in every square."""
        sums = cv2.integral(of.astype(np.float64))
        corners = [sums[np.ix_(tops + down, lefts + right)] for down in (0, height) for right in (0, width)]
        return (corners[3] - corners[2] - corners[1] + corners[0]) / (width * height)

    seen = detail(photo, 127.5 * sigma_y)
    if missing is None or not missing.any():
        worth = share(seen)
    else:
        gone = share(missing)
        worth = np.minimum(gone, MISSING) / min(gone.max(), MISSING) * (1 + 0.25 * share(seen * ~missing) / STRONG)
        worth[gone > 0.9] = 0  # nothing is known there to go by
    off = np.hypot(*np.meshgrid(lefts + (width - size[0]) / 2, tops + (height - size[1]) / 2))
    off[worth < AS_GOOD * worth.max()] = np.inf
    row, column = np.unravel_index(np.argmin(off), off.shape)
    left, top = int(lefts[column]), int(tops[row])
    return Box(left, top, left + width, top + height)


def box_at(size: tuple[int, int], at: tuple[float, float], side: int, step: int = BLOCK) -> Box:
    """The square around a place, within a picture of `size`, (W, H); `at` is shares of the width and the height."""
    begins = []
    for whole, place in zip(size, at, strict=True):
        part = min(side, whole)
        begin = min(max(place * whole - part / 2, 0), whole - part)
        begins.append((int(begin // step) * step, part))
    (left, width), (top, height) = begins
    return Box(left, top, left + width, top + height)


def detail(photo: Image.Image, noise: float) -> np.ndarray:
    """(H, W), how much detail is at each pixel, in levels of brightness a pixel, 0 to STRONG; noise in levels."""
    luma = cv2.GaussianBlur(np.asarray(photo.convert("L"), np.float32), (0, 0), SMOOTHED)
    gradient = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(luma, cv2.CV_32F, 0, 1) / 8)
    return (gradient - 3 * LEFT * noise).clip(0, STRONG)
