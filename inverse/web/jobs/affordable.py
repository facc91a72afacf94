"""What a preview needs of memory, known before it is made; and the size at which it may be made."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

from PIL import Image

from inverse.denoisers import memory
from inverse.errors import InverseError
from inverse.imaging import images
from inverse.operators import Task
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.web.base import limits
from inverse.web.jobs.job import Job

PROBE = 64
"""Side of the photo on which the need is measured, in pixels."""
UNKNOWN = 256
"""Bytes a pixel of a task that cannot be tried on a small photo."""
BESIDE = 40
"""Bytes a pixel of the pictures on their way to the page, which PyTorch does not know of."""
SMALLEST = 64
"""A preview is never smaller, whatever it costs."""


def affordable(job: Job) -> Job:
    """The job whose problem is previewed: with a smaller size where that needs more memory than it may."""
    needed, most = need(job), limits.current().preview * 2**20
    if needed <= most:
        return job
    size = max(SMALLEST, int((job.used.size or min(job.photo.size)) * math.sqrt(most / needed)))
    if job.settings.degraded:  # such a photo is used at its own size
        return replace(job, photo=images.fit(job.photo, size))
    return replace(job, settings=replace(job.settings, size=size))


def need(job: Job) -> float:
    """Bytes that the preview of a job takes."""
    height, width = job.image_shape
    return bytes_per_pixel(job.settings.damage, job.settings.degraded) * height * width


@lru_cache(maxsize=256)
def bytes_per_pixel(task: Task, degraded: bool) -> float:
    """Memory for each pixel of the restored image while a problem is made and its measurement drawn.

    It is measured on a small photo: tensors alone count, which are nearly all there is.
    """
    side = -(-PROBE // task.multiple) * task.multiple
    photo = Image.new("RGB", (side, side), "grey")
    auxiliary = None
    if task.auxiliary:
        auxiliary = Image.new("RGBA", (15, 15))
        auxiliary.paste("red", (5, 5, 10, 10))
    settings = Settings.create(mode=DEGRADED if degraded else CLEAN, task=task, sigma_y=0.05)
    try:
        with memory.Ledger() as ledger:
            problem = settings.problem(photo, auxiliary)
            pixels = math.prod(problem.operator.image_shape[-2:])
            images.to_image(problem.operator.preview(problem.y))
    except InverseError:  # it does not fit so small a photo
        return UNKNOWN
    return ledger.peak / pixels + BESIDE
