"""What needs the device: a run, a sweep, a comparison, each with its buttons and its place in the line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import gradio as gr

from inverse.errors import InverseError
from inverse.results.problem import Problem
from inverse.web.elements import history
from inverse.web.elements.controls import Values
from inverse.web.elements.photos import UNKNOWN
from inverse.web.jobs import device, running
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.settings import Settings, chosen
from inverse.web.jobs.waiting import DEVICE, Turn
from inverse.web.page import form
from inverse.web.page.handlers import LIGHT
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts
from inverse.web.page.tab import Tab


def wire(page: Page) -> None:
    """Connects the buttons that start and stop something."""
    _wire_line(page, _wire_run(page), {tab.table: _wire_batch(page, tab) for tab in page.tabs})


def _wire_run(page: Page) -> Turn:
    buttons, turn = [page.run, page.stop], Turn()
    asked = page.run.click(
        partial(_busy, page, turn), page.asked, [*buttons, page.status, page.latest, page.pulse], **LIGHT
    )
    run = asked.then(
        _run(page), {*page.asked, page.latest}, [page.status, page.viewer],
        concurrency_id=DEVICE, concurrency_limit=1, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    turn.function = run["id"]
    # One of them follows every run, `failure` a stopped one too, and nothing else lets the next run begin: what came
    # late would free the buttons of that one.
    run.success(partial(_idle, page, turn), page.starts, buttons, **LIGHT)
    late = [page.latest, page.starts]
    run.failure(partial(_failed, page, turn), late, [*buttons, page.status], **LIGHT)
    stopped = [*buttons, page.status, page.viewer]
    page.stop.click(partial(_stop, page, turn), late, stopped, cancels=[run], **LIGHT)
    return turn


def _wire_batch(page: Page, tab: Tab) -> Turn:
    """A button that starts several runs, and one that stops them; what is finished stays."""
    turn, start, stop, state, element = Turn(), tab.start, tab.stop, tab.batch, tab.table

    def busy(values: Values) -> Updates:
        batch = Batch(asked=_asked(page, values), earlier=Batch.shown(values[state]))
        seconds = _expected(page, values, lambda settings: tab.runs(page, values, settings).runs)
        return {
            start: values[page.starts].begin(start), stop: gr.update(interactive=True), state: batch,
            element: {"phase": "waiting", "message": turn.ask(seconds)}, page.pulse: gr.Timer(active=True),
        }  # fmt: skip

    def idle(starts: Starts) -> Updates:
        turn.leave()
        return {start: starts.end(start), stop: gr.update(interactive=False)}

    def stopped(batch: Batch | None, starts: Starts) -> Updates:
        turn.leave()
        if not batch:
            return idle(starts)
        view = batch.stop()
        return {stop: gr.update(interactive=False), element: view}

    def failed(batch: Batch | None, starts: Starts) -> Updates:
        if batch is None or batch.runs or batch.stopping:
            return idle(starts)
        return {**idle(starts), element: {"phase": "failed", "message": "These runs were not begun."}}

    def began(values: Values) -> Iterator[Updates]:
        yield from tab.run(page, _as_asked(values, values[state]))

    inputs = {*page.asked, state}
    asked = start.click(busy, inputs, [start, stop, state, element, page.pulse], **LIGHT)
    run = asked.then(
        began, inputs, [element],
        concurrency_id=DEVICE, concurrency_limit=1, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    turn.function = run["id"]
    late = [state, page.starts]
    run.success(idle, page.starts, [start, stop], **LIGHT)
    run.failure(failed, late, [start, stop, element], **LIGHT)
    stop.click(stopped, late, [start, stop, element], cancels=[run], **LIGHT)
    return turn


def _wire_line(page: Page, run: Turn, turns: dict[gr.HTML, Turn]) -> None:
    """While something waits for the device, its place in the line is told anew now and then."""

    def told(latest: running.Latest | None) -> Updates:
        words = {page.status: run.words if latest else "", **{table: turn.words for table, turn in turns.items()}}
        changes = {element: {"phase": "waiting", "message": said} for element, said in words.items() if said}
        if page.status in changes:
            changes[page.status]["run"] = latest.run
        return changes or {page.pulse: gr.Timer(active=False)}

    page.pulse.tick(told, page.latest, [page.status, *turns, page.pulse], **LIGHT)


def _expected(page: Page, values: Values, runs: Callable[[Settings], list[Settings]]) -> float | None:
    """About how many seconds the runs of what is chosen take on the device; None where they cannot be run."""
    try:
        made = runs(form.settings(page, values))
        return device.seconds(made, made[0].shape(chosen(values[page.photo]))) if made else None
    except InverseError:
        return None


def _asked(page: Page, values: Values) -> Values:
    return {component: values[component] for component in page.held}


def _as_asked(values: Values, state: running.Latest | Batch | None) -> Values:
    """The values with the photo and the pictures that were on the page when the button was pressed.

    What a component holds comes with the request; what the server holds is of the moment when the job's turn comes.
    """
    if state is None or state.asked is None:
        return values
    asked, state.asked = state.asked, None
    return {**values, **asked}


def _busy(page: Page, turn: Turn, values: Values) -> Updates:
    latest = running.Latest(asked=_asked(page, values))
    seconds = _expected(page, values, lambda settings: [settings] * settings.samples)
    return {
        page.run: values[page.starts].begin(page.run),
        page.stop: gr.update(interactive=True),
        page.status: {"run": latest.run, "phase": "waiting", "message": turn.ask(seconds)},
        page.latest: latest,
        page.pulse: gr.Timer(active=True),
    }


def _run(page: Page) -> Callable[[Values], Iterator[Updates]]:
    """The handler that needs the device; one function, so that a host's decorator can be put around it."""

    def run(values: Values) -> Iterator[Updates]:
        latest = values[page.latest] or running.Latest()
        values = _as_asked(values, latest)

        def prepare() -> tuple[Settings, Problem]:
            settings, auxiliary = form.settings(page, values), form.auxiliary_picture(page, values)
            problem = settings.problem(values[page.photo], auxiliary)
            latest.origin = history.origin(values[page.photo], auxiliary)
            latest.filename = (values[page.photo_file] or UNKNOWN).made("restored")
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


def _idle(page: Page, turn: Turn, starts: Starts) -> Updates:
    turn.leave()
    return {page.run: starts.end(page.run), page.stop: gr.update(interactive=False)}


def _failed(page: Page, turn: Turn, latest: running.Latest | None, starts: Starts) -> Updates:
    if latest is None or latest.status or latest.stopping:
        return _idle(page, turn, starts)
    refused = {"run": latest.run, "phase": "failed", "message": "This run was not begun."}
    return {**_idle(page, turn, starts), page.status: refused}


def _stop(page: Page, turn: Turn, latest: running.Latest | None, starts: Starts) -> Updates:
    if latest is None:
        return _idle(page, turn, starts)
    turn.leave()
    latest.stopping = True
    view, status = running.finished(latest, "stopped", running.STOPPED)
    latest.was_shown()
    return {
        page.stop: gr.update(interactive=False),
        page.status: status,
        **({} if view is None else {page.viewer: view}),
    }
