"""What leads to what. Light handlers run at once beside the queue; only the run waits for the device."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from inverse.errors import InverseError
from inverse.restoration import Problem
from inverse.web import cards, choices, comparing, device, form, history, preview, running, share, sweeping
from inverse.web.batches import Batch
from inverse.web.choices import Updates
from inverse.web.controls import Values
from inverse.web.guards import spoken_errors
from inverse.web.layout import RUN, Page
from inverse.web.pictures import jpeg
from inverse.web.settings import DEGRADED, Settings, chosen
from inverse.web.turns import heavy
from inverse.web.waiting import DEVICE

LIGHT = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""For handlers that take milliseconds and refuse nothing: they neither wait nor are turned away."""

SPOKEN = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
"""For quick handlers that may refuse: without the queue, Gradio answers 500 and shows no words."""

WAITING = "Waiting for the device…"

RANDOM_SEED = "() => Math.floor(Math.random() * 4294967296)"


def wire(page: Page) -> None:
    """Connects everything on the page."""
    with page.blocks:
        _wire_choices(page)
        _wire_preview(page)
        _wire_run(page)
        _wire_tabs(page)


def _light(page: Page, handler: Callable[[Page, Values], Updates], newest: bool = False) -> Callable[[Values], Updates]:
    """A handler of the page that works in its turn, with its errors spoken; `newest` as in `turns.heavy`."""

    def spoken(values: Values) -> Updates:
        with spoken_errors():
            return handler(page, values)

    return heavy(spoken, newest)


def _opened(page: Page) -> Callable[..., Updates]:
    """The page was opened. JavaScript hands over positions, so that this handler has no dict of inputs."""
    handler = _light(page, share.arrived)
    inputs = (page.share, page.photo, page.auxiliary)
    return heavy(lambda *values: handler(dict(zip(inputs, values, strict=True))))


def _then_preview(page: Page, follows: Callable[..., Dependency], keep: bool = True) -> None:
    handler = _light(page, partial(_preview, keep=keep), newest=True)
    follows(handler, _preview_inputs(page), _preview_outputs(page), **LIGHT)


def _wire_choices(page: Page) -> None:
    solver = [page.solver_summary, page.solver_source, *page.solvers.columns, *page.solvers.components]
    task = [
        page.task_summary, *page.tasks.columns, page.mask_panel, page.picture_panel, page.picture_upload,
        page.picture_note, page.solver, *solver,
    ]  # fmt: skip
    noise = [page.sigma_y, page.sigma_y_note]
    chosen = {page.mode, page.task, page.solver, page.photo}
    listen: list[tuple[list[Any], Callable[..., Updates], Collection[gr.Component], list[gr.Component]]] = [
        (
            [page.picker.upload], choices.receive_photo, {*chosen, page.picker},
            [page.photo, page.picker, page.mask, page.viewer, page.status, *noise],
        ),
        (
            [page.mode.input], choices.change_mode, chosen,
            [page.mode_note, page.task, page.size, page.photons, *task, *noise],
        ),
        ([page.task.input], choices.change_task, chosen, [*task, *noise]),
        ([page.solver.input, page.reset.click], choices.change_solver, chosen, solver),
        ([page.mask.upload], choices.receive_mask, {page.mask}, [page.mask]),
        (
            [page.picture_upload.upload], choices.receive_picture, {page.task, page.auxiliary, page.picture_upload},
            [page.auxiliary, page.picture_note],
        ),
    ]  # fmt: skip
    carried = [
        page.mode, page.mode_note, page.task, page.size, *task, *page.tasks.components, *noise, page.photons, page.seed,
        page.samples, page.mask, page.auxiliary,
    ]  # fmt: skip
    outputs = [page.share, *dict.fromkeys(carried)]
    for element, adopt, batch in (
        (page.grid, sweeping.adopt, page.swept),
        (page.rows, comparing.adopt, page.compared),
    ):
        inputs = {element, batch, page.photo, page.auxiliary}
        listen.append(([element.select], adopt, inputs, [*outputs, page.tabs]))
    listen.append(([page.share.upload], share.arrived, {page.share, page.photo, page.auxiliary}, outputs))
    inputs = [page.share, page.photo, page.auxiliary]
    brought = page.blocks.load(lambda: choices.example(cards.EXAMPLE)[0], None, page.photo, **LIGHT)
    opened = brought.then(_opened(page), inputs, outputs, js=share.KEPT, **SPOKEN)
    _then_preview(page, opened.success)
    # What a damaged link holds is refused, and the page is used without it; what was kept stays.
    _then_preview(page, opened.failure, keep=False)
    for triggers, handler, inputs, outputs in listen:
        _then_preview(page, gr.on(triggers, _light(page, handler), set(inputs), outputs, **SPOKEN).success)


def _preview_inputs(page: Page) -> set[gr.Component]:
    tabs = {page.x_name, page.x_values, page.y_name, page.y_values, page.contenders, page.budget}
    return {*page.choices, page.photo, page.auxiliary, page.mask, *tabs}


def _preview_outputs(page: Page) -> list[gr.Component]:
    axes = [page.x_name, page.x_values, page.y_name, page.y_values, page.promise, page.axes_before]
    shown = [page.problem, page.mask, page.cost, page.run, page.share, page.history]
    return [*shown, *axes, page.contenders, page.compare_promise]


def _preview(page: Page, values: Values, keep: bool = True) -> Updates:
    """What follows from all that is chosen; `keep` lets the browser keep it for the next visit."""
    photo = values[page.photo]
    try:
        chosen(photo)
        settings = form.settings(page, values)
        auxiliary = form.auxiliary_picture(page, values)
        shown, cost = preview.show(photo, settings, auxiliary)
    except InverseError as error:
        fault = preview.unsolvable(photo, values[page.mode] == DEGRADED, error)
        nothing = {page.share: share.NOTHING, page.promise: "", page.compare_promise: ""}
        return {page.problem: fault, page.cost: "", page.run: gr.update(value=RUN), **nothing}
    changes = {page.problem: shown, page.cost: cost, page.share: share.copies(settings, photo, keep)}
    about = device.brief([settings] * settings.samples, settings.shape(photo))
    changes[page.run] = gr.update(value=f"{RUN} ~{about}")
    changes[page.history] = history.now(settings.at(photo), history.origin(photo, auxiliary))
    changes |= sweeping.plan(page, values, settings) | comparing.plan(page, values, settings)
    if settings.task.auxiliary == "mask":
        changes[page.mask] = {"photo": jpeg(settings.used(photo), 92), "mask": form.drawn(values[page.mask])}
    return changes


def _wire_preview(page: Page) -> None:
    handler = _light(page, _preview, newest=True)
    inputs, outputs = _preview_inputs(page), _preview_outputs(page)
    components = [*page.tasks.components, *page.solvers.components, page.sigma_y, page.photons, page.seed]
    components += [page.samples, page.mask]
    triggers = [c.release if isinstance(c, gr.HTML) else c.input for c in components]
    gr.on([*triggers, page.size.input], handler, inputs, outputs, trigger_mode="always_last", **LIGHT)
    page.dice.click(None, None, page.seed, js=RANDOM_SEED, **LIGHT).then(handler, inputs, outputs, **LIGHT)


def _wire_run(page: Page) -> None:
    buttons = [page.run, page.stop]
    inputs = {*_preview_inputs(page), page.latest}
    asked = page.run.click(
        partial(_busy, page), {page.photo, page.auxiliary}, [*buttons, page.status, page.latest], **LIGHT
    )
    run = asked.then(
        _run(page), inputs, [page.status, page.viewer],
        concurrency_id=DEVICE, concurrency_limit=1, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    # One of them follows every run, `failure` a stopped one too, and nothing else lets the next run begin: what came
    # late would free the buttons of that one.
    run.success(partial(_idle, page), None, buttons, **LIGHT)
    run.failure(partial(_failed, page), page.latest, [*buttons, page.status], **LIGHT)
    page.stop.click(partial(_stop, page), page.latest, [*buttons, page.status, page.viewer], cancels=[run], **LIGHT)


def _wire_tabs(page: Page) -> None:
    handler, inputs, outputs = _light(page, _preview, newest=True), _preview_inputs(page), _preview_outputs(page)
    gr.on(
        [page.x_name.input, page.y_name.input], _light(page, sweeping.suggest), {*inputs, page.axes_before},
        [page.x_values, page.y_values, page.axes_before], **SPOKEN,
    )  # fmt: skip
    # One event for all of them, which answers in turn: an older promise never comes after a newer one.
    triggers = [page.x_values.change, page.y_values.change, page.axes_before.change, page.contenders.input]
    triggers.append(page.budget.input)
    gr.on(triggers, handler, inputs, outputs, trigger_mode="always_last", **LIGHT)
    _wire_batch(page, page.sweep, page.stop_sweep, page.swept, page.grid, sweeping.run)
    _wire_batch(page, page.compare, page.stop_compare, page.compared, page.rows, comparing.run)
    page.grid.download(_light(page, sweeping.download), {page.grid, page.swept}, [page.file], **SPOKEN)


def _wire_batch(
    page: Page, start: gr.Button, stop: gr.Button, state: gr.State, element: gr.HTML,
    runs: Callable[[Page, Values], Iterator[Updates]],
) -> None:  # fmt: skip
    """A button that starts several runs, and one that stops them; what is finished stays."""

    def busy(values: Values) -> Updates:
        batch = Batch(asked=(values[page.photo], values[page.auxiliary]), earlier=Batch.shown(values[state]))
        waits = {"phase": "waiting", "message": WAITING}
        return {start: gr.update(interactive=False), stop: gr.update(interactive=True), state: batch, element: waits}

    def idle() -> Updates:
        return {start: gr.update(interactive=True), stop: gr.update(interactive=False)}

    def stopped(batch: Batch | None) -> Updates:
        if not batch:
            return idle()
        view = batch.stop()
        return {stop: gr.update(interactive=False), element: view}

    def failed(batch: Batch | None) -> Updates:
        if batch is None or batch.runs or batch.stopping:
            return idle()
        return {**idle(), element: {"phase": "failed", "message": "These runs were not begun."}}

    def began(values: Values) -> Iterator[Updates]:
        yield from runs(page, _as_asked(page, values, values[state]))

    asked = start.click(busy, {page.photo, page.auxiliary, state}, [start, stop, state, element], **LIGHT)
    run = asked.then(
        began, {*_preview_inputs(page), state}, [element],
        concurrency_id=DEVICE, concurrency_limit=1, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    run.success(idle, None, [start, stop], **LIGHT)
    run.failure(failed, state, [start, stop, element], **LIGHT)
    stop.click(stopped, state, [start, stop, element], cancels=[run], **LIGHT)


def _as_asked(page: Page, values: Values, state: running.Latest | Batch | None) -> Values:
    """The values with the photo and the pictures that were on the page when the button was pressed.

    What a component holds comes with the request; what the server holds is of the moment when the job's turn comes.
    """
    if state is None or state.asked is None:
        return values
    photo, auxiliary = state.asked
    state.asked = None
    return {**values, page.photo: photo, page.auxiliary: auxiliary}


def _busy(page: Page, values: Values) -> Updates:
    latest = running.Latest(asked=(values[page.photo], values[page.auxiliary]))
    return {
        page.run: gr.update(interactive=False),
        page.stop: gr.update(interactive=True),
        page.status: {"run": latest.run, "phase": "waiting", "message": WAITING},
        page.latest: latest,
    }


def _run(page: Page) -> Callable[[Values], Iterator[Updates]]:
    """The handler that needs the device; one function, so that a host's decorator can be put around it."""

    def run(values: Values) -> Iterator[Updates]:
        latest = values[page.latest] or running.Latest()
        values = _as_asked(page, values, latest)

        def prepare() -> tuple[Settings, Problem]:
            settings, auxiliary = form.settings(page, values), form.auxiliary_picture(page, values)
            problem = settings.problem(values[page.photo], auxiliary)
            latest.origin = history.origin(values[page.photo], auxiliary)
            return settings.at(values[page.photo]).with_auxiliary(auxiliary), problem

        closed = False
        try:
            for view, status in running.restore(prepare, latest):
                yield {page.status: status} if view is None else {page.status: status, page.viewer: view}
        except GeneratorExit:
            closed = True
            raise
        finally:
            latest.ended(closed)

    return run


def _idle(page: Page) -> Updates:
    return {page.run: gr.update(interactive=True), page.stop: gr.update(interactive=False)}


def _failed(page: Page, latest: running.Latest | None) -> Updates:
    if latest is None or latest.status or latest.stopping:
        return _idle(page)
    refused = {"run": latest.run, "phase": "failed", "message": "This run was not begun."}
    return {**_idle(page), page.status: refused}


def _stop(page: Page, latest: running.Latest | None) -> Updates:
    if latest is None:
        return _idle(page)
    latest.stopping = True
    view, status = running.finished(latest, "stopped", running.STOPPED)
    latest.was_shown()
    return {
        page.stop: gr.update(interactive=False),
        page.status: status,
        **({} if view is None else {page.viewer: view}),
    }
