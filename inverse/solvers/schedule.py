"""Noise levels of the reverse process, in variance-exploding coordinates, the largest first."""

from __future__ import annotations

import torch

SCHEDULES = ("log-linear", "karras", "vp")


def noise_levels(name: str, steps: int, sigma_max: float, sigma_min: float) -> list[float]:
    """`steps` noise levels from sigma_max down to sigma_min (sigma = 0, the image itself, is not among them).

    Args:
        name: "log-linear": equal factors. "karras": equal steps in sigma^(1/7) (Karras et al. 2022, eq. 5).
            "vp": equal steps in the time of the variance-preserving process of DDPM (Ho et al. 2020).
        steps: how many, >= 1.
        sigma_max, sigma_min: 0 < sigma_min <= sigma_max.

    Raises:
        ValueError: there is no such schedule.
    """
    if steps == 1:
        return [sigma_max]
    ramp = torch.linspace(0, 1, steps, dtype=torch.float64)
    if name == "log-linear":
        levels = sigma_max * (sigma_min / sigma_max) ** ramp
    elif name == "karras":
        low, high = sigma_min ** (1 / 7), sigma_max ** (1 / 7)
        levels = (high + ramp * (low - high)) ** 7
    elif name == "vp":
        levels = _vp_sigma(_vp_time(sigma_max) + ramp * (_vp_time(sigma_min) - _vp_time(sigma_max)))
    else:
        raise ValueError(f"schedule {name!r} is not one of {SCHEDULES}")
    # Rounding must not leave the range that the prior knows.
    return [sigma_max, *levels[1:-1].clamp(sigma_min, sigma_max).tolist(), sigma_min]


# The linear table of DDPM, beta = 1e-4 ... 0.02 in 1000 steps, in the limit of continuous time t in [0, 1]:
# abar(t) = exp(-0.1 t - 9.95 t^2), and sigma^2 = 1 / abar - 1.
_LINEAR, _QUADRATIC = 0.1, 9.95


def _vp_sigma(t: torch.Tensor) -> torch.Tensor:
    return torch.expm1(_LINEAR * t + _QUADRATIC * t**2).sqrt()


def _vp_time(sigma: float) -> float:
    exponent = torch.log1p(torch.tensor(sigma, dtype=torch.float64) ** 2).item()
    return (-_LINEAR + (_LINEAR**2 + 4 * _QUADRATIC * exponent) ** 0.5) / (2 * _QUADRATIC)
