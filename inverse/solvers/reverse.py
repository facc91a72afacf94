"""Steps of the reverse process from sigma to sigma_next < sigma, without a measurement."""

from __future__ import annotations

from torch import Tensor


def ancestral(x: Tensor, x0_hat: Tensor, sigma: float, sigma_next: float) -> tuple[Tensor, float]:
    """Mean mu (B, C, H, W) and standard deviation sigma_up of p(x_next | x): DDPM's step (Ho et al. 2020, eq. 7)."""
    ratio = (sigma_next / sigma) ** 2
    mean = x0_hat + ratio * (x - x0_hat)
    return mean, (ratio * (sigma**2 - sigma_next**2)) ** 0.5
