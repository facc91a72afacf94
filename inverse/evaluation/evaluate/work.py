"""Work: jobs become outcomes, on this machine; those of one prior share batches where that pays."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import groupby
from typing import Any

import torch
from PIL import Image

import inverse
from inverse.batch.runs import Load, Run, run_with
from inverse.denoisers.base import Denoiser
from inverse.errors import ImageError
from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.results import Outcome
from inverse.imaging import images
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.solvers import Step

Photos = Callable[[str], images.Photo]
"""Gives a photo by the name of its file; its path, where it is to travel."""


def work(jobs: Sequence[Job], photos: Photos, load: Load, pictures: bool = True) -> Generator[Outcome, None, None]:
    """Does jobs in their order, those of a prior after those of another; close it to stop.

    A job that fails is an outcome with the reason, and the others go on.

    Args:
        jobs: each with a photo that `photos` knows.
        photos, load: give the photos and the priors.
        pictures: whether results are kept as pictures, which metrics of pictures need.

    Raises:
        PriorError: a prior cannot be loaded, which is no fault of the jobs.
    """
    for prior, same in groupby(jobs, key=lambda job: job.settings.prior):
        yield from _work_with(load(prior), list(same), photos, pictures)


def _work_with(denoiser: Denoiser, jobs: list[Job], photos: Photos, pictures: bool) -> Generator[Outcome, None, None]:
    about = {"device": _device(denoiser), "inverse": inverse.__version__, "torch": torch.__version__}
    with closing(run_with(denoiser, _runs(jobs, photos))) as progresses:
        for progress in progresses:
            if progress.record is not None:
                job = jobs[progress.index]
                wanted = pictures and not progress.record.failure
                kept = _pictures(job, progress.problem, progress.step) if wanted else {}
                yield Outcome({"id": job.id, **_figures(progress.record), **about, "pictures": list(kept)}, kept)


def _runs(jobs: Iterable[Job], photos: Photos) -> Iterator[Run]:
    """A run for each job, its photo decoded when it begins, and once for jobs in a row that share it."""
    key, photo = None, None
    for index, job in enumerate(jobs):
        if photo is None or key != (job.photo, job.settings.size):
            key, photo = (job.photo, job.settings.size), photos(job.photo)
            with suppress(ImageError):  # else the run says it again, and is the outcome
                photo = images.fit(images.load(photo), job.settings.size, square=True)
        yield Run(index, job.settings, photo, samples=job.settings.samples)


def _figures(record: Record) -> dict[str, Any]:
    """Plain data of a record, without what JSON has no numbers for."""
    figures = record.figures
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def _pictures(job: Job, problem: Problem | None, step: Step | None) -> dict[str, bytes]:
    """The original, what was measured, and the restorations; the first two under names of their content, for jobs that
    share them."""
    if problem is None or step is None or problem.truth is None:
        return {}
    shared = images.to_image(problem.truth), problem.measurement
    found = {f"{hashlib.sha256(content).hexdigest()[:24]}.png": content for content in map(_png, shared)}
    return found | {
        f"{job.id}-{sample}.png": _png(images.to_image(torch.nan_to_num(x0_hat)))
        for sample, x0_hat in enumerate(step.x0_hat)
    }


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _device(denoiser: Denoiser) -> str:
    """What computed, for whoever compares seconds."""
    device = denoiser.device
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} CPU thread(s), {torch.backends.cpu.get_cpu_capability()}"
