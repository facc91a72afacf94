"""What a verdict goes by: a few figures of a restoration and its measurement, and never the truth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inverse.operators import noise
from inverse.operators.base import Operator, is_linear
from inverse.operators.colorization import LUMA
from inverse.results.problem import Problem
from inverse.verdicts import edges, fit, invention, surface

GREY_SHARE = math.sqrt(sum(weight**2 for weight in LUMA))
"""Of the noise of three colours, what is left in their brightness."""


@dataclass(frozen=True)
class Photo:
    """What the measurement alone tells.

    Attributes:
        noise: standard deviation of its noise, as estimated from itself; the problem's own where it is no picture.
        luma: its brightness, (H, W) on [0, 255]; None where it is no picture as large as the result.
        width: of the blur that the task undoes, std in pixels; None where it undoes none.
        found_width: of the Gaussian that the photo looks blurred by; None as above, or where that cannot be told.
        known: where it is there, (H, W); None where nothing is missing.
        gap: width of its largest hole in pixels; 0 where nothing is missing.
        missing: share of pixels that are.
    """

    noise: float
    luma: np.ndarray | None
    width: float | None
    found_width: float | None
    known: Tensor | None
    gap: float
    missing: float

    @classmethod
    def of(cls, problem: Problem) -> Photo:
        operator, y = problem.operator, problem.y[:1]
        level = noise.estimate(y, operator) if operator.measures_pictures else problem.sigma_y
        width = blur_of(operator) if _undoes_blur(problem) else None
        luma = None if width is None else brightness(operator.preview(y))
        known = invention.known(operator, y)
        return cls(
            level,
            luma,
            width,
            None if luma is None else edges.blur_width(luma, level * 127.5 * GREY_SHARE),
            known,
            0.0 if known is None else invention.gap(known),
            operator.missing or 0.0,
        )


@dataclass(frozen=True)
class Signs:
    """What one restoration shows, see the functions of these names.

    Attributes:
        finite: whether all its values are numbers.
        in_noise, unexplained, structure: see `fit`; in_noise in units of the larger of sigma_y and the photo's noise.
        copied: share of the photo's noise that the result fits, of which the truth fits none.
        grain, impossible, changed, roughness, seam, colourfulness: see `surface`.
        ripples: see `edges`; 0 where no blur is undone, or no edges tell.
    """

    finite: bool = True
    in_noise: float = 0.0
    unexplained: float = 0.0
    structure: float = 0.0
    copied: float = 0.0
    grain: float = 0.0
    impossible: float = 0.0
    changed: float = math.inf
    roughness: float = 0.0
    seam: float = 0.0
    colourfulness: float = 0.0
    ripples: float = 0.0

    @classmethod
    def of(cls, problem: Problem, x0_hat: Tensor, photo: Photo) -> Signs:
        """Of one image (1, 3, H, W)."""
        if not bool(torch.isfinite(x0_hat).all()):
            return cls(finite=False)
        operator, y = problem.operator, problem.y[:1]
        r = fit.residual(problem, x0_hat)
        changed = surface.changed(operator, x0_hat, y)
        plain = operator.measures_pictures and not operator.alters_noise
        ripples = None
        if photo.width is not None and photo.luma is not None:
            ripples = edges.ripples(brightness(x0_hat), photo.luma, photo.width)
        return cls(
            in_noise=fit.in_noise(problem, x0_hat, r) * min(1.0, problem.sigma_y / photo.noise),
            unexplained=fit.unexplained(problem, r, photo.noise),
            # What is rounded or clipped after its noise leaves a structured residual though all was right.
            structure=fit.structure(operator, r) if plain else 0.0,
            copied=max(0.0, 1 - fit.size(operator, r) / photo.noise) if plain else 0.0,
            grain=surface.grain(x0_hat),
            impossible=surface.impossible(x0_hat),
            changed=math.inf if changed is None else changed,
            roughness=surface.roughness(operator, x0_hat, y, photo.noise) if operator.measures_pictures else 0.0,
            seam=0.0 if photo.known is None else surface.seam(photo.known, x0_hat),
            colourfulness=surface.colourfulness(x0_hat),
            ripples=ripples or 0.0,
        )

    @classmethod
    def worst(cls, several: list[Signs]) -> Signs:
        """Of several samples, each sign where it is worst: none hides behind the others."""
        figures = {name: max(getattr(each, name) for each in several) for name in vars(several[0])}
        return cls(**figures | {"finite": all(each.finite for each in several)})


def brightness(picture: Tensor) -> np.ndarray:
    """Of a picture (1, 3, H, W) on [-1, 1], (H, W) on [0, 255], and beyond where its values are."""
    weights = torch.tensor(LUMA)[:, None, None]
    return ((picture[0].float().clamp(-3, 3) + 1) * 127.5 * weights).sum(0).numpy()


def blur_of(operator: Operator) -> float | None:
    """Standard deviation in pixels of what one bright point becomes, the mean of both directions; None for no blur."""
    if not is_linear(operator) or tuple(operator.measurement_shape) != tuple(operator.image_shape):
        return None
    channels, height, width = operator.image_shape
    point = torch.zeros(1, channels, height, width)
    point[..., height // 2, width // 2] = 1
    spread = operator(point)[0].sum(0).clamp_min(0)
    total = float(spread.sum())
    if total <= 0:
        return None
    squares = 0.0
    for size, profile in ((height, spread.sum(1)), (width, spread.sum(0))):
        place = torch.arange(size, dtype=profile.dtype)
        middle = (place * profile).sum() / total
        squares += float(((place - middle) ** 2 * profile).sum()) / total / 2
    return math.sqrt(squares) if squares > 0.01 else None


def _undoes_blur(problem: Problem) -> bool:
    links = getattr(problem.task, "links", (problem.task,))
    return any(link.group == "Blur" for link in links)
