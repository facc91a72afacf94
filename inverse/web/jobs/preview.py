"""What the page shows before anything is restored: the photo, what is left of it, and words about both."""

from __future__ import annotations

from typing import Any

from PIL import Image

from inverse.errors import InverseError
from inverse.imaging import images
from inverse.results.problem import Problem
from inverse.web.base import limits
from inverse.web.base.dear import dear
from inverse.web.base.guards import MAX_STORED_SIDE
from inverse.web.base.pictures import exact, jpeg
from inverse.web.jobs.affordable import affordable, need
from inverse.web.jobs.job import Job


def show(job: Job) -> tuple[dict[str, Any], str]:
    """The value of the problem view, and what a run costs, in words.

    The view holds pictures, or the photo and a sentence on what is missing or wrong.
    """
    degraded = job.settings.degraded
    try:
        job.check()
        within = affordable(job)
        with dear(need(within)):
            problem = within.problem()
            shown = pictures(problem, degraded, job.file.size or job.photo.size)
        if within is not job:
            (height, width), (whole_height, whole_width) = problem.operator.image_shape[-2:], job.image_shape
            shown["caption"] = (
                f"{whole_width} × {whole_height} pixels. "
                f"Shown here as it is at {width} × {height}: more takes too much memory"
            )
        return shown, job.cost
    except InverseError as error:
        return unsolvable(job.photo, degraded, error), ""


def pictures(problem: Problem, degraded: bool, own: tuple[int, int]) -> dict[str, Any]:
    """The value of the problem view.

    Args:
        problem: what is to be solved.
        degraded: the measurement is the visitor's own photo.
        own: (W, H) of the photo before it was fitted to what is restored.
    """
    measurement = problem.measurement
    truth = None if problem.truth is None else images.to_image(problem.truth)
    return {
        "truth": truth and jpeg(truth, 92),
        "measured": exact(measurement),
        "measured_title": measured_title(degraded),
        "caption": _caption(problem, measurement.size, degraded, own),
        "fault": False,
    }


def unsolvable(photo: Image.Image | None, degraded: bool, error: InverseError) -> dict[str, Any]:
    """The value of the problem view while something is missing or wrong: a sentence instead of a measurement."""
    shown = photo and jpeg(photo, 92)
    return {
        "truth": None if degraded else shown,
        "measured": shown if degraded else None,
        "measured_title": measured_title(degraded),
        "caption": str(error),
        "fault": True,
    }


def measured_title(degraded: bool) -> str:
    return "Your photo" if degraded else "Damaged"


def _caption(problem: Problem, measured: tuple[int, int], degraded: bool, own: tuple[int, int]) -> str:
    height, width = problem.operator.image_shape[-2:]
    size = f"{width} × {height} pixels"
    words = size if measured == (width, height) else f"{measured[0]} × {measured[1]}, restored at {size}"
    if problem.operator.missing is not None:
        words += f", {problem.operator.missing:.1%} missing"
    if own == (measured if degraded else (width, height)):
        return words
    if not degraded:
        return f"{words}, of a photo of {own[0]} × {own[1]}"
    largest = f"{min(limits.current().side, MAX_STORED_SIDE)} pixels a side, the most that are restored here"
    return f"{words}. Your photo of {own[0]} × {own[1]} is shrunk first, to {largest}"
