"""Steps of the reverse process from sigma to sigma_next < sigma, without a measurement."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.solvers.run import norms


def ancestral(x: Tensor, x0_hat: Tensor, sigma: float, sigma_next: float) -> tuple[Tensor, float]:
    """Mean mu (B, C, H, W) and standard deviation sigma_up of p(x_next | x): DDPM's step (Ho et al. 2020, eq. 7)."""
    ratio = (sigma_next / sigma) ** 2
    mean = x0_hat + ratio * (x - x0_hat)
    return mean, (ratio * max(sigma**2 - sigma_next**2, 0.0)) ** 0.5


def ddim(x: Tensor, x0_hat: Tensor, sigma: float, sigma_next: float, eta: float) -> tuple[Tensor, float]:
    """Mean and standard deviation of DDIM's step (Song et al. 2021, eq. 12): eta 0 is the ODE, eta 1 is `ancestral`."""
    sigma_up = eta * sigma_next / sigma * max(sigma**2 - sigma_next**2, 0.0) ** 0.5
    return x0_hat + (sigma_next**2 - sigma_up**2) ** 0.5 / sigma * (x - x0_hat), sigma_up


def on_sphere(z: Tensor, center: Tensor, sigma: float) -> Tensor:
    """The nearest point at distance sigma * sqrt(d) from the center, for each sample; the center where z is there.

    The mass of N(center, sigma^2 I) in d dimensions lies close to that sphere.
    """
    offset = z - center
    radius = sigma * offset[0].numel() ** 0.5
    return center + radius * offset / norms(offset).clamp_min(torch.finfo(z.dtype).tiny)
