"""What of the measurement a restoration does not explain, as a picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from inverse import randomness
from inverse.imaging import heat
from inverse.operators import noise
from inverse.operators.base import Operator
from inverse.results.problem import Problem

TOP = 4.0
"""Where the scale ends: of noise alone, one pixel in 16000 lies beyond."""


@dataclass(frozen=True)
class Misfit:
    """y - A(x0_hat), pixel by pixel.

    Attributes:
        values: (h, w), NaN where nothing was measured. In units of what the measurement's noise alone would leave:
            where the restoration explains the measurement, they scatter around 0 with standard deviation 1.
        words: what they are, in one sentence.
    """

    values: Tensor
    words: str

    @property
    def image(self) -> Image.Image:
        """Blue where the measurement is darker than the restoration explains, red where it is brighter."""
        return heat.picture(self.values, -TOP, TOP, heat.DEVIATION)


def misfit(problem: Problem, x0_hat: Tensor) -> Misfit:
    """The misfit of one image, (C, H, W); a noise below one grey level counts as that.

    A measurement that is a picture is compared with A(x0_hat) as it is, colours added up; where A rounds or clips, the
    unit is the root mean square that noise of this strength changes. Of any other the residual r
    is taken back to the image: H^T r, or for a non-linear A the product of r with its derivative at x0_hat,
    transposed. The unit is then the root mean square that noise alone leaves there.
    """
    operator = problem.operator
    x0_hat, y = torch.nan_to_num(x0_hat.detach()).to(problem.y)[None], problem.y
    sigma_y = max(problem.sigma_y, 1 / 127.5)
    residual = y - operator(x0_hat)
    if operator.measures_pictures:
        # The entries of a pixel that were measured: one for a mosaic or a grey picture, none where it is masked.
        entries = operator.project(torch.ones_like(y)).sum(1)[0]
        values = residual.sum(1)[0] / entries.sqrt()
        values = values / (_left_by_noise(operator, x0_hat, sigma_y) if operator.alters_noise else sigma_y)
        return Misfit(
            torch.where(entries > 0, values, torch.nan),
            "Measurement minus what the estimate explains of it; grey was not measured. Structure here is missed, "
            "plain noise is right.",
        )
    generator = randomness.generator(0, randomness.MEASUREMENT)
    disturbed = operator.project(torch.randn(y.shape, generator=generator).to(y))
    back, unit = (operator.vjp(x0_hat, lambda _, r=r: r)[1] for r in (residual, sigma_y * disturbed))
    size = unit.square().sum(1).mean().sqrt().clamp_min(torch.finfo(unit.dtype).tiny)
    return Misfit(
        back.sum(1)[0] / size,
        "Taken back to the image, since this measurement is no picture: what would change to explain the rest of it. "
        "Structure here is missed, plain noise is right.",
    )


def _left_by_noise(operator: Operator, x: Tensor, sigma_y: float) -> float:
    """Root mean square of what noise changes in a measured picture of x, colours added up as in independent noise.

    It is less than sigma_y where it is clipped, and more where a little of it makes the next level of a colour.
    """
    changed = noise.effect(x, operator, sigma_y)
    return max(float((changed.sum(1).square().mean() / changed.shape[1]).sqrt()), 1 / 127.5)
