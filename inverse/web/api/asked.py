"""What a client of the API asked for, checked: photos, settings, axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from inverse.batch.sweep import PRIOR, Axis
from inverse.batch.sweep import axis as sweep_axis
from inverse.errors import ParameterError
from inverse.results.problem import Problem
from inverse.settings import SCHEMA, Settings
from inverse.settings.fields import PRIOR as PRIOR_TEXT
from inverse.web.base.guards import uploaded, uploaded_helper, uploaded_photo
from inverse.web.elements.photos import received
from inverse.web.jobs import priors
from inverse.web.jobs.fullsize import FullJob
from inverse.web.jobs.job import Job, estimated_noise
from inverse.web.jobs.offers import SAMPLES, with_offered_priors


def path_of(value: Any) -> Any:
    """Where a file that was sent is."""
    return value.get("path") if isinstance(value, Mapping) else value


def understood(problem: Problem) -> list[str]:
    """What a mask was taken for."""
    if problem.task.auxiliary != "mask" or problem.operator.missing is None:
        return []
    return [f"The mask marks {problem.operator.missing:.1%} of the pixels as missing."]


def job_of(photo: Any, data: Any, auxiliary: Any, prior: Any = "") -> tuple[Job, list[str]]:
    """What a client wants done, and sentences on what of it could not be honoured.

    Raises:
        InverseError: a file is not usable, or a value is not allowed.
    """
    picture = uploaded_photo(path_of(photo))
    if not isinstance(data, Mapping | None):
        raise ParameterError("settings must be an object with names and values. The endpoint solvers lists them.")
    data = {"schema": SCHEMA, **(data or {})}
    if prior != "" or PRIOR in data:
        named = PRIOR_TEXT.check(PRIOR, prior if prior != "" else data[PRIOR])
        data[PRIOR] = priors.find(named).identity
    found, notes = Settings.from_dict(data)
    SAMPLES.check("samples", found.samples)
    if found.sigma_y is None and not found.full_size:
        found = replace(found, sigma_y=estimated_noise(picture, found.damage))
    helper = None if auxiliary is None else uploaded_helper(path_of(auxiliary), found.damage)
    if found.full_size:  # and the mask at its own size
        helper = None if auxiliary is None else found.task.load(uploaded(path_of(auxiliary)))
        return FullJob(found, picture, helper, received(path_of(photo))[1]), notes
    job = Job(found, picture, helper)
    size = job.used.size
    if size is not None and size < min(found.size or size + 1, *picture.size):
        notes.append(f"The photo is used with a shorter side of {size} pixels, the most that is possible here.")
    return job, notes


def axis_of(chosen: Settings, which: str, text: Any) -> Axis:
    """An axis of a sweep, of steps=10,20,40.

    Raises:
        ParameterError: it cannot be understood.
    """
    if not isinstance(text, str) or "=" not in text or len(text) > 1000:
        raise ParameterError(f"{which} must name a parameter and its values. Write for instance steps=10,20,40.")
    name, _, values = text.partition("=")
    return with_offered_priors(sweep_axis(chosen, name.strip(), values))
