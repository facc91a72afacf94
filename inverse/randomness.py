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


def normal(generators: Sequence[torch.Generator], shape: Sequence[int], like: Tensor) -> Tensor:
    """Standard normal numbers of shape (len(generators), *shape), one generator a sample.

    Drawn on the CPU in float32, so that a sample's are the same alone, in any batch and on any device of a machine.
    """
    drawn = torch.empty((len(generators), *shape), dtype=torch.float32)
    for sample, generator_of_it in zip(drawn, generators, strict=True):
        sample.normal_(generator=generator_of_it)
    return drawn.to(device=like.device, dtype=like.dtype)
