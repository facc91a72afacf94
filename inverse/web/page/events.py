"""What leads to what, but for what needs the device: light handlers, which run at once beside the queue."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from inverse.errors import InverseError
from inverse.settings import DEGRADED
from inverse.web.base.gradio_internals import Dependency
from inverse.web.base.pictures import jpeg
from inverse.web.base.turns import heavy
from inverse.web.elements import history, photos
from inverse.web.elements.controls import Values
from inverse.web.elements.reason import is_refusal, refused
from inverse.web.elements.share import BROUGHT
from inverse.web.jobs import preview, priors
from inverse.web.page import adopting, cards, choices, drawn, form, jobs, offering, share
from inverse.web.page.handlers import LIGHT, SPOKEN, light
from inverse.web.page.layout import KEYS, RUN
from inverse.web.page.page import Page, Updates

RANDOM_SEED = "() => Math.floor(Math.random() * 4294967296)"


def wire(page: Page) -> None:
    """Connects everything on the page."""
    with page.blocks:
        _wire_choices(page)
        _wire_preview(page)
        _wire_tabs(page)
        jobs.wire(page)


def _opened(page: Page) -> Callable[..., Updates]:
    """The page was opened. JavaScript hands over positions, so that this handler has no dict of inputs."""
    handler = light(page, share.arrived)
    inputs = (page.share, page.photo, page.auxiliary)
    return heavy(lambda *values: handler(dict(zip(inputs, values, strict=True))))


def _then_preview(page: Page, follows: Callable[..., Dependency], keep: bool = True, then: str = "") -> None:
    """What follows from a change; `then` is JavaScript that comes after it."""
    handler = light(page, partial(_preview, keep=keep), newest=True)
    seen = follows(handler, page.asked, _preview_outputs(page), **LIGHT)
    if then:
        seen.success(None, None, None, js=then, **LIGHT)


def _wire_choices(page: Page) -> None:
    def listen(
        trigger: Any, handler: Callable[..., Updates], inputs: set[gr.Component], outputs: Sequence[Any]
    ) -> None:
        _then_preview(page, gr.on([trigger], light(page, handler), set(inputs), outputs, **SPOKEN).success)

    solver = [
        page.solver_summary, page.solver_advice, page.solver_source, *page.solvers.columns, *page.solvers.components,
    ]  # fmt: skip
    task = [
        page.task_summary, *page.tasks.columns, page.mask_panel, page.strokes_panel, page.picture_panel,
        page.picture_upload, page.picture_note, page.solver, page.solver_by_hand, *solver,
    ]  # fmt: skip
    noise = [page.settings["sigma_y"], page.sigma_y_note]
    limited = [page.settings[name] for name in form.LIMITED]
    wrong = [page.faults, page.faults_panel, page.diagnosis]
    mode = list(dict.fromkeys([page.mode_note, page.task, *page.settings.values(), *task, *noise, *wrong]))
    chosen = {
        page.prior, page.mode, page.task, page.settings["then"], page.solver, page.solver_by_hand, page.quality,
        page.photo, page.diagnosis,
    }  # fmt: skip
    photo = [
        page.photo,
        page.photo_file,
        page.picker,
        page.mask,
        page.strokes,
        page.viewer,
        page.verdict,
        page.status,
        page.mode,
        *mode,
    ]
    listen(page.mode.input, choices.change_mode, chosen, mode)
    listen(page.prior.input, choices.change_prior, chosen, [page.prior, page.settings["size"], *task, *limited])
    then: Any = page.settings["then"]
    for event in (page.task.input, then.release):
        listen(event, choices.change_task, chosen, [*task, *noise, *limited, page.faults])
    listen(page.solver.input, choices.change_solver, chosen, [*solver, page.solver_by_hand])
    quality = [page.solver, page.settings["samples"], *solver, page.solver_by_hand]
    listen(page.quality.input, choices.change_quality, chosen, quality)
    listen(page.reset.click, choices.reset, chosen, solver)
    listen(page.mask.upload, drawn.receive_mask, {*page.choices, page.mask, page.photo}, [page.mask])
    listen(page.strokes.upload, drawn.receive_strokes, {*page.choices, page.strokes, page.photo}, [page.strokes])
    picture = {page.task, page.settings["then"], page.auxiliary, page.picture_upload}
    listen(page.picture_upload.upload, drawn.receive_picture, picture, [page.auxiliary, page.picture_note])
    told = [page.auxiliary, page.picture_note, *noise]
    estimating = {**SPOKEN, "show_progress": "minimal", "show_progress_on": page.picture_note}  # it takes a while
    asked = {*page.choices, page.photo, page.photo_file, page.auxiliary}
    estimate = gr.on([page.estimate.click], light(page, drawn.estimate_kernel), asked, told, **estimating)
    _then_preview(page, estimate.success)
    carried = [
        page.share,
        page.prior,
        page.mode,
        *mode,
        *page.tasks.components,
        page.mask,
        page.strokes,
        page.auxiliary,
    ]
    again = list(dict.fromkeys([*carried, *photo]))
    listen(page.picker.upload, choices.receive_photo, {*chosen, page.picker, page.photo_file, page.auxiliary}, again)
    faults: Any = page.faults
    listen(faults.release, adopting.change_faults, {*chosen, page.faults, page.auxiliary}, carried)
    tried: Any = page.verdict
    remedy = gr.on(
        [tried.release],
        light(page, adopting.change_by_verdict),
        {*page.choices, page.verdict, page.photo, page.auxiliary, page.mask, page.strokes, page.faults, page.diagnosis},
        carried,
        **SPOKEN,
    )
    _then_preview(page, remedy.success, then="() => document.querySelector('#run').click()")
    many, album = page.many, [page.many.seen, page.many.state]
    listen(many.seen.upload, many.changed, {*album}, album)
    many.seen.download(light(page, many.packed), {many.state}, [many.seen], **SPOKEN)
    treat = page.treat
    place = {treat.seen, page.photo_file}
    treat.seen.release(light(page, treat.moved), place, [treat.place], **SPOKEN)
    brought = [page.share, page.photo, page.auxiliary]
    for tab in page.tabs:
        listen(tab.table.select, tab.adopt, {tab.table, tab.batch, page.photo, page.auxiliary}, [*carried, page.switch])
    listen(treat.seen.select, treat.adopt, {treat.seen, treat.state, page.photo, page.auxiliary}, carried)
    listen(page.share.upload, share.arrived, {*brought}, carried)
    example = page.blocks.load(partial(photos.example, cards.EXAMPLE), None, [page.photo, page.photo_file], **LIGHT)
    page.blocks.load(
        offering.menu_of_priors, None, page.prior, **LIGHT
    )  # what fits the machine changes from visit to visit
    opened = example.then(_opened(page), brought, again, js=BROUGHT, **SPOKEN)
    _then_preview(page, opened.success)
    # What a damaged link holds is refused, and the page is used without it; what was kept stays.
    _then_preview(page, opened.failure, keep=False)


def _preview_outputs(page: Page) -> list[gr.Component]:
    shown = [page.prior_note, page.problem, page.cost, page.run, page.why, page.share]
    shown += [page.quality, page.history]
    tabs = (part for tab in page.tabs for part in (*tab.planned, tab.promise, tab.start))
    return [*shown, *page.treat.planned, *page.full.planned, *page.many.planned, *tabs]


def _preview(page: Page, values: Values, keep: bool = True) -> Updates:
    """What follows from all that is chosen, buttons that can be pressed included.

    `keep` lets the browser keep what is chosen for the next visit.
    """
    starts = values[page.starts]
    try:
        job = form.job(page, values)
    except InverseError as error:
        fault = preview.unsolvable(values[page.photo], values[page.mode] == DEGRADED, error)
        changes: Updates = {
            page.prior_note: "",
            page.problem: fault,
            page.cost: "",
            page.share: share.NOTHING,
            page.why: refused(error),
        }
        changes[page.run] = starts.judge(page.run, False, value=RUN)
        changes |= page.treat.plan(page, values, None, starts, str(error))
        changes |= page.full.plan(None, starts) | page.many.plan(page, values, None, starts, str(error))
        for tab in page.tabs:
            changes |= {tab.promise: refused(error), tab.start: starts.judge(tab.start, False)}
        return changes
    shown, cost = preview.show(job)
    note = html.escape(priors.note(job.used, min(job.image_shape)))
    changes: Updates = {
        page.prior_note: note,
        page.problem: shown,
        page.cost: cost,
        page.share: share.copies(job.used, keep),
        page.quality: gr.update(choices=choices.qualities(job.settings), value=job.settings.quality or None),
    }
    changes[page.why] = refused(shown["caption"]) if shown["fault"] else KEYS
    changes[page.run] = starts.judge(page.run, not shown["fault"], value=jobs.label(job))
    fault = shown["caption"] if shown["fault"] else ""
    changes |= page.treat.plan(page, values, job, starts, fault)
    changes |= page.full.plan(job, starts, fault) | page.many.plan(page, values, job, starts, fault)
    changes[page.history] = history.now(job.used, job.origin)
    for tab in page.tabs:
        changes |= tab.plan(page, values, job)
        if shown["fault"] and tab.of_photo and job.settings.samples == 1:  # as in every cell
            changes[tab.promise] = changes[page.why]
        changes[tab.start] = starts.judge(tab.start, not is_refusal(changes[tab.promise]))
    if (kind := job.settings.damage.auxiliary) in ("mask", "strokes"):
        # Not in the pad's own value, which every request carries: with the photo, one would be too large.
        under = {"photo": jpeg(job.part, 92), "damaged": job.settings.degraded, "filename": job.file.made(kind)}
        changes[page.problem] = {**shown, "under": {"kind": kind, **under}}
    return changes


def _wire_preview(page: Page) -> None:
    handler = light(page, _preview, newest=True)
    inputs, outputs = page.asked, _preview_outputs(page)
    settings = [component for name, component in page.settings.items() if name != "then"]  # which changes more
    components = [*page.tasks.components, *page.solvers.components, *settings, page.mask, page.strokes]
    triggers = [c.release if isinstance(c, gr.HTML) else c.input for c in components]
    triggers += [page.many.full.input, page.many.mask.input]
    gr.on(triggers, handler, inputs, outputs, trigger_mode="always_last", **LIGHT)
    page.dice.click(None, None, page.settings["seed"], js=RANDOM_SEED, **LIGHT).then(handler, inputs, outputs, **LIGHT)


def _wire_tabs(page: Page) -> None:
    handler, inputs, outputs = light(page, _preview, newest=True), page.asked, _preview_outputs(page)
    for tab in page.tabs:
        tab.wire(page)
    # One event for all of them, which answers in turn: an older promise never comes after a newer one.
    triggers = [each for tab in page.tabs for each in tab.triggers]
    gr.on(triggers, handler, inputs, outputs, trigger_mode="always_last", **LIGHT)
