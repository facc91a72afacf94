"""Training examples: random crops at random scales, made beside the training and repeatable one by one."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.training.photos import Photos

OWN_SCALE = 0.2
"""Share of crops that keep the photograph's own pixels."""

LANCZOS_SUPPORT = 3
"""Pixels of the shrunk picture that the filter reads to each side."""


class Crops:
    """Batches of crops, each of which depends on the seed and its own index only.

    So there is no state to save: training that resumes at iteration i asks for batch i. A photograph is drawn by its
    weight, then a scale, log-uniform from its own size to `shrink` times smaller; then a place, and a mirroring. Some
    show the largest square of the photograph instead, however much that is shrunk.

    Args:
        photos: none smaller than the crop.
        crop: side of a crop in pixels.
        batch: crops a batch.
        shrink: the largest factor by which a photograph is shrunk.
        seed: of all of this.
        whole: share of the crops that show the largest square.
    """

    def __init__(self, photos: Photos, crop: int, batch: int, shrink: float, seed: int, whole: float = 0.0) -> None:
        self.photos, self.crop, self.batch, self.shrink, self.seed = photos, crop, batch, shrink, seed
        self.whole = whole
        cumulative = np.cumsum(photos.weights)
        self.cumulative = cumulative / cumulative[-1]

    def __getitem__(self, index: int) -> Tensor:
        """Batch number `index`, (batch, 3, crop, crop) uint8."""
        random = np.random.default_rng((self.seed, index))
        return torch.from_numpy(np.stack([self._draw(random) for _ in range(self.batch)]))

    def stream(self, start: int, stride: int = 1, threads: int = 1) -> Generator[Tensor, None, None]:
        """Batches start, start + stride, ... without end, a few made ahead in the background.

        Args:
            start: index of the first batch.
            stride: from one batch to the next.
            threads: that make batches; Pillow lets them run at once. The batches are the same with any number.
        """
        ahead = threads + 3
        with ThreadPoolExecutor(threads, thread_name_prefix="crops") as workers:
            try:
                waiting = deque(workers.submit(self.__getitem__, start + stride * k) for k in range(ahead))
                index = start + stride * ahead
                while True:
                    batch = waiting.popleft().result()
                    waiting.append(workers.submit(self.__getitem__, index))
                    index += stride
                    yield batch
            finally:
                workers.shutdown(wait=False, cancel_futures=True)

    def _draw(self, random: np.random.Generator) -> np.ndarray:
        photo = self.photos.pixels[int(np.searchsorted(self.cumulative, random.random(), side="right"))]
        height, width = photo.shape[:2]
        largest = min(self.shrink, min(height, width) / self.crop)
        exponent = (random.random() - OWN_SCALE) / (1 - OWN_SCALE)
        side = self.crop * largest**exponent if exponent > 0 else self.crop
        across, down, mirrored = random.random(), random.random(), random.random() < 0.5
        if self.whole and random.random() < self.whole:  # else nothing is drawn: crops are those of before
            side = min(height, width)
        if side == self.crop:
            top, left = int(down * (height - self.crop + 1)), int(across * (width - self.crop + 1))
            pixels = photo[top : top + self.crop, left : left + self.crop]
        else:
            pixels = self._shrunk(photo, across * (width - side), down * (height - side), side)
        pixels = pixels[:, ::-1] if mirrored else pixels
        return np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def _shrunk(self, photo: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
        """The square of that side, shrunk to a crop. Only the square and what Lanczos reads around it is copied."""
        height, width = photo.shape[:2]
        reach = math.ceil(LANCZOS_SUPPORT * side / self.crop) + 1
        x0, y0 = max(0, int(left) - reach), max(0, int(top) - reach)
        x1, y1 = min(width, math.ceil(left + side) + reach), min(height, math.ceil(top + side) + reach)
        box = (left - x0, top - y0, min(left - x0 + side, x1 - x0), min(top - y0 + side, y1 - y0))
        picture = Image.fromarray(np.ascontiguousarray(photo[y0:y1, x0:x1]))
        return np.asarray(picture.resize((self.crop, self.crop), Image.Resampling.LANCZOS, box=box))
