"""Treatments of a visitor's photo on a part of it: several runs in one go, as a comparison is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from PIL import Image

from inverse.diagnosis import Diagnosis
from inverse.treatments import Treatment, Trial
from inverse.treatments.trial import difference, noted
from inverse.web.base.pictures import exact, jpeg
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job

MAP = 200
"""Longer side in pixels of the whole photo, on which the part is shown and moved."""


@dataclass(frozen=True, eq=False)
class TrialJob(Job):
    """A job on a part of the photo. Its runs are of several sizes, where one of them enlarges."""

    @classmethod
    def of(cls, job: Job, trial: Trial) -> Self:
        runs = trial.runs
        return cls(runs[0], trial.photo, trial.auxiliary, job.file, tuple(runs))

    @cached_property
    def image_shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(H, W) of an image that takes as long as the runs' do on average."""
        width, height = self.photo.size
        shapes = [run.damage.image_shape((height, width)) for run in self.runs]
        weighed = sum(run.passes * h * w for run, (h, w) in zip(self.runs, shapes, strict=True))
        return round(weighed / sum(run.passes for run in self.runs)), 1


def trial_of(job: Job, diagnosis: Diagnosis, at: tuple[float, float] | None) -> Trial:
    """What is tried of a job; `at` as in `Trial.of`.

    Raises:
        InverseError: nothing can be.
    """
    return Trial.of(job.photo, job.used, diagnosis, job.auxiliary, at)


def head(job: Job, trial: Trial) -> dict[str, Any]:
    """What the page needs to show the part, and the treatments before they are done."""
    (left, top, right, bottom), (width, height) = trial.box, trial.whole
    return {
        "photo": jpeg(job.photo, 80, MAP),
        "part": [left / width, top / height, right / width, bottom / height],
        "before": exact(trial.photo),
        "treatments": [{"name": each.name, "words": each.words} for each in trial.treatments],
    }


def notes(batch: Batch, trial: Trial) -> dict[int, str]:
    """What is said beside the pictures of those that are done, by their places."""
    pictures: dict[int, Image.Image] = {at: record.image for at, record in batch.done.items() if record.image}
    if 0 not in pictures:
        return {}
    return {at: noted(difference(image, pictures[0], trial.filled)) for at, image in pictures.items()}


def called(treatments: list[Treatment]) -> str:
    """Their names but for the present settings', for a sentence."""
    return ", ".join(each.name.lower() for each in treatments[1:])
