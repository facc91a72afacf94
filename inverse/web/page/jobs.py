"""What needs the device: a run, a sweep, a comparison, each with its buttons and its place in the line."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr

from inverse.errors import InverseError
from inverse.results.problem import Problem
from inverse.web.elements import verdict
from inverse.web.elements.again import again
from inverse.web.elements.controls import Values
from inverse.web.jobs import device
from inverse.web.jobs.fullsize import Full, FullJob
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.running import Latest
from inverse.web.jobs.trail import known
from inverse.web.jobs.turn import Turn, deserted
from inverse.web.jobs.waiting import DEVICE
from inverse.web.page import form, returning
from inverse.web.page.handlers import LIGHT
from inverse.web.page.layout import RUN
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts
from inverse.web.page.tab import Tab


@dataclass(frozen=True)
class Place:
    """Where on the page something is started and seen.

    Attributes:
        start, stop: buttons.
        state: the visitor's last one.
        seen: elements that show it; the first says where it stands in line, too.
        new: one that is asked for, with what the server holds of the page, after the one before.
        job: what would be run of what is chosen on the page.
        run: the handler that needs the device.
        shown: updates of `seen`, of what a lifecycle shows.
        refused: what is said of one that was not begun.
        stays: whether it goes on for a while when its page is left, and is found again by a reload.
        turn: its kind of job in the queue.
    """

    start: gr.Button
    stop: gr.Button
    state: gr.State
    seen: list[gr.HTML]
    new: Callable[[Values, Any], Lifecycle]
    job: Callable[[Page, Values, Job], Job]
    run: Callable[[Page, Values], Generator[Updates, None, None]]
    shown: Callable[[Any], Updates]
    refused: str
    stays: bool = True
    turn: Turn = field(default_factory=Turn)

    def idle(self, page: Page, starts: Starts, **changes: Any) -> Updates:
        """Its buttons once its job is over, the first with `changes`, and what the browser keeps of others."""
        done = {self.start: starts.end(self.start, **changes), self.stop: gr.update(interactive=False)}
        return {**done, page.again: {"tokens": starts.tokens}}


def wire(page: Page) -> None:
    """Connects the buttons that start and stop something."""
    restore = Place(
        page.run, page.stop, page.latest, [page.status, page.viewer, page.verdict],
        lambda asked, _: Latest(asked=asked), lambda page, values, job: job,
        run, partial(_shown, page), "This run was not begun.",
    )  # fmt: skip
    full = Place(
        page.full.start, page.full.stop, page.full.state, [page.full.seen], lambda asked, _: Full(asked=asked),
        lambda page, values, job: FullJob.of(job), page.full.run, lambda view: {page.full.seen: view},
        "This was not begun.",
    )  # fmt: skip
    many = Place(
        page.many.start, page.many.stop, page.many.state, [page.many.seen], page.many.new,
        lambda page, values, job: FullJob.of(job), page.many.run, lambda view: {page.many.seen: view},
        "This was not begun.", stays=False,  # the browser keeps which photos are done, and asks for the others
    )  # fmt: skip
    treat = Place(
        page.treat.start, page.treat.stop, page.treat.state, [page.treat.seen], page.treat.new,
        page.treat.job, page.treat.run, lambda view: {page.treat.seen: view}, "This was not begun.",
        stays=False,  # it takes seconds
    )  # fmt: skip
    page.again = again()
    places = [restore, treat, full, many, *map(_place, page.tabs)]
    for place in places:
        _wire(page, place)
    _wire_line(page, places)
    returning.wire(page, [place for place in places if place.stays])


def _place(tab: Tab) -> Place:
    return Place(
        tab.start, tab.stop, tab.batch, [tab.table], tab.new,
        tab.job, tab.run, lambda view: {tab.table: view}, "These runs were not begun.",
    )  # fmt: skip


def _wire(page: Page, place: Place) -> None:
    """A button that starts something, and one that stops it; what has come of it stays."""
    turn, start, stop, state, seen = place.turn, place.start, place.stop, place.state, place.seen

    def busy(values: Values) -> Updates:
        last = place.new({component: values[component] for component in page.held}, values[state])
        try:
            # Without its picture, which takes time to decode and changes nothing here.
            chosen = Job(form.settings(page, values), form.chosen_photo(page, values))
            seconds = place.job(page, values, chosen).seconds
        except InverseError:  # it cannot be run, as its handler will say
            seconds = None
        starts: Starts = values[page.starts]
        return {
            start: starts.begin(start, known(last, start.elem_id or "") if place.stays else ""),
            stop: gr.update(interactive=True), state: last, page.again: {"tokens": starts.tokens},
            seen[0]: last.told("waiting", turn.ask(seconds, last.trail if place.stays else None)),
            page.pulse: gr.Timer(active=True),
        }  # fmt: skip

    def idle(last: Lifecycle | None, starts: Starts, **changes: Any) -> Updates:
        turn.leave()
        if last is not None:
            last.trail.taken()
        return place.idle(page, starts, **changes)

    def ended(values: Values) -> Updates:
        own, promised = values[page.starts], _promised(page, values)
        label = {"value": promised.pop(page.run)} if start is page.run and promised else {}
        return {**promised, **idle(values[state], own, **label)}

    def failed(last: Lifecycle | None, starts: Starts) -> Updates:
        if last is None or last.begun or last.stopping:
            return idle(last, starts)
        return {**idle(last, starts), seen[0]: last.told("failed", place.refused)}

    def stopped(last: Lifecycle | None, starts: Starts) -> Updates:
        if last is None:
            return idle(last, starts)
        turn.leave(last.trail)
        return {stop: gr.update(interactive=False), **place.shown(last.stop())}

    def began(values: Values) -> Iterator[Updates]:
        last: Lifecycle | None = values[state]
        with closing(place.run(page, values)) as updates:
            if last is None:  # of a program, which has no page
                yield from updates
                return
            closed = False
            try:
                for shown in updates:
                    last.trail.show(shown)
                    if deserted(last.trail):
                        last.desert()
                    yield shown
            except GeneratorExit:
                closed = True
                raise
            finally:
                last.left(closed)

    inputs, buttons, late = {*page.asked, state}, [start, stop, page.again], [state, page.starts]
    asked = start.click(busy, inputs, [*buttons, state, seen[0], page.pulse], **LIGHT)
    begun = asked.then(
        began, inputs, seen,
        concurrency_id=DEVICE, concurrency_limit=1, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
    turn.function = begun["id"]
    # One of them follows every run, `failure` a stopped one too, and nothing else lets the next run begin: what came
    # late would free the buttons of that one.
    begun.success(ended, inputs, [*dict.fromkeys([*buttons, page.run, page.cost])], **LIGHT)
    begun.failure(failed, late, [*buttons, seen[0]], **LIGHT)
    stop.click(stopped, late, [*buttons, *seen], cancels=[begun], **LIGHT)


def _wire_line(page: Page, places: list[Place]) -> None:
    """While something waits for the device, its place in the line is told anew now and then."""

    def told(latest: Latest | None) -> Updates:
        changes: Updates = {}
        for place in places:
            if words := place.turn.words:
                changes[place.seen[0]] = {"phase": "waiting", "message": words}
        if latest is None:
            changes.pop(page.status, None)
        elif page.status in changes:
            changes[page.status]["run"] = latest.run
        return changes or {page.pulse: gr.Timer(active=False)}

    page.pulse.tick(told, page.latest, [*(place.seen[0] for place in places), page.pulse], **LIGHT)


def label(job: Job) -> str:
    """What the button says: what it does, and how long that takes."""
    return f"{RUN} ~{device.brief(job.seconds)}"


def _promised(page: Page, values: Values) -> Updates:
    """How long a run takes by what the last one has taught; nothing where what is chosen cannot be run."""
    try:
        job = Job(form.settings(page, values), form.chosen_photo(page, values))
        return {page.run: label(job), page.cost: job.cost}
    except InverseError:
        return {}


def run(page: Page, values: Values) -> Generator[Updates, None, None]:
    """The handler of a run."""
    latest = values[page.latest] or Latest()
    values = latest.as_asked(values)

    def prepare() -> tuple[Job, Problem]:
        job = form.job(page, values)
        return job, job.problem()

    for seen in latest.follow(prepare):
        yield _shown(page, seen)


def _shown(page: Page, seen: tuple[Any, Any]) -> Updates:
    view, status = seen
    if view is None:
        return {page.status: status}
    return {page.status: status, page.viewer: view, page.verdict: verdict.said(view["verdict"])}
