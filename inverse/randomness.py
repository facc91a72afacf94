"""Random numbers that depend on a seed and a purpose only, never on the device or on the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

MEASUREMENT, SOLVER = 0, 1


def generator(seed: int, *purpose: int) -> torch.Generator:
    """A CPU generator for one purpose, independent of every other purpose of the same seed, 0 <= seed < 2**32.

    The fourth sample of a run has the purpose (SOLVER, 3).
    """
    entropy = np.random.SeedSequence(seed, spawn_key=purpose).generate_state(1, np.uint64)[0]
    return torch.Generator("cpu").manual_seed(int(entropy >> 1))


CELL = 256
"""Side of the cells of a field, each of which has a generator of its own."""


class Field:
    """Standard normal numbers by place, for parts of a picture that is too large to be held as a whole.

    What two parts draw at the same turn is the same where they overlap. Numbers at another scale than the picture's,
    as those of a measurement of fewer pixels, have their place at that scale.

    Args:
        seed: as for `generator`, with the purpose.
        top, left: place of the part in the whole, in pixels.
        purpose: for what the numbers are.
    """

    def __init__(self, seed: int, top: int, left: int, *purpose: int) -> None:
        self.seed, self.top, self.left, self.purpose, self.turn = seed, top, left, purpose, 0
        self.size: tuple[int, int] | None = None

    def fill(self, sample: Tensor) -> None:
        """Draws the numbers of the next turn, (..., h, w); the first one tells the picture's own scale."""
        height, width = sample.shape[-2:]
        self.size = self.size or (height, width)
        top, left = (round(at * now / own) for at, now, own in
                     zip((self.top, self.left), (height, width), self.size, strict=True))  # fmt: skip
        for row in range(top // CELL, (top + height - 1) // CELL + 1):
            for column in range(left // CELL, (left + width - 1) // CELL + 1):
                own = generator(self.seed, *self.purpose, self.turn, row, column)
                drawn = torch.randn((*sample.shape[:-2], CELL, CELL), generator=own)
                y, x = row * CELL - top, column * CELL - left
                inside = drawn[..., max(0, -y) : height - y, max(0, -x) : width - x]
                sample[..., max(0, y) : y + CELL, max(0, x) : x + CELL] = inside
        self.turn += 1


Source = torch.Generator | Field
"""Of a sample's randomness."""


def normal(generators: Sequence[Source], shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal numbers of shape (len(generators), *shape), one generator a sample.

    Drawn on the CPU in float32, so that a sample's are the same alone, in any batch and on any device of a machine.
    """
    drawn = torch.empty((len(generators), *shape), dtype=torch.float32)
    for sample, generator_of_it in zip(drawn, generators, strict=True):
        if isinstance(generator_of_it, Field):
            generator_of_it.fill(sample)
        else:
            sample.normal_(generator=generator_of_it)
    return drawn.to(device=like.device, dtype=like.dtype)
