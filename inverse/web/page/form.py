"""From the components' raw values to what the library understands."""

from __future__ import annotations

from typing import Any

from PIL import Image

from inverse.denoisers.cards import EMBEDDED
from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS, Task
from inverse.operators.chain import in_order
from inverse.settings import DEGRADED, Settings
from inverse.settings.fields import THEN
from inverse.solvers import SOLVERS
from inverse.web.base.pictures import from_uri
from inverse.web.elements.controls import Values, in_plain_words
from inverse.web.elements.photos import UNKNOWN
from inverse.web.jobs import offers, priors
from inverse.web.jobs.job import Job
from inverse.web.page.page import Page

NO_PHOTO = "The server has no photo of this page: it was restarted perhaps. Choose a photo again, or reload the page."


def job(page: Page, values: Values) -> Job:
    """What is chosen on the page.

    Raises:
        InverseError: with a sentence on what is missing or wrong.
    """
    photo, file = chosen_photo(page, values), values[page.photo_file] or UNKNOWN
    return Job(settings(page, values), photo, auxiliary_picture(page, values), file)


def chosen_photo(page: Page, values: Values) -> Image.Image:
    """The photo on the page; ProblemError where the server has none."""
    if values[page.photo] is None:
        raise ProblemError(NO_PHOTO)
    return values[page.photo]


@in_plain_words()
def settings(page: Page, values: Values) -> Settings:
    """What the page says, checked by the library.

    Raises:
        ParameterError: with a sentence that names the field and its range.
    """
    task, solver = TASKS.find(values[page.task]).name, SOLVERS.find(values[page.solver]).name
    prior = priors.find(values[page.prior])
    others = {name: values[component] for name, component in page.settings.items()}
    kind = damage(page, values)
    for name, known in Settings.specs().items():
        hidden = known.clean_only and values[page.mode] == DEGRADED
        if known.linear_only and not estimates(kind, prior.name):
            others[name] = Settings.defaults()[name]
        elif name in others and (hidden or (known.none and others[name] == "")):
            others[name] = None
    return offers.create(
        mode=values[page.mode],
        task=task,
        task_parameters=page.tasks.read(task, values),
        prior=prior.identity,
        solver=solver,
        solver_parameters=page.solvers.read(solver, values),
        **others,
    )


def damage(page: Page, values: Values) -> Task:
    """All that is chosen to have happened to the photo, the first task at its defaults; without what cannot follow it.

    Raises:
        ParameterError: the task is unknown.
    """
    first = TASKS.find(values[page.task])()
    try:
        return in_order(first, THEN.check("then", values.get(page.settings["then"])))
    except ParameterError:  # as `settings` says
        return first


def estimates(damage: Task, prior: str) -> bool:
    """Whether there is a conditional estimator: for single linear tasks, with the embedded prior."""
    return damage.estimable and prior == EMBEDDED


LIMITED = (*(name for name, known in Settings.specs().items() if known.linear_only), "pyramid")
"""Settings that not every task and prior takes."""


def offered(damage: Task, prior: str) -> dict[str, bool]:
    """Whether each of these is offered: the pyramid where its thresholds were measured, others with an estimator."""
    coarse = bool(priors.find(prior).card.thresholds)
    return {name: coarse if name == "pyramid" else estimates(damage, prior) for name in LIMITED}


def auxiliary_picture(page: Page, values: Values) -> Image.Image | None:
    """The picture that the chosen task needs: the brushed mask or strokes, or what was uploaded for its kind.

    Raises:
        ImageError: the mask is not a picture.
    """
    task = damage(page, values)
    kind = task.auxiliary
    if kind == "mask":
        return from_uri(drawn(values[page.mask]))
    if kind == "strokes":
        return from_uri(drawn(values[page.strokes]), task.load)
    return values[page.auxiliary].get(kind) if kind else None


def drawn(value: Any) -> Any:
    """What a pad holds, inside the value that it exchanges with us."""
    return value.get("mask") if isinstance(value, dict) else value
