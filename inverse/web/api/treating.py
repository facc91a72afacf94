"""Treatments on a part of a photo, for programs. Its docstring is what a caller reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from gradio import FileData

from inverse.errors import ParameterError
from inverse.settings import DEGRADED
from inverse.treatments import Trial, Tried
from inverse.treatments.sheet import figure
from inverse.treatments.trial import difference
from inverse.web.api import answers
from inverse.web.api.answers import spoken_as_text
from inverse.web.api.asked import job_of, path_of
from inverse.web.base.guards import uploaded, uploaded_photo
from inverse.web.elements.history import plain
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.job import Job
from inverse.web.jobs.trying import TrialJob, trial_of


def treatments(
    photo: FileData, settings: dict[str, Any] | None = None, auxiliary: FileData | None = None, at: str = ""
) -> Iterator[tuple[FileData | None, dict[str, Any]]]:
    """Restore a part of a damaged photo in two to four ways, to choose one of them for the whole. Streams records on the progress; the last one comes with the ways side by side.

    Args:
        photo: The damaged photo, an uploaded file: PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.
        settings: The present ones, as for the endpoint restore; what the endpoint diagnose suggests when they are left out.
        auxiliary: The picture that some tasks need: a mask, white where the photo is missing, or a blur kernel.
        at: The middle of the part, as shares of the width and the height, like 0.5,0.3; empty for where it tells most.

    Returns:
        The part as it is and as each way leaves it, side by side, as a PNG (none until the end), and a record: phase, message; at the end part (left, top, right, bottom in pixels of the photo at the size at which it is restored), treatments (name, words, difference from the present settings in levels of 255, settings for the endpoint restore) and notes on what in the settings could not be honoured.
    """  # noqa: E501  (Gradio reads one line a parameter)
    batch = Batch()
    with spoken_as_text():
        job, notes = _job(photo, settings, auxiliary)
        trial = trial_of(job, diagnosed(uploaded(path_of(photo))), _place(at))
        views = batch.begin(TrialJob.of(job, trial), {})
    with spoken_as_text(), closing(views):
        for view in views:
            record = {"phase": view["phase"], "message": view["message"]}
            if view["phase"] != "done":
                yield None, record
                continue
            tried = _tried(trial, batch)
            file = answers.saved(figure(trial, tried).png(), "treatments.png")
            yield file, {**record, "part": [*trial.box], "treatments": [_told(each) for each in tried], "notes": notes}


def _job(photo: Any, settings: Any, auxiliary: Any) -> tuple[Job, list[str]]:
    if settings is not None:
        data = {"mode": DEGRADED, **settings} if isinstance(settings, dict) else settings
        return job_of(photo, data, auxiliary)
    found = diagnosed(uploaded(path_of(photo))).settings()
    if auxiliary is not None:
        return job_of(photo, plain(found), auxiliary)
    return Job(found, uploaded_photo(path_of(photo)), found.auxiliary_picture), []


def _place(at: Any) -> tuple[float, float] | None:
    if at == "":
        return None
    try:
        x, y = (float(each) for each in at.split(","))
    except (AttributeError, ValueError):
        x = y = -1.0
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ParameterError("at must be two shares from 0 to 1, of the width and of the height. Write 0.5,0.3.")
    return x, y


def _tried(trial: Trial, batch: Batch) -> list[Tried]:
    pictures = {index: record.image for index, record in batch.done.items() if record.image}
    first = pictures.get(0)
    return [
        Tried(trial.treatments[index], image, difference(image, first or image, trial.filled))
        for index, image in sorted(pictures.items())
    ]


def _told(tried: Tried) -> dict[str, Any]:
    treatment = tried.treatment
    return {
        "name": treatment.name,
        "words": treatment.words,
        "difference": round(tried.difference, 2),
        "settings": plain(treatment.settings),
    }
