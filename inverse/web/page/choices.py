"""What each choice changes elsewhere on the page: photo, mode, task, solver, pictures that a task needs.

Every function takes the page and the values of its inputs, and returns updates by component.
"""

from __future__ import annotations

import math
from typing import Any

import gradio as gr
from PIL import Image, ImageChops

from inverse.denoisers.cards import EMBEDDED
from inverse.diagnosis import Diagnosis, diagnose, find_scratches
from inverse.errors import ImageError, ProblemError
from inverse.imaging import images, masks
from inverse.operators import TASKS, Task
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.settings.saved import plain_data
from inverse.solvers import SOLVERS
from inverse.solvers.advice import advice_for
from inverse.solvers.presets import default_solver_for, default_task, preset
from inverse.web.base.dear import dear
from inverse.web.base.guards import MAX_STORED_SIDE, uploaded, uploaded_helper, uploaded_photo
from inverse.web.base.pictures import mask_uri
from inverse.web.elements import chooser, faults, photos
from inverse.web.elements.controls import Values
from inverse.web.elements.picker import EXAMPLE_TITLES, picked
from inverse.web.elements.viewer import awaiting
from inverse.web.jobs import priors
from inverse.web.jobs.job import Job, estimated_noise
from inverse.web.jobs.offers import DEFAULT_SIZE, SIZES, solvers_here, tasks_for
from inverse.web.page import cards, form
from inverse.web.page.page import Page, Updates


def receive_photo(page: Page, values: Values) -> Updates:
    """A photo was uploaded, pasted or chosen among the examples.

    The first one of a visitor's own counts as damaged: it would lose what is good of it otherwise. Whoever then says
    that it is clean is believed for the next ones too. An example is clean.

    Raises:
        ImageError: it cannot be used.
    """
    given = values[page.picker] if isinstance(values[page.picker], dict) else {}
    if "example" in given:
        if given["example"] not in EXAMPLE_TITLES:
            raise ImageError("There is no such example. Choose one of those on the page.")
        photo, file = photos.example(given["example"])
        caption, mode = EXAMPLE_TITLES[given["example"]], CLEAN
    else:
        photo, file = photos.received(given.get("path"))
        before = values[page.photo_file]
        caption, mode = "Your photo", values[page.mode] if before and before.own else DEGRADED
    width, height = file.size or photo.size
    changes: Updates = {
        page.photo: photo,
        page.photo_file: file,
        page.picker: picked(photo, f"{caption}, {width} × {height}"),
        page.mask: {"mask": "", "reset": True},
        page.viewer: awaiting(photo),
        page.status: {"phase": "idle"},
    }
    seen = diagnosed(uploaded(given.get("path"))) if mode == DEGRADED else None
    if mode == values[page.mode]:
        wrong = {page.diagnosis: seen, page.faults: faults.found(seen)}
        return {**changes, **wrong, **_noise(page, mode, form.damage(page, values), photo)}
    values = {**values, page.mode: mode, page.photo: photo, page.diagnosis: seen}
    changes |= {page.mode: mode, **change_mode(page, values)}
    return {**changes, page.mode_note: cards.NOT_DAMAGED_HERE} if mode == DEGRADED else changes


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
        page.settings["then"]: gr.update(choices=offered),
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


def diagnosed(photo: images.Photo) -> Diagnosis:
    """What is wrong with a photo, as it is kept here."""
    with dear(math.inf):
        return diagnose(photo, MAX_STORED_SIDE)


def change_faults(page: Page, values: Values) -> Updates:
    """It was said in plain words what is wrong: task, further damages, noise and mask that mean the same.

    Raises:
        ProblemError: the server has no photo.
    """
    photo = form.chosen_photo(page, values)
    seen, wrong = values[page.diagnosis] or diagnosed(photo), faults.ticked(values[page.faults])
    settings = seen.settings(wrong).with_prior(priors.find(values[page.prior]).identity)
    if not settings.damage.auxiliary or settings.auxiliary:
        changes: Updates = {page.mask: {"mask": "", "reset": True}}
    else:
        changes = {}  # what was brushed stays
    changes |= adopt(page, settings, photo, values[page.auxiliary])
    kept = (page.settings["seed"], page.settings["samples"])
    changes = {component: update for component, update in changes.items() if component not in kept}
    return {**changes, page.faults: faults.found(seen, wrong), page.diagnosis: seen}


def change_prior(page: Page, values: Values) -> Updates:
    """Another prior: presets of its kind, its own size, and the estimator only where it has one.

    Raises:
        ParameterError: it is not offered here.
    """
    offer = priors.find(values[page.prior])
    size = offer.card.size or DEFAULT_SIZE
    changes = {**_follow(page, offer.name, values), page.prior: offer_priors(offer.name)}
    if values[page.mode] != DEGRADED:
        changes[page.settings["size"]] = _sizes(size, visible=True)
    return changes


def offer_priors(chosen: str | None = None) -> Any:
    """The update of the menu of priors: what can be used now, and one of them chosen."""
    return gr.update(choices=priors.menu()) if chosen is None else gr.update(choices=priors.menu(), value=chosen)


def change_solver(page: Page, values: Values) -> Updates:
    """The visitor chose a solver, and keeps it on other tasks."""
    return {**reset(page, values), page.solver_by_hand: True}


def reset(page: Page, values: Values) -> Updates:
    """The solver's parameters go back to the preset."""
    return _solver(page, form.damage(page, values), values[page.solver], values[page.prior])


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
    changes = {
        page.mode: mode,
        page.mode_note: cards.MODE_WORDS[mode],
        page.faults_panel: gr.update(visible=mode == DEGRADED),
        **{page.settings[name]: update for name, update in _settings(page, settings, photo).items()},
        page.sigma_y_note: "",
        **_task(page, task, settings.damage, solver, prior),
        page.prior: offer_priors(prior),
        page.solver_by_hand: solver != default_solver_for(settings.damage, estimator=prior == EMBEDDED),
        **page.tasks.groups[task].updates(settings.task.to_dict()),
        **page.solvers.groups[solver].updates(settings.solver.to_dict()),
        page.task: chooser.offer(TASKS, offered, task),
    }
    picture = settings.auxiliary_picture
    if picture is not None and kind == "mask":
        changes[page.mask] = {"mask": mask_uri(on_pad(picture, settings, photo))[0], "load": True}
    elif picture is not None:
        changes[page.auxiliary] = {**pictures, kind: picture}
    return changes


def _settings(page: Page, settings: Settings, photo: Image.Image | None) -> dict[str, Any]:
    """Updates by name: values, and whether a clean photo's are shown."""
    known, updates = settings.specs(), {}
    for name in page.settings:
        shown = not (known[name].clean_only and settings.degraded)
        shown &= form.estimates(settings.damage, settings.prior) or not known[name].linear_only
        limited = known[name].clean_only or known[name].linear_only
        value = plain_data(getattr(settings, name))
        updates[name] = gr.update(value=value, visible=shown) if limited else value
    if settings.sigma_y is None:
        updates["sigma_y"] = DEFAULT_SIGMA_Y if photo is None else estimated_noise(photo, settings.damage)
    return {**updates, "size": size_choice(settings, photo)}


def size_choice(settings: Settings, photo: Image.Image | None) -> Any:
    """The update of the sizes on offer, to which settings may add one of their own."""
    if settings.degraded:
        return gr.update(visible=False)
    return _sizes(settings.size or (min(photo.size) if photo else DEFAULT_SIZE), visible=True)


def _sizes(size: int, visible: bool) -> Any:
    """The update of the sizes, with this one chosen."""
    return gr.update(choices=[(str(n), n) for n in sorted({*SIZES, size})], value=size, visible=visible)


def receive_mask(page: Page, values: Values) -> Updates:
    """A mask picture was uploaded, or scratches are to be found; the pad shows them, and can be brushed on."""
    task, value = form.damage(page, values), values[page.mask] or {}
    settings, photo = form.settings(page, values), form.chosen_photo(page, values)
    if "find" in value:
        mask = find_scratches(photo)
        if not mask.getbbox():
            gr.Info("No scratches were found. Brush over what is damaged.", duration=8)
        drawn = form.auxiliary_picture(page, values)
        if drawn is not None:
            mask = ImageChops.lighter(mask, drawn.convert("L").resize(mask.size, Image.Resampling.NEAREST))
    else:
        mask = uploaded_helper(value.get("path"), task)
    uri, coarser = mask_uri(on_pad(mask, settings, photo))
    if coarser:
        gr.Warning("This mask has more detail than can be sent with every change, and is used a little coarser.")
    return {page.mask: {"mask": uri, "load": True}}


def on_pad(mask: Image.Image, settings: Settings, photo: Image.Image | None) -> Image.Image:
    """A mask at the size at which its photo is used, where nothing thin is lost.

    Raises:
        ProblemError: it is of another shape than the photo.
    """
    if photo is None:
        return mask
    return images.to_image(2 * masks.fitted(mask, Job(settings, photo).image_shape).expand(3, -1, -1) - 1)


def receive_picture(page: Page, values: Values) -> Updates:
    """Another picture that the task needs was uploaded."""
    kind = form.damage(page, values).auxiliary
    picture = uploaded_photo(values[page.picture_upload])
    words = f"{kind.capitalize()} of {picture.width} × {picture.height} pixels."
    return {page.auxiliary: {**values[page.auxiliary], kind: picture}, page.picture_note: words}


def _noise(page: Page, mode: str, damage: Task, photo: Image.Image | None) -> Updates:
    if mode != DEGRADED or photo is None:
        return {page.sigma_y_note: ""}
    words = "Estimated from the photo; change it if you know better."
    return {page.settings["sigma_y"]: estimated_noise(photo, damage), page.sigma_y_note: words}


def _follow(page: Page, prior: str, values: Values) -> Updates:
    """Another task or prior: a solver chosen by hand stays if it can deal with both, or the task's default comes."""
    damage = form.damage(page, values)
    offered, usual = solvers_here(damage, prior), default_solver_for(damage, estimator=prior == EMBEDDED)
    kept = bool(values[page.solver_by_hand]) and values[page.solver] in offered
    shown = {
        page.settings[name]: gr.update(visible=form.estimates(damage, prior))
        for name, known in Settings.specs().items()
        if known.linear_only
    }
    solver = values[page.solver] if kept else usual if usual in offered else offered[0]
    return {**_task(page, values[page.task], damage, solver, prior), **shown, page.solver_by_hand: kept}


def _task(page: Page, task: str, damage: Task, solver: str, prior: str) -> Updates:
    kind, offered = TASKS.find(task), solvers_here(damage, prior)
    return {
        page.task_summary: kind.summary,
        **page.tasks.show(task),
        page.mask_panel: gr.update(visible=damage.auxiliary == "mask"),
        page.picture_panel: gr.update(visible=damage.auxiliary not in ("", "mask")),
        page.picture_upload: gr.update(label=f"Upload the {damage.auxiliary} picture"),
        page.picture_note: "",
        page.solver: chooser.offer(SOLVERS, offered, solver),
        **_solver(page, damage, solver, prior),
    }


def _solver(page: Page, damage: Task, solver: str, prior: str) -> Updates:
    kind = priors.find(prior).card.kind
    return {
        page.solver_summary: SOLVERS.find(solver).summary,
        page.solver_advice: advice_for(damage, solver, kind) if kind == EMBEDDED else "",  # others' stands by the prior
        page.solver_source: cards.cited(SOLVERS.find(solver)),
        **page.solvers.show(solver),
        **page.solvers.groups[solver].updates(preset(damage.name, solver, kind=kind).to_dict()),
    }
