"""A photo of which a part is missing, at its own resolution: windows around the damage, and not a pixel beyond it.

Coarse to fine, as in multigrid: where a hole is deeper than a window can bridge, its depth is restored in the photo at
half the size first, by the same rule, and enlarged; what is left at this scale is a rim of bounded width, between known
pixels and those. A thin scratch needs its own scale only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from inverse.batch.lockstep import Runner
from inverse.denoisers.base import Denoiser
from inverse.errors import ProblemError
from inverse.fullsize.grain import Grain
from inverse.fullsize.pixels import levels_of, tensor_of
from inverse.fullsize.progress import Progress
from inverse.fullsize.together import together
from inverse.fullsize.windows import Box, weights, windows
from inverse.imaging.masks import cover
from inverse.operators import noise
from inverse.operators.inpainting import Mask
from inverse.results.problem import Problem
from inverse.settings import Settings

SIDE, CONTEXT = 128, 20
"""Of a window, in pixels: the side of the crops that the embedded prior has learned, and what a window is told of the
surroundings at least. Larger windows would follow a long scratch less closely, and take longer in all."""
DEPTH = 20
"""Missing pixels farther than this from any known one are restored at half the size first."""
FEATHER = 1
"""Pixels around the mask that count as damaged too, and go over from what is filled in to the photo."""
NEAR = 8
"""Pixels around the damage whose mean is the brightness there."""
TOLD_BY = 8
"""Windows whose noise is measured, of which the median counts."""


@dataclass(frozen=True)
class Level:
    """A scale at which something is restored.

    Attributes:
        size: (H, W) of the photo there.
        missing: (H, W), True where nothing is known, not even from the coarser scale.
        deep: True where it comes from the coarser scale; None at the coarsest.
        windows: to restore, in this scale's pixels.
    """

    size: tuple[int, int]
    missing: np.ndarray
    deep: np.ndarray | None
    windows: list[Box]


def grown(missing: np.ndarray) -> np.ndarray:
    """The mask with its feather."""
    return cv2.dilate(missing.astype(np.uint8), _disk(FEATHER)).astype(bool)


def levels(missing: np.ndarray, side: int = SIDE, context: int = CONTEXT) -> list[Level]:
    """The scales at which (H, W) of missing pixels are restored, the photo's own one first.

    Raises:
        ProblemError: all is missing.
    """
    if missing.all():
        raise ProblemError("The mask covers the whole image. Leave some of it known (black).")
    found: list[Level] = []
    wanted = missing
    while True:
        deep = None
        if min(missing.shape) > side:
            depth = cv2.distanceTransform(missing.astype(np.uint8), cv2.DIST_L2, 3)
            deep = (depth > DEPTH) & wanted
            deep = deep if deep.any() else None
        left = missing if deep is None else missing & ~deep
        found.append(Level(missing.shape, left, deep, windows(left, side, context, left & wanted)))
        if deep is None:
            return found
        half = (-(-missing.shape[0] // 2), -(-missing.shape[1] // 2))
        missing, wanted = cover(missing, half), cover(deep, half)


def restored(
    photo: np.ndarray, missing: np.ndarray, settings: Settings, denoiser: Denoiser, context: int = CONTEXT,
    scales: list[Level] | None = None,
) -> Generator[Progress, None, tuple[np.ndarray, Settings]]:  # fmt: skip
    """The photo with what is missing filled in; yields how far it is, between any two passes of the network.

    Args:
        photo: (H, W, 3) of uint8 or uint16; it is not changed.
        missing: (H, W), True where it is damaged.
        settings: how a window is restored.
        denoiser: the prior, as the settings use it.
        context: of windows, in pixels.
        scales: from `levels`, if they are known.

    Returns:
        The restored photo, and the settings with the noise that was found. Pixels outside the mask and its feather are
        those of `photo`.
    """
    damaged = grown(missing)
    scales = scales or levels(damaged, context=context)
    photos = [photo]
    for scale in scales[1:]:
        photos.append(cv2.resize(photos[-1], scale.size[::-1], interpolation=cv2.INTER_AREA))
    if settings.sigma_y is None:
        settings = replace(settings, sigma_y=_noise(photo, scales[0]))
    total = max(1, sum(window.area for scale in scales for window in scale.windows))
    count, done = sum(len(scale.windows) for scale in scales), 0
    finished, coarser = 0, None
    for number in reversed(range(len(scales))):
        scale, filled = scales[number], photos.pop()
        filled = filled.copy() if filled is photo else filled
        if coarser is not None and scale.deep is not None:
            enlarged = cv2.resize(coarser, scale.size[::-1], interpolation=cv2.INTER_CUBIC)
            filled[scale.deep] = enlarged[scale.deep]
        counted = np.zeros(scale.size, np.float32 if scale.missing.size < 2**22 else np.float16)
        for index, step, ended in together(_runs(filled, scale, number, settings, denoiser), denoiser):
            box = scale.windows[index]
            share = 0.0 if step is None or ended else step.index / step.total
            if ended:
                assert step is not None
                result = step.x0_hat[0].cpu() + _brightness(filled, scale.missing, box, settings)
                _paste(filled, counted, scale, box, levels_of(result, filled.dtype), context)
                done, finished = done + box.area, finished + 1
            words = f"{finished} of {count} windows"
            yield Progress((done + share * box.area) / total, words, finished, count)
        coarser = filled
    assert coarser is not None
    _finish(photo, coarser, missing, damaged, settings.seed, context)
    return coarser, settings


def _runs(
    filled: np.ndarray, scale: Level, number: int, settings: Settings, denoiser: Denoiser
) -> Iterator[Runner]:  # fmt: skip
    """A run for every window of a scale: each sees what those before it have filled in."""
    for index, box in enumerate(scale.windows):
        problem = _problem(filled, scale.missing, box, settings)
        process = problem.process(settings.solver, denoiser, (settings.seed + number) % 2**32)
        yield Runner(index, process, denoiser, box.area)


def _problem(filled: np.ndarray, missing: np.ndarray, box: Box, settings: Settings) -> Problem:
    picture = tensor_of(filled[box.slices]) - _brightness(filled, missing, box, settings)
    operator = Mask(torch.from_numpy(~missing[box.slices]).float(), tuple(picture.shape[1:]))
    y, sigma_y = operator.measurement_of(picture), settings.sigma_y
    assert sigma_y is not None
    task = settings.task.replace(keep_known="never")  # nothing else than what is missing is taken from it
    return Problem(task, operator, y, sigma_y, None, place=(box.top, box.left))


def _brightness(filled: np.ndarray, missing: np.ndarray, box: Box, settings: Settings) -> Tensor:
    """The mean around the damage in a window, (3, 1, 1): what is restored is how the window differs from it.

    The conditional estimator takes pictures for a Gaussian field whose mean is mid-grey, towards which it draws what it
    does not know: without this a scratch through a dark part leaves a lighter trace. Another prior needs no such help.
    """
    hole = missing[box.slices]
    if not settings.guides or hole.all():
        return torch.zeros(3, 1, 1)
    near = cv2.dilate(hole.astype(np.uint8), _disk(NEAR)).astype(bool) & ~hole
    mean = filled[box.slices][near].mean(0) * (2 / np.iinfo(filled.dtype).max) - 1
    return torch.from_numpy(mean).float()[:, None, None]


def _paste(
    filled: np.ndarray, counted: np.ndarray, scale: Level, box: Box, result: np.ndarray, context: int
) -> None:  # fmt: skip
    """Averages a window's result, on levels, into what others left, at its missing pixels only."""
    missing = scale.missing[box.slices]
    weight = weights(box, context, scale.size)[missing]
    before, part = counted[box.slices][missing].astype(np.float32), filled[box.slices]
    mean = (before[:, None] * part[missing] + weight[:, None] * result[missing]) / (before + weight)[:, None]
    part[missing] = np.rint(mean).astype(filled.dtype)
    counted[box.slices][missing] = before + weight


def _finish(
    photo: np.ndarray, filled: np.ndarray, missing: np.ndarray, damaged: np.ndarray, seed: int, context: int
) -> None:
    """Gives what was filled in the grain of its surroundings, and lets the feather go over to the photo."""
    top, last = np.iinfo(photo.dtype).max, None
    left = damaged.copy()
    for number, box in enumerate(windows(damaged, 4 * SIDE, context)):
        inside = left[box.slices]
        if not inside.any():
            continue
        part, hole = filled[box.slices], damaged[box.slices]
        last = grain = Grain.of(photo[box.slices], ~hole) or last
        values = part[inside].astype(np.float32)
        if grain is not None:
            own = Grain.of(part, cv2.erode(hole.astype(np.uint8), _disk(1)).astype(bool))
            drawn = grain.missing_in(own).drawn((box.height, box.width), np.random.default_rng([seed, number]))
            values += drawn[inside]
        distance = cv2.distanceTransform((~missing[box.slices]).astype(np.uint8), cv2.DIST_L2, 3)[inside]
        share = np.clip(1 - distance / (FEATHER + 1), 0, 1)[:, None]
        before = photo[box.slices][inside]
        part[inside] = np.rint(np.clip(before + share * (values - before), 0, top)).astype(filled.dtype)
        inside[:] = False


def _noise(photo: np.ndarray, scale: Level) -> float:
    """The noise of the photo around its damage, sigma_y on [-1, 1]."""
    found = []
    for box in scale.windows[:: -(-len(scale.windows) // TOLD_BY) or 1]:
        known = torch.from_numpy(~scale.missing[box.slices]).float()
        picture: Tensor = tensor_of(photo[box.slices])
        operator = Mask(known, tuple(picture.shape[1:]))
        found.append(noise.estimate(operator.measurement_of(picture), operator))
    return round(float(np.median(found)), 4) if found else noise.LEAST


def _disk(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
