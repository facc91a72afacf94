"""How a restoration stands to the measurement: what it leaves unexplained, and whether that is noise."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.operators import noise
from inverse.operators.base import Operator
from inverse.results.problem import NOISELESS, Problem

SLIGHT = 0.02
"""Contrast on [-1, 1] that any photo has: a blank one is explained by a blank restoration."""


def residual(problem: Problem, x0_hat: Tensor) -> Tensor:
    """y - A(x0_hat) of one image (1, 3, H, W), (1, *measurement_shape)."""
    with torch.no_grad():
        return problem.y[:1] - problem.operator(x0_hat)


def in_noise(problem: Problem, x0_hat: Tensor, r: Tensor) -> float:
    """Root mean square of the residual in units of what noise of the problem's sigma_y leaves, about 1 for the truth.

    Morozov's discrepancy principle (1966): a restoration should fit the measurement to its noise, and no closer. One
    that regularizes a little leaves less than 1, because it fits a part of the noise: 0.7 to 1.05 where all was right.
    """
    unit = float(noise.left_by(x0_hat, problem.operator, problem.sigma_y))
    return size(problem.operator, r) / max(unit, NOISELESS)


def unexplained(problem: Problem, r: Tensor, level: float) -> float:
    """Share of the measurement's own contrast, without noise of this level, that the restoration does not explain.

    0 where the residual is noise, 1 where a blank picture would do as well, more where it does harm. It does not depend
    on the sigma_y that somebody chose.
    """
    if not problem.operator.measures_pictures:
        contrast = size(problem.operator, problem.y[:1])
    else:
        planes = problem.operator.as_pictures(problem.y[:1])[0]
        known = ~planes.isnan()
        count = known.sum((1, 2)).clamp_min(1)
        mean = planes.nan_to_num().sum((1, 2)) / count
        contrast = float(((planes - mean[:, None, None]).nan_to_num() ** 2).sum() / known.sum().clamp_min(1)) ** 0.5
    own, left = contrast**2 - level**2, size(problem.operator, r) ** 2 - level**2
    return max(left, 0.0) / max(own, SLIGHT**2)


def structure(operator: Operator, r: Tensor) -> float:
    """Correlation of neighbouring residuals: 0 for white noise, towards 1 where edges and surfaces are left in it.

    The whiteness of the residual as a test of a restoration: Almeida and Figueiredo 2013, Parameter estimation for
    blind and non-blind deblurring using residual whiteness measures, IEEE TIP 22.
    """
    planes = operator.as_pictures(r)[0]
    products = [(planes[:, 1:] * planes[:, :-1]), (planes[:, :, 1:] * planes[:, :, :-1])]
    pairs = torch.cat([each[~each.isnan()] for each in products])
    power = float(planes[~planes.isnan()].square().mean()) if len(pairs) else 0.0
    return float(pairs.mean()) / power if power else 0.0


def size(operator: Operator, values: Tensor) -> float:
    """Root mean square over what is measured."""
    return float(values.double().square().sum() / max(operator.entries, 1)) ** 0.5
