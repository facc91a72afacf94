"""Scratches, cracks and hairs proposed as a mask: thin straight lines that are far brighter or darker than both sides.

A proposal to be edited: cables, masts and whiskers are thin lines too. Morphological top hats keep what is thinner than
their element (Serra 1982), a probabilistic Hough transform finds the lines in that (Matas, Galambos and Kittler 2000).
What is called a scratch without being asked is white or black besides.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from PIL import Image

from inverse.imaging import masks

WIDEST = 1 / 90
"""Of a scratch, as a share of the shorter side; four pixels at least."""
SHORTEST = 0.06
"""Of a scratch, as a share of the shorter side."""
LARGEST = 1_500
"""Longer side at which lines are looked for, in pixels; in a larger photo, what is thin is shrunk so that none is lost.
"""
WHITE, BLACK = 215, 32
"""Levels from which a line may be bare film or paper, and up to which it may be dirt."""
SLENDER = 12
"""Times that a clear one is longer than wide, at least."""
EVEN, COLOURLESS = 14.0, 45
"""Levels by which the brightness of a clear one varies along it, and by which its channels differ, at most."""


def find_scratches(photo: Image.Image, clear: bool = False) -> Image.Image:
    """A mask of the photo's size, mode L: 255 on what may be a scratch and within a pixel of it, 0 elsewhere.

    Args:
        photo: RGB.
        clear: only what can hardly be anything else.
    """
    found = np.zeros((photo.height, photo.width), np.uint8)
    channels = cv2.split(np.asarray(photo))
    low, high = cv2.min(cv2.min(*channels[:2]), channels[2]), cv2.max(cv2.max(*channels[:2]), channels[2])
    for sign, hat in zip((1, -1), hats(photo), strict=True):
        for strict in {True, clear}:
            found |= _lines(hat, low, high, sign, strict)
    return Image.fromarray(cv2.dilate(found, np.ones((3, 3), np.uint8)))


def hats(photo: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """By how much each pixel is brighter than what is around a thin line there, and darker, (H, W) on [0, 255]."""
    grey = np.asarray(photo.convert("L"))
    side = 2 * max(4, round(WIDEST * min(photo.size))) + 1
    element = np.ones((side, side), np.uint8)
    return (
        cv2.morphologyEx(grey, cv2.MORPH_TOPHAT, element),
        cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, element),
    )


def _lines(hat: np.ndarray, low: np.ndarray, high: np.ndarray, sign: int, clear: bool) -> np.ndarray:
    """Pixels of lines in one of the hats, (H, W), 255 there.

    `low` and `high` are the least and the largest channel of each pixel, `sign` is 1 for bright lines and -1 for dark.
    """
    whole = hat > max(_threshold(hat), 60 if clear else 30)
    if clear:
        whole &= (low >= WHITE) if sign > 0 else (high <= BLACK)
        whole &= cv2.subtract(high, low) <= COLOURLESS
    scale = min(1.0, LARGEST / max(hat.shape))
    height, width = (max(1, round(scale * side)) for side in hat.shape)
    if not whole.any():
        return np.zeros(hat.shape, np.uint8)
    thin = masks.cover(whole, (height, width)).astype(np.uint8) * 255
    shorter = min(thin.shape)
    length = max(12.0, SHORTEST * shorter * (2.0 if clear else 1.0))
    segments = cv2.HoughLinesP(
        thin, 1, math.pi / 360, threshold=max(10, round(0.6 * length)), minLineLength=length,
        maxLineGap=max(2, 0.05 * length),
    )  # fmt: skip
    near = np.zeros_like(thin)
    grey = cv2.resize(cv2.addWeighted(low, 0.5, high, 0.5, 0), (width, height), interpolation=cv2.INTER_AREA)
    grey = grey.astype(np.float32)
    for x0, y0, x1, y1 in [] if segments is None else segments.reshape(-1, 4).tolist():
        if _even(grey, (x0, y0), (x1, y1), sign, clear):
            cv2.line(near, (int(x0), int(y0)), (int(x1), int(y1)), 255, 2 * max(2, round(WIDEST * shorter / 2)) + 1)
    near = cv2.resize(near, hat.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(whole, near, 0).astype(np.uint8)


def _even(grey: np.ndarray, start: tuple[float, ...], end: tuple[float, ...], sign: int, clear: bool) -> bool:
    """Whether a line stands out from both its sides, all along, is of one brightness, and far longer than wide."""
    (x0, y0), (x1, y1) = start, end
    count = int(max(abs(x1 - x0), abs(y1 - y0))) + 1
    along = np.linspace(0, 1, count)[:, None] * np.array([x1 - x0, y1 - y0]) + np.array([x0, y0])
    across = np.array([y0 - y1, x1 - x0]) / max(math.hypot(x1 - x0, y1 - y0), 1)
    reach = max(4, round(WIDEST * min(grey.shape))) + 2
    profile = np.stack([_at(grey, along + offset * across) for offset in range(-reach, reach + 1)])
    core = (sign * profile[reach - 2 : reach + 3]).max(0)
    sides = np.maximum((sign * profile[:2]).mean(0), (sign * profile[-2:]).mean(0))
    width = float(np.median((sign * profile > (core + sides) / 2).sum(0)))
    even, height, part, times = (EVEN, 40, 0.85, SLENDER) if clear else (2 * EVEN, 25, 0.8, SLENDER / 2)
    return float(np.std(core)) <= even and float((core - sides > height).mean()) > part and count >= times * width


def _at(grey: np.ndarray, places: np.ndarray) -> np.ndarray:
    x, y = np.rint(places).astype(int).T
    return grey[y.clip(0, grey.shape[0] - 1), x.clip(0, grey.shape[1] - 1)]


def _threshold(hat: np.ndarray) -> float:
    """What hardly any texture reaches: some times the median of what is there."""
    return min(6 * float(np.median(hat)), 90.0)
