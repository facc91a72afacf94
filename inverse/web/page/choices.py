"""What each choice changes elsewhere on the page: photo, mode, task, prior, solver.

Every function takes the page and the values of its inputs, and returns updates by component.
"""

from __future__ import annotations

import gradio as gr
from PIL import Image

from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.diagnosis import TITLES, Diagnosis
from inverse.operators import TASKS, Task
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.settings.another_prior import with_prior
from inverse.solvers import Solver
from inverse.solvers.presets import default_task
from inverse.solvers.qualities import QUALITIES, STANDARD, at_quality, offered
from inverse.web.base.guards import uploaded
from inverse.web.elements import chooser, damaged, faults, photos, verdict
from inverse.web.elements.controls import Values
from inverse.web.elements.further import followers
from inverse.web.elements.picker import DAMAGED, EXAMPLE_TITLES, picked
from inverse.web.elements.viewer import awaiting
from inverse.web.jobs import priors
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.job import estimated_noise
from inverse.web.jobs.offers import DEFAULT_SIZE, solvers_here, tasks_for
from inverse.web.page import cards, form, offering
from inverse.web.page.adopting import repair
from inverse.web.page.page import Page, Updates

OWN = "Your photo"


def receive_photo(page: Page, values: Values) -> Updates:
    """A photo was uploaded, pasted or chosen among the examples.

    The first one of a visitor's own counts as damaged: it would lose what is good of it otherwise. Whoever then says
    that it is clean is believed for the next ones too. An example is clean, or damaged in the way that it shows. In the
    Simple view a photo is damaged, and the repair of what is found is set up at once.

    Raises:
        ImageError: it cannot be used.
    """
    given = values[page.picker] if isinstance(values[page.picker], dict) else {}
    if "example" in given:
        return _example(page, values, str(given["example"]))
    photo, file = photos.received(given.get("path"))
    if given.get("simple"):
        return _damaged(page, values, photo, file, OWN, diagnosed(uploaded(given.get("path"))))
    before = values[page.photo_file]
    mode = values[page.mode] if before and before.own else DEGRADED
    seen = diagnosed(uploaded(given.get("path"))) if mode == DEGRADED else None
    return _as_it_is(page, values, photo, file, OWN, mode, seen)


def _example(page: Page, values: Values, name: str) -> Updates:
    if name.startswith(DAMAGED):
        return damaged_example(page, values, name)
    photo, file = photos.example(name)
    return _as_it_is(page, values, photo, file, caption_of(name), CLEAN, None)


def damaged_example(page: Page, values: Values, name: str) -> Updates:
    """A damaged example was chosen, or Simple opens with it.

    Raises:
        ImageError: there is no such example.
    """
    photo, file = photos.example(name)
    return _damaged(page, values, photo, file, caption_of(name), diagnosed(damaged.file(file.name)), [file.name])


def caption_of(name: str) -> str:
    """What an example is called on the page."""
    return EXAMPLE_TITLES.get(name) or f"Example: {TITLES[name.removeprefix(DAMAGED)].lower()}"


def _damaged(
    page: Page, values: Values, photo: Image.Image, file: photos.PhotoFile, caption: str, seen: Diagnosis,
    wrong: list[str] | None = None,
) -> Updates:  # fmt: skip
    """A damaged photo comes, and its repair is set up at once: of what is known to be wrong, or of what was found."""
    wrong = seen.suggested if wrong is None else wrong
    prior = priors.find(values.get(page.prior, EMBEDDED)).identity
    settings = with_prior(seen.settings(wrong), prior)
    return {
        **shown_photo(page, photo, file, caption),
        page.mask: {"mask": "", "reset": True},
        page.strokes: {"mask": "", "reset": True},
        **repair(page, settings, seen, wrong, photo, values[page.auxiliary]),
    }


def _as_it_is(
    page: Page, values: Values, photo: Image.Image, file: photos.PhotoFile, caption: str, mode: str,
    seen: Diagnosis | None,
) -> Updates:  # fmt: skip
    """A photo comes, and what is chosen stays, as far as it fits one of this mode."""
    changes: Updates = {
        **shown_photo(page, photo, file, caption),
        page.mask: {"mask": "", "reset": True},
        page.strokes: {"mask": "", "reset": True},
    }
    if mode == values[page.mode]:
        wrong = {page.diagnosis: seen, page.faults: faults.found(seen)}
        return {**changes, **wrong, **_noise(page, mode, form.damage(page, values), photo)}
    values = {**values, page.mode: mode, page.photo: photo, page.diagnosis: seen}
    changes |= {page.mode: mode, **change_mode(page, values)}
    return {**changes, page.mode_note: cards.NOT_DAMAGED_HERE} if mode == DEGRADED else changes


def shown_photo(page: Page, photo: Image.Image, file: photos.PhotoFile, caption: str) -> Updates:
    """The photo and its file where the page has them."""
    width, height = file.size or photo.size
    return {
        page.photo: photo,
        page.photo_file: file,
        page.picker: picked(photo, f"{caption}, {width} × {height}"),
        page.viewer: awaiting(photo),
        page.verdict: verdict.said(),
        page.status: {"phase": "idle"},
    }


def change_mode(page: Page, values: Values) -> Updates:
    """Clean or already damaged: other tasks make sense, and the noise is estimated or chosen."""
    mode, task = values[page.mode], values[page.task]
    offered = tasks_for(mode)
    if task not in offered:
        task = default_task(mode == DEGRADED)
    seen = values.get(page.diagnosis)
    if seen is None and mode == DEGRADED and values[page.photo] is not None:
        seen = diagnosed(values[page.photo])
    changes = {
        page.diagnosis: seen,
        page.faults: faults.found(seen),
        page.faults_panel: gr.update(visible=mode == DEGRADED),
        page.mode_note: cards.MODE_WORDS[mode],
        page.task: chooser.offer(TASKS, offered, task),
        page.settings["then"]: gr.update(choices=followers(offered)),
        **{
            component: gr.update(visible=mode != DEGRADED)
            for name, component in page.settings.items()
            if name == "size" or Settings.specs()[name].clean_only
        },
        **_follow(page, values[page.prior], {**values, page.task: task}),
        **_noise(page, mode, form.damage(page, {**values, page.task: task}), values[page.photo]),
    }
    return changes if mode == DEGRADED else {**changes, page.settings["sigma_y"]: DEFAULT_SIGMA_Y}


def change_task(page: Page, values: Values) -> Updates:
    """The task, or what came after it. Holes and mosaics are told from noise only when these are known, so it is
    estimated again."""
    mode = values[page.mode]
    noise = _noise(page, mode, form.damage(page, values), values[page.photo]) if mode == DEGRADED else {}
    unsaid: Updates = {page.faults: faults.found(values.get(page.diagnosis))}  # what was ticked meant another task
    return {**unsaid, **_follow(page, values[page.prior], values), **noise}


def change_prior(page: Page, values: Values) -> Updates:
    """Another prior: presets of its kind, its own size, and the estimator only where it has one.

    Raises:
        ParameterError: it is not offered here.
    """
    offer = priors.find(values[page.prior])
    size = offer.card.size or DEFAULT_SIZE
    changes = {**_follow(page, offer.name, values), page.prior: offering.menu_of_priors(offer.name)}
    if values[page.mode] != DEGRADED:
        changes[page.settings["size"]] = offering.sizes(size, visible=True)
    return changes


def change_solver(page: Page, values: Values) -> Updates:
    """The visitor chose a solver, and keeps it on other tasks."""
    return {**reset(page, values), page.solver_by_hand: True}


def change_quality(page: Page, values: Values) -> Updates:
    """The visitor chose what it is to be like: solver and settings that are so, and as many samples as show it.

    Raises:
        ParameterError: there is no such quality.
    """
    damage, prior = form.damage(page, values), values[page.prior]
    solver = _at(page, values, damage, prior)
    return {
        page.solver: solver.name,
        page.settings["samples"]: QUALITIES[values[page.quality]].samples,
        **offering.for_solver(page, damage, solver.name, prior, solver),
        page.solver_by_hand: False,
    }


def qualities(settings: Settings) -> list[tuple[str, str]]:
    """(title, name) of those that differ, for a damage and a prior."""
    found = offered(settings.damage, kind_of(settings.prior), settings.prior == EMBEDDED)
    return [(QUALITIES[name].title, name) for name in found]


def _at(page: Page, values: Values, damage: Task, prior: str) -> Solver:
    """What the chosen quality is for a damage and a prior; the standard where none is chosen."""
    kind = priors.find(prior).card.kind
    return at_quality(values.get(page.quality) or STANDARD, damage, kind, prior == EMBEDDED)


def reset(page: Page, values: Values) -> Updates:
    """The solver's parameters go back to the preset."""
    return offering.for_solver(page, form.damage(page, values), values[page.solver], values[page.prior])


def _noise(page: Page, mode: str, damage: Task, photo: Image.Image | None) -> Updates:
    if mode != DEGRADED or photo is None:
        return {page.sigma_y_note: ""}
    words = "Estimated from the photo; change it if you know better."
    return {page.settings["sigma_y"]: estimated_noise(photo, damage), page.sigma_y_note: words}


def _follow(page: Page, prior: str, values: Values) -> Updates:
    """Another task or prior: a solver chosen by hand stays if it can deal with both, or the task's default comes."""
    damage = form.damage(page, values)
    offered, usual = solvers_here(damage, prior), _at(page, values, damage, prior)
    kept = bool(values[page.solver_by_hand]) and values[page.solver] in offered
    shown = {page.settings[name]: gr.update(visible=on) for name, on in form.offered(damage, prior).items()}
    solver = values[page.solver] if kept else usual.name if usual.name in offered else offered[0]
    settings = usual if solver == usual.name and not kept else None
    changes = offering.for_task(page, values[page.task], damage, solver, prior, settings)
    return {**changes, **shown, page.solver_by_hand: kept}
