"""Treatments tried on a part of the photo: the part, what is run on it, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from PIL import Image

from inverse.batch.runs import Load, run_all
from inverse.denoisers.base import Denoiser
from inverse.diagnosis import Diagnosis, diagnose
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images, masks
from inverse.operators import Task
from inverse.operators.chain import Chain
from inverse.operators.inpainting import InpaintBox, InpaintHalf
from inverse.settings import Settings
from inverse.treatments.candidates import VISIBLE, Treatment, proposed
from inverse.treatments.crop import BLOCK, Box, box_at, grid, telling_box

RESTORED, LARGEST = 192, 256
"""Side in pixels of the part as the present settings restore it, and as the one that enlarges most does."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A part of a photo, and treatments of it.

    Attributes:
        photo: the part, RGB, as it was measured.
        auxiliary: of the picture that the task needs what belongs to it.
        box: where it lies in the photo, at the size at which that is restored.
        whole: (W, H) of that.
        treatments: the present settings first.
    """

    photo: Image.Image
    auxiliary: Image.Image | None
    box: Box
    whole: tuple[int, int]
    treatments: tuple[Treatment, ...]

    @classmethod
    def of(
        cls,
        photo: Image.Image,
        settings: Settings,
        diagnosis: Diagnosis,
        auxiliary: Image.Image | None = None,
        at: tuple[float, float] | None = None,
    ) -> Self:
        """What may be tried.

        Args:
            photo: RGB; it is used at the size that the settings say.
            settings: of a photo that is degraded already; without sigma_y it is the one that was found.
            diagnosis: of the photo.
            auxiliary: the picture that the task needs; None for that in the settings.
            at: the middle of the part, as shares of the width and the height; None for where it tells most.

        Raises:
            ParameterError: the photo is clean, or no part tells of what is done to the whole.
            ProblemError: mask and photo do not fit, or nothing is missing in that part.
        """
        check(settings)
        if settings.sigma_y is None:
            settings = replace(settings, sigma_y=round(diagnosis.sigma_y, 3))
        treatments = tuple(proposed(settings, diagnosis))
        step, side = grid(settings.damage), part_side([each.settings.damage for each in treatments])
        helper = _helper(settings, auxiliary)
        mask = helper if settings.damage.auxiliary == "mask" else None
        if mask is not None and settings.size is not None:  # as `Settings.problem` does
            photo = masks.filled(photo, mask)
        picture = images.fit(photo, settings.size)
        missing = None if mask is None else masks.at(mask, (picture.height, picture.width))
        if at is None:
            box = telling_box(picture, side, settings.sigma_y or 0.0, missing, step)
        else:
            box = box_at(picture.size, at, side, step)
        if missing is not None:
            part = missing[box.top : box.bottom, box.left : box.right]
            if not part.any():
                raise ProblemError("Nothing is missing in this part. Move it to where something is to be filled in.")
            helper = Image.fromarray(part.astype(np.uint8) * 255)
        return cls(picture.crop(box), helper, box, picture.size, treatments)

    @property
    def runs(self) -> list[Settings]:
        """The treatments' settings as they are for the part."""
        return [
            replace(each.settings, size=None, samples=1, full_size=False, keep_metadata=False, auxiliary="")
            for each in self.treatments
        ]

    @property
    def filled(self) -> Image.Image | None:
        """Where alone the part is changed, mode L; None where all of it may be."""
        settings = self.treatments[0].settings
        kept = settings.damage.keeps_known(settings.sigma_y or 0.0, degraded=True)
        return self.auxiliary if kept else None

    def run(self, denoiser: Denoiser | Load | None = None) -> Iterator[Tried]:
        """Restores the part, one treatment after another, as `restore` does; `denoiser` as for `run_all`.

        Raises:
            ProblemError: one of them fails.
        """
        first: Image.Image | None = None
        for progress in run_all(self.runs, self.photo, self.auxiliary, denoiser):
            if progress.record is None:
                continue
            image, treatment = progress.record.image, self.treatments[progress.index]
            if progress.record.failure or image is None:
                raise ProblemError(progress.record.failure)
            first = first or image
            yield Tried(treatment, image, difference(image, first, self.filled))


@dataclass(frozen=True)
class Tried:
    """What a treatment made of the part.

    Attributes:
        treatment: it.
        image: the part as it is then.
        difference: from what the present settings make of it, as `difference` says.
    """

    treatment: Treatment
    image: Image.Image
    difference: float

    @property
    def note(self) -> str:
        """What its picture says too softly; empty where all is seen."""
        return noted(self.difference)


def noted(difference: float) -> str:
    """What is said of a treatment that differs by so many levels from the present one."""
    return "" if difference == 0 or difference >= VISIBLE else "Hardly differs here."


def difference(image: Image.Image, other: Image.Image, where: Image.Image | None = None) -> float:
    """Levels of 255 by which two pictures differ on average, at the size of the larger one; where a mask says so."""
    size = max(image.size, other.size)
    one, two = (np.asarray(each.resize(size, Image.Resampling.BICUBIC), np.float32) for each in (image, other))
    off = np.abs(one - two).mean(-1)
    if where is not None:
        off = off[np.asarray(where.resize(size, Image.Resampling.NEAREST)) > 0]
    return float(off.mean())


def _helper(settings: Settings, given: Image.Image | None) -> Image.Image | None:
    """The picture that the task needs."""
    kind = settings.damage.auxiliary
    if not kind:
        return None
    picture = settings.auxiliary_picture if given is None else settings.damage.load(given)
    if picture is None and kind == "mask":
        raise ProblemError("This task needs a mask. Brush over the missing part or upload a mask picture.")
    return picture


def check(settings: Settings) -> None:
    """Refuses what is not tried on a part.

    Raises:
        ParameterError: with a sentence.
    """
    if not settings.degraded:
        raise ParameterError(
            "Treatments are tried on a photo that is degraded already, and this one is clean. Set the mode to degraded."
        )
    damage = settings.damage
    links = damage.links if isinstance(damage, Chain) else (damage,)
    for link in links:
        if link.alone or isinstance(link, InpaintBox | InpaintHalf):
            raise ParameterError(f"{link.name} looks at the whole photo at once, so that a part tells nothing of it.")


def part_side(damages: Sequence[Task]) -> int:
    """Side in pixels of the part as it is measured, for these damages, the present one first."""
    present, *_ = enlarged = [damage.image_shape((1, 1))[0] for damage in damages]
    return max(BLOCK, int(min(RESTORED / present, LARGEST / max(enlarged))) // BLOCK * BLOCK)


def try_on_crop(
    photo: images.Photo,
    settings: Settings | None = None,
    *,
    auxiliary: images.Photo | None = None,
    at: tuple[float, float] | None = None,
    denoiser: Denoiser | None = None,
) -> list[Tried]:
    """Two to four ways to restore a degraded photo, each done to the part of it that tells most.

    Args:
        photo: the degraded photo.
        settings: the present ones; those that the diagnosis suggests when None.
        auxiliary: the picture that the task needs, where the settings do not have it inside.
        at: the middle of the part, as shares of the width and the height.
        denoiser: the prior, whatever the settings name; what they name when None.

    Returns:
        The present settings' first. `tried.image` is the part as it is then, `tried.treatment` has the name in
        everyday words and complete settings; one alone where nothing else is called for.

    Raises:
        InverseError: with a sentence on the cause and the remedy.
    """
    picture = images.load(photo)
    found = diagnose(photo)
    chosen = found.settings() if settings is None else settings
    helper = None if auxiliary is None else chosen.damage.load(auxiliary)
    return [*Trial.of(picture, chosen, found, helper, at).run(denoiser)]
