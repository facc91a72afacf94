"""Where a photo is damaged: windows of a bounded side around it, each with context, found by its mask alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

CELL = 8
"""Damage is told apart in cells of so many pixels a side: specks in neighbouring cells are one."""
MULTIPLE = 16
"""Sides of windows are multiples of this, so that many are of the same size and share a pass of the network."""


@dataclass(frozen=True)
class Box:
    """Rows top to bottom and columns left to right of a picture, the last ones not included."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def area(self) -> int:
        return self.height * self.width

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def around(self, other: Box) -> Box:
        """The smallest box with both in it."""
        return Box(
            min(self.top, other.top), min(self.left, other.left),
            max(self.bottom, other.bottom), max(self.right, other.right),
        )  # fmt: skip


def windows(missing: np.ndarray, side: int, context: int, wanted: np.ndarray | None = None) -> list[Box]:
    """Windows in which all that is missing lies, with so much context around it as the photo has.

    Damage that fits is never divided; what does not, as a long scratch, is followed by several windows. Those that are
    near are merged where the side allows it. Where windows overlap, their results are to be averaged by `weights`.

    Args:
        missing: (H, W), True where the photo is missing.
        side: the longest that a window may be, in pixels; more than twice the context.
        context: pixels around the damage.
        wanted: the part of it to restore; all when None.
    """
    height, width = missing.shape
    sought = missing if wanted is None else wanted
    if not sought.any():
        return []
    core = max(CELL, side - 2 * context - MULTIPLE)  # rounding to multiples takes the rest
    boxes = list(_boxes(sought, core))
    for axis in (0, 1, 0):
        boxes = _merged(boxes, core, axis)
    return _distinct([_grown(box, context, side, (height, width)) for box in boxes])


def weights(window: Box, context: int, size: tuple[int, int]) -> np.ndarray:
    """How much a window's result counts, (h, w) of float32: 1 inside, smoothly less through its context.

    Never 0; and not less towards an edge of the photo, whose `size` is (H, W).
    """
    down = _falling(window.height, context, window.top > 0, window.bottom < size[0])
    across = _falling(window.width, context, window.left > 0, window.right < size[1])
    return down[:, None] * across[None]


def _falling(length: int, context: int, before: bool, after: bool) -> np.ndarray:
    place, weight = np.arange(length, dtype=np.float32), np.ones(length, np.float32)
    for distance in [place] * before + [place[::-1]] * after:
        share = np.clip((distance + 1) / (context + 1), 0, 1)
        weight = weight * share**2
    return np.maximum(weight, np.float32(1e-4))


def _boxes(missing: np.ndarray, core: int) -> Iterable[Box]:
    """Of every piece of damage, or of its parts where it is longer than the core, tightly around it."""
    height, width = missing.shape
    padded = np.pad(missing, [(0, -length % CELL) for length in missing.shape])
    down, across = (length // CELL for length in padded.shape)
    cells = np.asarray(padded.reshape(down, CELL, across, CELL).any((1, 3)), np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    for label in range(1, count):
        left, top, wide, tall, _ = (int(value) for value in stats[label])
        for rows in _parts(top, tall, core // CELL):
            for columns in _parts(left, wide, core // CELL):
                found = labels[rows, columns] == label
                if found.any():
                    ys, xs = np.flatnonzero(found.any(1)), np.flatnonzero(found.any(0))
                    yield Box(
                        CELL * int(rows.start + ys[0]), CELL * int(columns.start + xs[0]),
                        min(height, CELL * int(rows.start + ys[-1] + 1)),
                        min(width, CELL * int(columns.start + xs[-1] + 1)),
                    )  # fmt: skip


def _parts(start: int, length: int, most: int) -> list[slice]:
    count = -(-length // most)
    edges = [start + length * index // count for index in range(count + 1)]
    return [slice(first, last) for first, last in pairwise(edges)]


def _merged(boxes: list[Box], core: int, axis: int) -> list[Box]:
    """Boxes joined with those that come next, along an axis within bands across it, as long as they fit together."""

    def order(box: Box) -> tuple[int, int]:
        return (box.top // core, box.left) if axis == 0 else (box.left // core, box.top)

    merged: list[Box] = []
    for box in sorted(boxes, key=order):
        together = merged[-1].around(box) if merged else box
        if merged and max(together.height, together.width) <= core:
            merged[-1] = together
        else:
            merged.append(box)
    return merged


def _grown(box: Box, context: int, side: int, size: tuple[int, int]) -> Box:
    """The box with its context, its sides rounded up to multiples as far as the photo and `side` allow it."""
    top, bottom = _stretched(box.top - context, box.bottom + context, side, size[0])
    left, right = _stretched(box.left - context, box.right + context, side, size[1])
    return Box(top, left, bottom, right)


def _stretched(start: int, end: int, side: int, length: int) -> tuple[int, int]:
    wished = min(max(-(-(end - start) // MULTIPLE) * MULTIPLE, MULTIPLE), max(side, end - start), length)
    start = min(max(0, start - (wished - (end - start)) // 2), length - wished)
    return start, start + wished


def _distinct(boxes: list[Box]) -> list[Box]:
    """The boxes that lie in no other, from the top down."""
    kept: list[Box] = []
    for box in sorted(set(boxes), key=lambda each: (-each.area, each.top, each.left)):
        if not any(k.top <= box.top and k.left <= box.left and k.bottom >= box.bottom and k.right >= box.right
                   for k in kept[-200:]):  # fmt: skip
            kept.append(box)
    return sorted(kept, key=lambda each: (each.top, each.left))
