"""Measurement noise: adding it, and estimating it in a real photo."""

from __future__ import annotations

import math

import torch
from skimage.restoration import estimate_sigma
from torch import Tensor

from inverse.operators.base import Operator
from inverse.parameters import Real

SIGMA_Y = Real(
    help="Standard deviation of the noise in the measurement, for pixels from -1 to 1 (half of it for pixels from 0 to "
    "1, times 127.5 for pixels from 0 to 255).",
    effect="Too low keeps the noise; too high smooths details away.",
    low=0.0,
    high=1.0,
)


def add_gaussian(y: Tensor, sigma_y: float, operator: Operator, generator: torch.Generator) -> Tensor:
    """y + sigma_y * n on the entries that are measured; n is drawn on the CPU."""
    noise = torch.randn(y.shape, generator=generator, dtype=torch.float32).to(y)
    return operator.restrict(y + sigma_y * noise)


def estimate(y: Tensor) -> float:
    """Standard deviation of the noise in a picture (1, C, H, W) on [-1, 1], by its finest wavelets (Donoho 1994).

    At least 0.01: eight-bit pixels, and the faults of any assumed operator, are never cleaner.
    """
    picture = y[0].permute(1, 2, 0).cpu().numpy()
    if min(picture.shape[:2]) < 4:
        return 0.01
    sigma = float(estimate_sigma(picture, average_sigmas=True, channel_axis=-1))
    return min(max(sigma, 0.01), 1.0) if math.isfinite(sigma) else 0.01
