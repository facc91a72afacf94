"""Which classical methods there are for a problem: what a solver has to be better than.

    python -m inverse.evaluation.tune --baselines      # measures them for the table of presets

A baseline sees what a solver sees: the operator, the measurement and sigma_y. Filling and interpolating take the noise
along, so BM3D or total variation follows, or precedes the enlarging of a small picture. BM3D joins where the package
`bm3d` is installed; its licence allows no commercial use, so nothing needs it.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor

from inverse.evaluation import classical
from inverse.operators import LinearOperator, Operator
from inverse.operators.bicubic import Separable
from inverse.operators.blur import SymmetricBlur
from inverse.operators.colorization import Grey
from inverse.operators.convolution import CircularBlur
from inverse.operators.demosaicing import Mosaic
from inverse.operators.denoising import Identity
from inverse.operators.inpainting import Mask
from inverse.operators.jpeg import Jpeg
from inverse.operators.nonlinear_blur import LightBlur
from inverse.operators.phase_retrieval import FourierMagnitude
from inverse.operators.super_resolution import BlockMean
from inverse.operators.tone import Clipping, Levels

Smoother = Callable[[Tensor, float], Tensor]
"""Takes noise of a standard deviation out of a picture."""

FILLS = {
    "Telea's inpainting": classical.telea,
    "Navier-Stokes inpainting": classical.navier_stokes,
    "linear interpolation": classical.interpolated,
}


@dataclass(frozen=True)
class Baseline:
    """A classical method for a problem: from y, (1, *measurement_shape), to x, (1, C, H, W) on [-1, 1]."""

    title: str
    restore: Callable[[Tensor], Tensor]


def smoothers() -> dict[str, Smoother]:
    """What takes out noise here, by its title: BM3D where it is installed, and total variation."""
    found = {"BM3D": classical.bm3d} if importlib.util.find_spec("bm3d") is not None else {}
    return {**found, "total variation": classical.chambolle}


def baselines(operator: Operator, sigma_y: float) -> list[Baseline]:
    """Every classical method for the operator and noise of standard deviation sigma_y.

    None for an operator that this module does not know and that is not linear.
    """
    return [*_by_steps(operator, sigma_y), *_as_a_whole(operator, sigma_y)]


def _by_steps(operator: Operator, sigma_y: float) -> Iterator[Baseline]:
    """A picture is made of the measurement, and smoothed."""
    if isinstance(operator, Identity | Grey | Jpeg | Levels | Clipping):
        yield Baseline(_untouched(operator), lambda y: _in_colour(operator, _as_picture(operator, y)))
    for title, smooth in smoothers().items():
        if isinstance(operator, Identity | Grey | Jpeg | Levels | Clipping):
            noise = _noise(operator, sigma_y)
            yield Baseline(title, lambda y, s=smooth, n=noise: _in_colour(operator, s(_as_picture(operator, y), n)))
        elif isinstance(operator, Mask):
            for name, fill in FILLS.items():
                yield Baseline(f"{name}, then {title}", lambda y, f=fill, s=smooth: s(f(operator, y), sigma_y))
        elif isinstance(operator, Mosaic):
            yield Baseline(
                f"edge-aware demosaicing, then {title}",
                lambda y, s=smooth: s(classical.demosaiced(operator, y), sigma_y),
            )
        elif isinstance(operator, BlockMean | Separable):
            yield Baseline(
                f"{title}, then bicubic enlarging", lambda y, s=smooth: classical.enlarged(operator, s(y, sigma_y))
            )


def _as_a_whole(operator: Operator, sigma_y: float) -> Iterator[Baseline]:
    """The problem is solved in one."""
    if isinstance(operator, LightBlur):
        operator = operator.blur  # as if pixel values had been blurred
    if isinstance(operator, SymmetricBlur | CircularBlur):
        yield Baseline("Wiener's filter", lambda y: classical.wiener(operator, y, sigma_y))
    if isinstance(operator, LinearOperator) and not isinstance(operator, Identity | Grey):
        yield Baseline("total variation", lambda y: classical.total_variation(operator, y, sigma_y))
    if isinstance(operator, FourierMagnitude):
        yield Baseline("hybrid input-output", lambda y: classical.hybrid_input_output(operator, y))


def _as_picture(operator: Operator, y: Tensor) -> Tensor:
    """The measurement as the picture that it is at first sight, exposure undone."""
    if isinstance(operator, Clipping):
        y = (y + 1) / operator.norm - 1 if operator.highlights_only else y / operator.norm
    return y.clamp(-1, 1)


def _in_colour(operator: Operator, picture: Tensor) -> Tensor:
    """The picture in as many channels as the image: grey in each of them where it has one."""
    return picture.expand(-1, operator.image_shape[0], -1, -1)


def _untouched(operator: Operator) -> str:
    if isinstance(operator, Clipping):
        return "the exposure undone"
    return "the grey picture" if isinstance(operator, Grey) else "the picture as it is"


def _noise(operator: Operator, sigma_y: float) -> float:
    """Standard deviation of what disturbs `_as_picture`, rounding included."""
    if isinstance(operator, Clipping):
        return sigma_y / operator.norm
    if isinstance(operator, Levels):  # uniform over a step
        return math.hypot(sigma_y, 2 / operator.steps / math.sqrt(12))
    if isinstance(operator, Jpeg):
        # Foi, Katkovnik and Egiazarian, IEEE Trans. Image Processing 2007, for levels from 0 to 255.
        variance = 0.69 * float(operator.luma_table[:3, :3].mean()) ** 1.3
        return math.sqrt(variance) / 127.5
    return sigma_y
