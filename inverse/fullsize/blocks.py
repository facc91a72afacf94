"""A photo that is damaged everywhere, at its own resolution.

Up to the size of a block it is one ordinary run, whose prior answers by tiles (`denoisers.tiled`). Of a larger photo
the solver's own tensors would not fit, so that it is restored in large blocks, each an ordinary run on its part of the
measurement. Blocks share a wide overlap and, there, the same noise field (`randomness.Field`): what a pixel becomes
depends on its surroundings only, so that both blocks come to nearly the same. They are averaged with weights that leave
out the edges, where a block saw an end of the photo that is none.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import torch
from torch import Tensor

from inverse import randomness
from inverse.batch.lockstep import Runner
from inverse.denoisers import tiled
from inverse.denoisers.base import Denoiser
from inverse.denoisers.pyramid import Pyramid
from inverse.errors import ProblemError
from inverse.fullsize.pixels import levels_of, tensor_of
from inverse.fullsize.progress import Progress
from inverse.fullsize.together import together
from inverse.fullsize.windows import Box
from inverse.imaging import images
from inverse.operators import Task, noise
from inverse.operators.inpainting import Inpaint, Mask
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.solvers import Step

SIDE, OVERLAP, MARGIN = 1536, 192, 48
"""Of a block, in pixels of the restored image."""
GUIDED_SIDE = 768
"""Of a block where the prior looks at the measurement and answers for the whole block at once."""
ALIGNED = 64
"""Blocks begin at multiples of so many pixels of the restored image: of every grid that a camera or a JPEG has; and of
the factor by which a task enlarges."""
SAMPLE = 1024
"""Side of the part in which the noise is measured."""


@dataclass(frozen=True)
class Block:
    """A part of the photo that is one run.

    Attributes:
        image: its place in the restored image.
        photo: in the photo, which may have fewer pixels.
        weights: how much its result counts, (h, w).
    """

    image: Box
    photo: Box
    weights: np.ndarray


def blocks(photo: tuple[int, int], task: Task, guided: bool = False) -> list[Block]:
    """The blocks of a photo of size (h, w), of which the restored image may have more pixels.

    Raises:
        ProblemError: that would be too many.
    """
    height, width = task.image_shape(photo)
    factor = height // photo[0]
    if height * width > images.MAX_PIXELS:
        raise ProblemError(
            f"The restored image would have {height * width / 1e6:.0f} megapixels, and the limit is "
            f"{images.MAX_PIXELS / 1e6:.0f}. Shrink the photo first, or choose a smaller factor."
        )
    aligned = math.lcm(ALIGNED, factor)
    side, overlap = (-(-n // aligned) * aligned for n in (GUIDED_SIDE if guided else SIDE, OVERLAP))
    found = []
    for rows, columns in product(*(tiled.spans(length, side, overlap, aligned) for length in (height, width))):
        image = Box(rows[0], columns[0], rows[1], columns[1])
        own = Box(*(edge // factor for edge in (image.top, image.left, image.bottom, image.right)))
        down = tiled.ramp(image.height, overlap, MARGIN, image.top > 0, image.bottom < height)
        across = tiled.ramp(image.width, overlap, MARGIN, image.left > 0, image.right < width)
        found.append(Block(image, own, (down[:, None] * across[None]).float().numpy()))
    return found


def prior_for(denoiser: Denoiser, block: Box) -> Denoiser:
    """The prior for a block: by tiles where that is larger than one, and the prior does not look at the measurement."""
    if denoiser.conditional or denoiser.factor > 1 or max(block.height, block.width) <= tiled.SIDE:
        return denoiser
    if isinstance(denoiser, Pyramid):  # outside, so that it sees beyond a tile
        return Pyramid(tiled.Tiled(denoiser.prior), denoiser.thresholds)
    return tiled.Tiled(denoiser)


def restored(
    photo: np.ndarray, settings: Settings, denoiser: Denoiser, auxiliary: Tensor | None = None
) -> Generator[Progress, None, tuple[np.ndarray, Settings]]:
    """The restored image; yields how far it is, between any two passes of the network.

    Args:
        photo: (h, w, 3) of uint8 or uint16.
        settings: how a block is restored.
        denoiser: the prior, as the settings use it.
        auxiliary: what the task needs, as `Task.prepare` gives it for the whole image.

    Returns:
        The image, (H, W, 3) of the photo's type, and the settings with the noise that was found.
    """
    size = (photo.shape[0], photo.shape[1])
    parts = blocks(size, settings.task, denoiser.conditional)
    if settings.sigma_y is None:
        settings = replace(settings, sigma_y=_noise(photo, settings, auxiliary))
    image = np.zeros((*settings.task.image_shape(size), 3), photo.dtype)
    counted = np.zeros(image.shape[:2], np.float16 if image.size > 2**23 else np.float32)
    mask = None  # of the whole photo: its blocks are parts of that
    if isinstance(settings.task, Inpaint):
        generator = randomness.generator(settings.seed, randomness.MEASUREMENT)
        mask = known(settings, size, generator, auxiliary).float()
    total, done, finished = sum(part.image.area for part in parts), 0, 0
    for index, step, ended in together(_runs(photo, parts, settings, denoiser, mask, auxiliary), denoiser):
        part = parts[index]
        share = 0.0 if step is None or ended else step.index / step.total
        if ended:
            assert step is not None
            _paste(image, counted, part, step)
            done, finished = done + part.image.area, finished + 1
        words = f"{finished} of {len(parts)} blocks" if len(parts) > 1 else "the whole photo"
        yield Progress((done + share * part.image.area) / total, words, finished, len(parts))
    return image, settings


def _runs(
    photo: np.ndarray, parts: list[Block], settings: Settings, denoiser: Denoiser, mask: Tensor | None,
    auxiliary: Tensor | None,
) -> Iterator[Runner]:  # fmt: skip
    priors: dict[bool, Denoiser] = {}
    for index, part in enumerate(parts):
        large = max(part.image.height, part.image.width) > tiled.SIDE
        prior = priors.setdefault(large, prior_for(denoiser, part.image))
        problem = _problem(photo[part.photo.slices], part, settings, mask, auxiliary)
        problem = replace(problem, place=(part.image.top, part.image.left) if len(parts) > 1 else None)
        yield Runner(index, problem.process(settings.solver, prior, settings.seed), prior, part.image.area)


def _problem(
    pixels: np.ndarray, part: Block, settings: Settings, mask: Tensor | None, auxiliary: Tensor | None
) -> Problem:
    picture = tensor_of(pixels)
    if mask is None:
        return settings.measured_in(picture, auxiliary)
    operator = Mask(mask[part.image.slices], tuple(picture.shape[1:]))
    sigma_y = settings.sigma_y
    assert sigma_y is not None
    return Problem(settings.task, operator, operator.measurement_of(picture), sigma_y, None, settings.strength)


def known(settings: Settings, size: tuple[int, int], generator: torch.Generator, auxiliary: Tensor | None) -> Tensor:
    """(H, W), True where a task that misses pixels measures a photo of this size."""
    operator = settings.task.operator((3, *size), generator, auxiliary)
    assert isinstance(operator, Mask)
    return operator.mask[0, 0] > 0


def _paste(image: np.ndarray, counted: np.ndarray, part: Block, step: Step) -> None:
    rows, columns = part.image.slices
    before, own = counted[rows, columns].astype(np.float32), part.weights
    result = levels_of(step.x0_hat[0], image.dtype)[: part.image.height, : part.image.width]
    share = (own / np.maximum(before + own, 1e-6))[..., None]
    old = image[rows, columns]
    image[rows, columns] = np.rint(old + share * (result - old)).astype(image.dtype)
    counted[rows, columns] = before + own


def _noise(photo: np.ndarray, settings: Settings, auxiliary: Tensor | None) -> float:
    """sigma_y of the middle of the photo, where it is large."""
    if settings.task.auxiliary == "mask":  # which is that of the whole
        return round(noise.estimate(tensor_of(_middle(photo))), 4)
    return round(settings.measured_in(tensor_of(_middle(photo)), auxiliary).sigma_y, 4)


def _middle(photo: np.ndarray) -> np.ndarray:
    (top, height), (left, width) = (
        (max(0, length - SAMPLE) // 2 // ALIGNED * ALIGNED, min(length, SAMPLE)) for length in photo.shape[:2]
    )
    return photo[top : top + height, left : left + width]
