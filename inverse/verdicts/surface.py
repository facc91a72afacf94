"""What the pixels of a restoration look like: grain, impossible values, seams, and whether anything changed."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.operators import noise
from inverse.operators.base import Operator

IMPOSSIBLE = 1.1
"""Beyond it a value is 13 of 255 levels blacker than black or whiter than white."""


def grain(x0_hat: Tensor) -> float:
    """Standard deviation of the noise in a restoration (1, 3, H, W), see `operators.noise_level`; at least 0.01."""
    return noise.estimate(x0_hat)


def impossible(x0_hat: Tensor) -> float:
    """Share of values that no picture has: blacker than black or whiter than white by more than rounding."""
    return float((x0_hat.abs() > IMPOSSIBLE).float().mean())


def changed(operator: Operator, x0_hat: Tensor, y: Tensor) -> float | None:
    """Root mean square difference from the photo, on [-1, 1]; None where it is smaller, or a part of it is missing."""
    before = _comparable(operator, x0_hat, y)
    return None if before is None else float((x0_hat - before).square().mean().sqrt())


def roughness(operator: Operator, x0_hat: Tensor, y: Tensor, level: float) -> float:
    """How many times the steps between neighbouring pixels are those of the photo without its noise, at its own scale.

    Pictures of the world have about the same contrast at every scale (Field 1987), so that what is twice as large has
    no larger steps between its pixels.
    """
    planes = operator.as_pictures(y)[0]
    squares = torch.cat([each[~each.isnan()] for each in _steps(planes)]) ** 2
    own = float(squares.mean()) - 2 * level**2 if len(squares) else 0.0
    steps = torch.cat([each.flatten() for each in _steps(x0_hat[0])])
    # A photo of hardly anything may become one of something: what counts is what could be seen.
    return float(steps.square().mean()) ** 0.5 / max(own, 0.02**2) ** 0.5


def seam(known: Tensor, x0_hat: Tensor) -> float:
    """Step on [-1, 1] from what is known to what was filled in, beyond the steps among known pixels right there.

    Args:
        known: (H, W), True where the photo is.
    """
    across, within = [], []
    for dim in (0, 1):
        size = known.shape[dim] - 1
        one, other = known.narrow(dim, 0, size), known.narrow(dim, 1, size)
        step = (x0_hat[0].narrow(dim + 1, 0, size) - x0_hat[0].narrow(dim + 1, 1, size)).square().mean(0)
        across.append(step[one != other])
        within.append(step[one & other])
    rim, rest = torch.cat(across), torch.cat(within)
    if not len(rim):
        return 0.0
    return max(float(rim.mean()) - (float(rest.mean()) if len(rest) else 0.0), 0.0) ** 0.5


def colourfulness(x0_hat: Tensor) -> float:
    """Root mean square distance of the channels from their mean."""
    return float((x0_hat - x0_hat.mean(1, keepdim=True)).square().mean().sqrt())


def _comparable(operator: Operator, x0_hat: Tensor, y: Tensor) -> Tensor | None:
    if not operator.measures_pictures or operator.missing is not None or y.shape != x0_hat.shape:
        return None
    return operator.preview(y)


def _steps(planes: Tensor) -> tuple[Tensor, Tensor]:
    return planes[:, 1:] - planes[:, :-1], planes[:, :, 1:] - planes[:, :, :-1]
