"""Settings that come as a whole are put on the page: from a file, a link, a cell of a sweep, or plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from inverse.denoisers.cards import EMBEDDED
from inverse.diagnosis import Diagnosis
from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.settings import DEGRADED, Settings
from inverse.settings.another_prior import with_prior
from inverse.settings.saved import plain_data
from inverse.solvers.presets import default_solver_for
from inverse.solvers.qualities import at_quality
from inverse.verdicts.finding import Remedy
from inverse.web.base.pictures import mask_uri, strokes_uri
from inverse.web.elements import chooser, faults, verdict
from inverse.web.elements.controls import Values
from inverse.web.jobs import priors
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.job import estimated_noise
from inverse.web.jobs.offers import DEFAULT_SIZE, solvers_here, tasks_for
from inverse.web.page import cards, form, offering
from inverse.web.page.drawn import on_pad
from inverse.web.page.page import Page, Updates


def change_faults(page: Page, values: Values) -> Updates:
    """It was said in plain words what is wrong: task, further damages, noise and mask that mean the same.

    Raises:
        ProblemError: the server has no photo.
    """
    photo = form.chosen_photo(page, values)
    seen, wrong = values[page.diagnosis] or diagnosed(photo), faults.ticked(values[page.faults])
    prior = priors.find(values[page.prior])
    settings = with_prior(seen.settings(wrong), prior.identity)
    if quality := values.get(page.quality):  # it stays, whatever is wrong
        solver = at_quality(quality, settings.damage, prior.card.kind, prior.name == EMBEDDED)
        settings = replace(settings, solver=solver)
    if not settings.damage.auxiliary or settings.auxiliary:
        changes: Updates = {page.mask: {"mask": "", "reset": True}}
    else:
        changes = {}  # what was brushed stays
    return changes | repair(page, settings, seen, wrong, photo, values[page.auxiliary])


def repair(
    page: Page, settings: Settings, seen: Diagnosis, wrong: Sequence[str], photo: Image.Image,
    pictures: dict[str, Image.Image],
) -> Updates:  # fmt: skip
    """Puts settings on the page that undo what is wrong with a photo, and says so in plain words.

    Args:
        page: the page.
        settings: of `seen.settings(wrong)`.
        seen: what is known of the photo.
        wrong: what is ticked.
        photo: the one on the page.
        pictures: the auxiliary ones on the page, by kind.
    """
    kept = (page.settings["seed"], page.settings["samples"])
    changes = adopt(page, settings, photo, pictures)
    changes = {component: update for component, update in changes.items() if component not in kept}
    return {**changes, page.faults: faults.found(seen, wrong), page.diagnosis: seen}


def change_by_verdict(page: Page, values: Values) -> Updates:
    """What a verdict proposes is to be tried: the settings that it changes, and nothing else.

    Raises:
        ParameterError: it proposes nothing of the kind.
    """
    changes = verdict.asked(values[page.verdict])
    settings = Remedy("", changes).applied(form.settings(page, values))
    said = adopt(page, settings, form.chosen_photo(page, values), values[page.auxiliary])
    return {**said, page.faults: values[page.faults], page.diagnosis: values[page.diagnosis]}


def adopt(page: Page, settings: Settings, photo: Image.Image | None, pictures: dict[str, Image.Image]) -> Updates:
    """Puts settings on the page.

    Args:
        page: the page.
        settings: from a file, a link, a cell of a sweep.
        photo: the one on the page.
        pictures: the auxiliary ones on the page, by kind.
    """
    mode = settings.mode
    task, solver, kind = settings.task.name, settings.solver.name, settings.damage.auxiliary
    offered = tasks_for(mode)
    if task not in offered:
        offered = [*offered, task]
    prior = priors.find(settings.prior).name
    if solver not in solvers_here(settings.damage, prior):
        raise ProblemError(
            f"{settings.solver.title} cannot deal with {settings.damage.title} and this prior. Choose another solver."
        )
    usual = default_solver_for(settings.damage, estimator=prior == EMBEDDED)
    changes = {
        page.mode: mode,
        page.mode_note: cards.MODE_WORDS[mode],
        page.faults_panel: gr.update(visible=mode == DEGRADED),
        **{page.settings[name]: update for name, update in _settings(page, settings, photo).items()},
        page.sigma_y_note: "",
        **offering.for_task(page, task, settings.damage, solver, prior),
        page.prior: offering.menu_of_priors(prior),
        page.solver_by_hand: not settings.quality and solver != usual,
        **page.tasks.groups[task].updates(settings.task.to_dict()),
        **page.solvers.groups[solver].updates(settings.solver.to_dict()),
        page.task: chooser.offer(TASKS, offered, task),
    }
    picture = settings.auxiliary_picture
    if picture is not None and kind == "mask":
        changes[page.mask] = {"mask": mask_uri(on_pad(picture, settings, photo))[0], "load": True}
    elif picture is not None and kind == "strokes":
        changes[page.strokes] = {"mask": strokes_uri(picture)[0], "load": True}
    elif picture is not None:
        changes[page.auxiliary] = {**pictures, kind: picture}
    return changes


def _settings(page: Page, settings: Settings, photo: Image.Image | None) -> dict[str, Any]:
    """Updates by name: values, and whether a clean photo's are shown."""
    known, offered, updates = settings.specs(), form.offered(settings.damage, settings.prior), {}
    for name in page.settings:
        shown = offered.get(name, True) and not (known[name].clean_only and settings.degraded)
        limited = known[name].clean_only or name in offered
        value = plain_data(getattr(settings, name))
        updates[name] = gr.update(value=value, visible=shown) if limited else value
    if settings.sigma_y is None:
        updates["sigma_y"] = DEFAULT_SIGMA_Y if photo is None else estimated_noise(photo, settings.damage)
    if settings.degraded:
        return {**updates, "size": gr.update(visible=False)}
    size = settings.size or (min(photo.size) if photo else DEFAULT_SIZE)  # to those on offer it may add one of its own
    return {**updates, "size": offering.sizes(size, visible=True)}
