"""From the components' raw values to what the library understands."""

from __future__ import annotations

from typing import Any

from PIL import Image

from inverse.operators import TASKS
from inverse.solvers import SOLVERS
from inverse.web.base.pictures import from_uri
from inverse.web.elements.controls import Values, in_plain_words
from inverse.web.jobs.settings import DEGRADED, Settings
from inverse.web.page.page import Page


@in_plain_words()
def settings(page: Page, values: Values) -> Settings:
    """What the page says, checked by the library.

    Raises:
        ParameterError: with a sentence that names the field and its range.
    """
    task, solver = TASKS.find(values[page.task]).name, SOLVERS.find(values[page.solver]).name
    return Settings.create(
        mode=values[page.mode],
        size=values[page.size],
        task=task,
        task_parameters=page.tasks.read(task, values),
        sigma_y=values[page.sigma_y],
        solver=solver,
        solver_parameters=page.solvers.read(solver, values),
        seed=values[page.seed],
        photons=None if values[page.mode] == DEGRADED else values[page.photons] if values[page.photons] != "" else None,
        samples=values[page.samples],
    )


def auxiliary_picture(page: Page, values: Values) -> Image.Image | None:
    """The picture that the chosen task needs: the brushed mask, or the one that was uploaded for its kind.

    Raises:
        ImageError: the mask is not a picture.
    """
    kind = TASKS.find(values[page.task]).auxiliary
    if kind == "mask":
        return from_uri(drawn(values[page.mask]))
    return values[page.auxiliary].get(kind) if kind else None


def drawn(value: Any) -> Any:
    """What the mask pad holds, inside the value that it exchanges with us."""
    return value.get("mask") if isinstance(value, dict) else value
