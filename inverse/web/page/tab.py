"""A tab that does several runs: what is chosen there, what that promises, what is run, and what a click does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from typing import Any, ClassVar, NamedTuple

import gradio as gr

from inverse.batch.sweep import Sweep
from inverse.errors import ParameterError
from inverse.results.record import METRICS
from inverse.settings import Settings
from inverse.web.base.guards import spoken_errors
from inverse.web.elements.buttons import start_and_stop
from inverse.web.elements.controls import Values
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.page import form
from inverse.web.page.adopting import adopt
from inverse.web.page.page import Page, Updates


class Plan(NamedTuple):
    """What is run, and what the table of results is told of it."""

    runs: list[Settings]
    head: dict[str, Any]
    sweep: Sweep | None = None


class Tab(ABC):
    """Its components are made where it is made. A new tab is one such class, and an entry in `tabs.TABS`.

    Attributes:
        name, title: of the tab; the name is its button's id, too.
        of_photo: what it runs is of the photo on the page, so that what cannot be done with that stops it.
        inputs: the controls that say what is run.
        planned: components that `plan` changes, besides the promise.
        triggers: events after which all is planned anew.
        start, stop: buttons.
        promise: what pressing the first would mean, or why it cannot be pressed.
        table: shows the runs, and is clicked.
        batch: the visitor's last runs.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    of_photo: ClassVar[bool] = True
    inputs: list[gr.Component]
    planned: list[gr.Component]
    triggers: list[Any]
    start: gr.Button
    stop: gr.Button
    promise: gr.HTML
    table: gr.HTML
    batch: gr.State

    @abstractmethod
    def __init__(self, start: Settings) -> None:
        """Builds it in the layout's current place, for settings that the page starts with."""

    @abstractmethod
    def plan(self, page: Page, values: Values, job: Job) -> Updates:
        """What follows here from what is chosen on the page, a promise or a refusal included."""

    @abstractmethod
    def runs(self, page: Page, values: Values, settings: Settings) -> Plan:
        """What is run; InverseError where it cannot be."""

    def new(self, asked: Mapping[Any, Any], last: Any) -> Lifecycle:
        """One that is asked for, with what the server holds of the page, after the last one, or None."""
        return Batch(asked, earlier=Batch.shown(last))

    def wire(self, page: Page) -> None:  # noqa: B027  there may be nothing
        """Connects what only this tab has."""

    def job(self, page: Page, values: Values, job: Job) -> Job:
        """All that would be run of what is chosen on the page; InverseError where it cannot be."""
        return job.several(self.runs(page, values, job.used).runs)

    def run(self, page: Page, values: Values) -> Generator[Updates, None, None]:
        """The handler that needs the device."""
        batch = values[self.batch] or Batch()
        values = batch.as_asked(values)
        with spoken_errors():
            job = form.job(page, values)
            runs, head, sweep = self.runs(page, values, job.used)
            views = batch.begin(job.several(runs), head, sweep)
        for view in views:
            yield {self.table: view}

    def adopt(self, page: Page, values: Values) -> Updates:
        """A result was clicked: its settings go to the page, and the page to the tab that runs them.

        Raises:
            ParameterError: there is no such result any more.
        """
        settings = Batch.adopted(values[self.batch], values[self.table])
        if settings is None:
            raise ParameterError("This cell is of an earlier run, and its settings are gone. Run it again.")
        changes = adopt(page, settings, values[page.photo], values[page.auxiliary])
        return {**changes, page.switch: gr.Tabs(selected="restore")}

    def _go(self, promise: str) -> None:
        """The buttons and the promise, whose id is given; in a row."""
        self.start, self.stop = start_and_stop(self.title, self.name, variant="primary")
        self.promise = gr.HTML("", elem_id=promise, elem_classes="inv-words inv-promise", apply_default_css=False)


def metrics(settings: Settings) -> dict[str, str]:
    """What results can be judged by, the first being the one to start with."""
    return {name: metric.title for name, metric in METRICS.items() if name == "residual" or not settings.degraded}
