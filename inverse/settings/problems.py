"""From settings and a photo to what is to be solved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from PIL import Image
from torch import Tensor

from inverse import randomness
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images, masks
from inverse.operators import TASKS, noise
from inverse.results.problem import Problem

if TYPE_CHECKING:
    from inverse.settings.settings import Settings


def check(settings: Settings) -> None:
    """Refuses settings that are allowed one by one, and not together.

    Raises:
        ParameterError: so they are.
    """
    alone = settings.size is None and settings.samples == 1 and not settings.then
    if settings.full_size and not (settings.degraded and alone):
        raise ParameterError(
            "full_size is for a photo that is degraded already, at its own size, one damage, and one sample. Set "
            "the mode to degraded (--degraded), leave size and further damages out, and samples at 1."
        )
    if settings.keep_metadata and not settings.full_size:
        raise ParameterError(
            "keep_metadata is for photos at full size. Set full_size too (--full-size), or leave it out."
        )
    defaults, damage = settings.defaults(), settings.damage
    if settings.full_size and damage.alone:
        raise ParameterError(
            f"{damage.name} looks at the whole photo at once, so that it is not done by parts at full size. Leave "
            "full_size out, and choose a size instead."
        )
    for name, known in settings.specs().items():
        if known.linear_only and getattr(settings, name) != defaults[name] and not damage.linear:
            raise ParameterError(
                f"{name} is for linear tasks, and {damage.name} is not linear. Leave it out, or choose another."
            )
    if settings.then and settings.guides:
        raise ParameterError(
            "The conditional estimator has learned single damages, and these are several. Set its weight to 0, "
            "and choose a solver that needs none."
        )


@torch.inference_mode(False)  # whose tensors no solver could differentiate
def problem(settings: Settings, photo: images.Photo, auxiliary: images.Photo | None) -> Problem:
    """As `Settings.problem`."""
    task = settings.damage
    picture = images.load(photo)
    helper = _helper(settings, auxiliary)
    if not settings.degraded:
        x = images.to_tensor(images.fit(picture, settings.size, task.multiple))
        height, width = x.shape[-2:]
        return measurement_of(settings, x, None if helper is None else task.prepare(helper, (height, width)))
    if task.auxiliary == "mask" and helper is not None and settings.size is not None:
        picture = masks.filled(picture, helper)
    x = images.to_tensor(images.fit(picture, settings.size))
    height, width = x.shape[-2:]
    shape = task.image_shape((height, width))
    return measured_in(settings, x, None if helper is None else task.prepare(helper, shape))


def measured_in(settings: Settings, picture: Tensor, auxiliary: Tensor | None) -> Problem:
    """As `Settings.measured_in`."""
    shape = settings.damage.image_shape((picture.shape[-2], picture.shape[-1]))
    generator = randomness.generator(settings.seed, randomness.MEASUREMENT)
    operator = settings.damage.operator((3, *shape), generator, auxiliary).fitted_to(picture)
    y = operator.measurement_of(picture)
    sigma_y = noise.estimate(y, operator) if settings.sigma_y is None else settings.sigma_y
    return Problem(settings.damage, operator, y, sigma_y, None, settings.strength)


def measurement_of(settings: Settings, truth: Tensor, auxiliary: Tensor | None) -> Problem:
    """As `Settings.measurement_of`."""
    generator = randomness.generator(settings.seed, randomness.MEASUREMENT)
    operator = settings.damage.operator(tuple(truth.shape[1:]), generator, auxiliary).fitted_to(truth)
    sigma_y = noise.DEFAULT_SIGMA_Y if settings.sigma_y is None else settings.sigma_y
    y = noise.measure(truth, operator, sigma_y, settings.photons, generator)
    if settings.photons is not None:  # it then stands for both kinds of noise
        sigma_y = math.hypot(sigma_y, noise.equivalent_sigma_y(y, settings.photons, operator))
    return Problem(settings.damage, operator, y, sigma_y, truth, settings.strength)


def _helper(settings: Settings, given: images.Photo | None) -> Image.Image | None:
    damage = settings.damage
    if given is None:
        return settings.auxiliary_picture if damage.auxiliary else None
    if not damage.auxiliary:
        takers = ", ".join(name for name, kind in TASKS.items() if kind.auxiliary)
        raise ProblemError(
            f"The task {damage.name} takes no mask or kernel, and no strokes. Leave it out, or choose one of {takers}."
        )
    return damage.load(given)
