"""Treatments of a visitor's photo on a part of it: several runs in one go, as a comparison is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from PIL import Image

from inverse.diagnosis import Diagnosis
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.treatments import Box, Treatment, Trial, proposed
from inverse.treatments.trial import check, difference, noted, part_side
from inverse.web.base.pictures import exact, jpeg
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job

MAP = 200
"""Longer side in pixels of the whole photo, on which the part is shown and moved."""
NOTHING = "Nothing else is worth a try: nothing more seems wrong with this photo. Say under Damage what you see."


@dataclass(frozen=True, eq=False)
class TrialJob(Job):
    """A job on a part of the photo. Its runs are of several sizes, where one of them enlarges."""

    @classmethod
    def of(cls, job: Job, trial: Trial) -> Self:
        runs = trial.runs
        return cls(runs[0], trial.photo, trial.auxiliary, job.file, tuple(runs))

    @classmethod
    def planned(cls, job: Job, treatments: Sequence[Treatment]) -> Self:
        """The same before anybody looked for the part: a grey one of its size."""
        side = part_side([each.settings.damage for each in treatments])
        _, (width, height) = images.fitted(job.photo.size, job.used.size)
        box = Box(0, 0, min(side, width), min(side, height))
        part = Image.new("RGB", box.size, "grey")
        return cls.of(job, Trial(part, None, box, (width, height), tuple(treatments)))

    @cached_property
    def image_shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """(H, W) of an image that takes as long as the runs' do on average."""
        width, height = self.photo.size
        shapes = [run.damage.image_shape((height, width)) for run in self.runs]
        weighed = sum(run.passes * h * w for run, (h, w) in zip(self.runs, shapes, strict=True))
        return round(weighed / sum(run.passes for run in self.runs)), 1


def trial_of(job: Job, diagnosis: Diagnosis, at: tuple[float, float] | None = None) -> Trial:
    """What is tried of a job; `at` as in `Trial.of`.

    Raises:
        InverseError: nothing can be.
    """
    return Trial.of(job.photo, job.used, diagnosis, job.auxiliary, at)


def offered(job: Job, diagnosis: Diagnosis) -> list[Treatment]:
    """The treatments of a job.

    Raises:
        ParameterError: there are none, or none can be tried on a part.
    """
    check(job.used)
    found = proposed(job.used, diagnosis)
    if len(found) < 2:
        raise ParameterError(NOTHING)
    return found


def head(job: Job, trial: Trial) -> dict[str, Any]:
    """What the page needs to show the part, and the treatments before they are done."""
    (left, top, right, bottom), (width, height) = trial.box, trial.whole
    return {
        "photo": jpeg(job.photo, 80, MAP),
        "part": [left / width, top / height, right / width, bottom / height],
        "before": exact(trial.photo),
        "treatments": [{"name": each.name, "words": each.words} for each in trial.treatments],
    }


def notes(batch: Batch, trial: Trial) -> dict[str, str]:
    """What is said beside the pictures of those that are done, by their places."""
    pictures = {at: record.image for at, record in batch.done.items() if record.image}
    if 0 not in pictures:
        return {}
    return {str(at): noted(difference(image, pictures[0], trial.filled)) for at, image in pictures.items()}
