"""Parts of a photo that are not there: erased to transparency, or cut out and filled with one colour."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from inverse.imaging import images
from inverse.imaging.colours import Profile

SMALLEST = 0.003
"""Share of the photo that a hole of one colour takes at least."""
SAMPLE = 200_000
"""Pixels that tell which colours are frequent."""
STEP = 16
"""Levels by which a hole differs from what is around it; the white of a sky fades out."""
AROUND = 0.85
"""Of a hole's rim, the part that has such a step at least."""


def find_holes(photo: Image.Image, alpha: Image.Image | None) -> np.ndarray:
    """(H, W), True where the photo is missing.

    Args:
        photo: RGB.
        alpha: its opacity, mode L, of the same size; None where it has none.
    """
    erased = np.zeros((photo.height, photo.width), bool) if alpha is None else np.asarray(alpha) < 128
    pixels = np.asarray(photo)
    red, green, blue = (each.astype(np.uint32) for each in cv2.split(pixels))
    packed = (red << 16) | (green << 8) | blue
    for colour in _colours(packed if alpha is None else packed[~erased]):
        erased |= _cut_out(pixels, packed == colour)
    return erased


def opacity(photo: images.Photo) -> Image.Image | None:
    """How opaque a photo is, upright and of mode L; None where it is so everywhere, or by its format."""

    def alpha(image: Image.Image, profile: Profile) -> Image.Image:
        if "A" not in image.getbands() and "transparency" not in image.info:
            return Image.new("L", image.size, 255)
        return image.convert("RGBA").getchannel("A")

    found = images.decoded(photo, alpha)
    return None if np.asarray(found).min() == 255 else found


def _colours(packed: np.ndarray) -> np.ndarray:
    """Whatever single colours many pixels have, four at most; a sample tells."""
    sample = packed.reshape(-1)
    sample = sample[:: max(1, sample.size // SAMPLE)]
    values, counts = np.unique(sample, return_counts=True)
    often = counts >= SMALLEST * max(sample.size, 1)
    return values[often][np.argsort(-counts[often])][:4]


def _cut_out(pixels: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Where a whole part of it has exactly one colour, the one that it has `where` that is, and ends sharply."""
    same, colour = where.astype(np.uint8), pixels[where][0].astype(np.int16)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((5, 5))))
    found = np.zeros(same.shape, bool)
    for label in range(1, min(count, 50)):
        if stats[label, cv2.CC_STAT_AREA] < SMALLEST * same.size:
            continue
        part = (labels == label).astype(np.uint8)
        rim = (cv2.dilate(part, np.ones((7, 7), np.uint8)) > 0) & (cv2.dilate(part, np.ones((3, 3), np.uint8)) == 0)
        differs = np.abs(pixels[rim].astype(np.int16) - colour).max(-1) >= STEP
        if rim.any() and differs.mean() >= AROUND:
            found |= part > 0
    return found
