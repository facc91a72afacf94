"""Measurement noise: adding it, and estimating it in a real photo."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from inverse import randomness
from inverse.errors import ProblemError
from inverse.operators.base import Operator
from inverse.operators.noise_level import noise_level
from inverse.parameters import Real

SIGMA_Y = Real(
    help="Standard deviation of the noise in the measurement, for pixels from -1 to 1 (half of it for pixels from 0 to "
    "1, times 127.5 for pixels from 0 to 255).",
    effect="Too low keeps the noise; too high smooths details away.",
    low=0.0,
    high=1.0,
    log=True,
)

PHOTONS = Real(
    help="Photons that a white pixel collects; the fewer, the grainier the photo, above all where it is bright.",
    effect="1000 is a clean photo, 100 a dark room, 10 nearly night.",
    unit="photons",
    low=1.0,
    high=1e6,
    log=True,
)

DEFAULT_SIGMA_Y = 0.05
"""What is added to a clean photo where nobody says how much: that of an ordinary photo."""
LEAST = 0.01
"""The estimate's smallest value."""
SHARPENED = 0.02
"""Least sigma_y to undo a blur with. Its inverse makes noise many times stronger, that of rounding and of a JPEG as
well, of which an estimate tells nothing. Coffee blurred by 2 pixels, with noise of 0.012 of which 0.01 was told, as a
JPEG: 28.5 dB with it, and 19.9 dB, covered with a pattern, with 0.01; 26.4 and 23.6 where 1.3 pixels are assumed."""
UNKNOWN = DEFAULT_SIGMA_Y
"""The estimate where the pixels known are too few or too far apart to tell."""
DETAILS_THAT_TELL = 100
"""Details from which they tell something, where pixels are missing."""


def add_gaussian(y: Tensor, sigma_y: float, generator: torch.Generator) -> Tensor:
    """y + sigma_y * n; n is drawn on the CPU."""
    noise = torch.randn(y.shape, generator=generator, dtype=torch.float32).to(y)
    return y + sigma_y * noise


def add_poisson(y: Tensor, photons: float, generator: torch.Generator) -> Tensor:
    """Counts photons: 2 Poisson(photons * u) / photons - 1 for u = (y + 1) / 2, drawn on the CPU.

    Black (-1) is no light; what lies below counts as black. The mean of the result is y. A white
    pixel collects `photons` of them.
    """
    expected = (photons * (y.double() + 1) / 2).clamp_min(0).cpu()
    counts = torch.poisson(expected, generator=generator)
    return (2 * counts / photons - 1).to(y)


def measure(x: Tensor, operator: Operator, sigma_y: float, photons: float | None, generator: torch.Generator) -> Tensor:
    """The measurement of clean images, (B, C, H, W), with Gaussian noise; of photons first, that many at white.

    Raises:
        ProblemError: photons of what is no picture, so that its entries are no light.
    """
    if photons is not None:
        _demand_light(operator)

    def disturb(y: Tensor) -> Tensor:
        counted = y if photons is None else add_poisson(y, photons, generator)
        return add_gaussian(counted, sigma_y, generator)

    return operator.measure(x, disturb)


def effect(x: Tensor, operator: Operator, sigma_y: float) -> Tensor:
    """What Gaussian noise changes in the measurement of x, (B, *measurement_shape); the same for every call."""
    generator = randomness.generator(0, randomness.MEASUREMENT)
    return measure(x, operator, sigma_y, None, generator) - operator.project(operator(x))


def left_by(x: Tensor, operator: Operator, sigma_y: float) -> Tensor:
    """Root mean square of what noise changes in the measurement of each image, (B,): what the truth's residual is.

    It is sigma_y; where A rounds or clips what is noisy, that of `effect`, each image with the same noise.
    """
    if not operator.alters_noise:
        return x.new_full((len(x),), sigma_y)
    changed = torch.cat([effect(image, operator, sigma_y) for image in x.split(1)])
    return (changed.flatten(1).square().sum(1) / max(operator.entries, 1)).sqrt()


def equivalent_sigma_y(y: Tensor, photons: float, operator: Operator) -> float:
    """The sigma_y to give a solver that assumes Gaussian noise, for y with the noise of `add_poisson`.

    A pixel's variance is 4 u / photons; this is the root of its mean over what was measured, from y itself, which
    estimates u without bias. Together with Gaussian noise the squares add up.

    Raises:
        ProblemError: y is no picture.
    """
    _demand_light(operator)
    light = operator.project((y.double() + 1) / 2).clamp_min(0)
    # One photon in the whole picture at least: a black one is not known exactly either.
    collected = max(float(light.sum()) / (operator.entries * len(y)), 1 / (photons * operator.entries))
    return 2 * math.sqrt(collected / photons)


def _demand_light(operator: Operator) -> None:
    if not operator.measures_pictures:
        raise ProblemError("What this task measures is not light, so it has no photon noise. Use Gaussian noise.")


def estimate(y: Tensor, operator: Operator | None = None) -> float:
    """Standard deviation of the noise in a measurement on [-1, 1], before anything clipped it; see `noise_level`.

    Fine texture without anything coarser, all over the picture, cannot be told from noise.

    Args:
        y: (1, *measurement_shape), a picture.
        operator: what measured it, if that is known: a hole or a mosaic is no noise.

    Returns:
        At least 0.01: eight-bit pixels, and the faults of any assumed operator, are never cleaner; and at least what
        the operator may hide.
    """
    planes, least = (y, LEAST) if operator is None else (operator.as_pictures(y), max(LEAST, operator.hidden_noise))
    if min(planes.shape[-2:]) < 4:
        return least
    sigma = noise_level(planes[0], DETAILS_THAT_TELL)
    return UNKNOWN if sigma is None else min(max(sigma, least), 1.0)
