"""Under the result: a part of a damaged photo restored in a few ways, of which a click chooses one for the page."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import Any

import gradio as gr

from inverse.errors import InverseError, ParameterError
from inverse.settings import DEGRADED
from inverse.web.base.guards import spoken_errors
from inverse.web.elements.buttons import start_and_stop
from inverse.web.elements.controls import Values
from inverse.web.elements.reason import is_refusal, reason, refused
from inverse.web.elements.treatments import treatments
from inverse.web.jobs import device
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.job import Job
from inverse.web.jobs.trying import TrialJob, head, notes, offered, trial_of
from inverse.web.page import form
from inverse.web.page.adopting import adopt
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts

UNSEEN = "A part of the photo restored in a few ways, side by side: click the best."
"""Said of a photo that nobody has looked at yet."""


class TreatmentsCard:
    """Made where it stands.

    Attributes:
        card: all of it, seen where the photo is damaged already.
        start, stop: buttons.
        promise: what will be tried, or why nothing can be.
        seen: the part, and what the treatments made of it.
        state: the visitor's last ones, a `Batch`.
        place: the photo's digest and the middle of the part that the visitor chose; None where nobody did.
    """

    def __init__(self) -> None:
        with gr.Column(visible=False, elem_id="card-treatments", elem_classes="inv-card") as self.card:
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self.start, self.stop = start_and_stop("Try it on a crop", "try", width=160)
                self.promise = reason("", button="try", elem_id="try-promise")
            self.seen = treatments()
            self.state, self.place = gr.State(None), gr.State(None)

    @property
    def inputs(self) -> list[Any]:
        """What is asked for here."""
        return [self.state, self.place]

    @property
    def planned(self) -> list[Any]:
        """What `plan` changes."""
        return [self.card, self.start, self.promise, self.seen]

    def plan(self, page: Page, values: Values, job: Job | None, starts: Starts, fault: str = "") -> Updates:
        """What is offered for what is chosen: nothing of a clean photo; `fault` is why it cannot be run."""
        if values[page.mode] != DEGRADED:
            return {self.card: gr.update(visible=False), self.start: starts.judge(self.start, False), self.promise: ""}
        try:
            words = refused(fault) if fault or job is None else self._words(page, values, job)
        except InverseError as error:
            words = refused(error)
        changes: Updates = {
            self.card: gr.update(visible=True),
            self.start: starts.judge(self.start, not is_refusal(words)),
            self.promise: words,
        }
        last: Batch | None = Batch.shown(values[self.state])
        file = values[page.photo_file]
        if last is not None and file is not None and last.file.digest != file.digest:
            changes[self.seen] = {"phase": "idle"}
        return changes

    def _words(self, page: Page, values: Values, job: Job) -> str:
        if values[page.diagnosis] is None:
            return UNSEEN
        found = offered(job, values[page.diagnosis])
        names = ", ".join(each.name for each in found)
        return f"{names}: {device.promise(TrialJob.planned(job, found).seconds)}, side by side. Click the best."

    def new(self, asked: Mapping[Any, Any], last: Any) -> Batch:
        """The next one."""
        return Batch(asked, earlier=Batch.shown(last))

    def job(self, page: Page, values: Values, job: Job) -> Job:
        """All that would be run of what is chosen on the page; InverseError where it cannot be."""
        return TrialJob.planned(job, offered(job, values[page.diagnosis] or diagnosed(job.photo)))

    def run(self, page: Page, values: Values) -> Generator[Updates, None, None]:
        """The handler that needs the device."""
        batch = values[self.state] or Batch()
        values = batch.as_asked(values)
        with spoken_errors():
            job = form.job(page, values)
            digest, at = values[self.place] or ("", None)
            found = values[page.diagnosis] or diagnosed(job.photo)
            trial = trial_of(job, found, at if digest == job.file.digest else None)
            views = batch.begin(TrialJob.of(job, trial), head(job, trial))
        for view in views:
            yield {self.seen: {**view, "notes": notes(batch, trial)}}

    def adopt(self, page: Page, values: Values) -> Updates:
        """A treatment was clicked: its settings go to the page, but for how many samples are drawn.

        Raises:
            ParameterError: there is no such treatment any more.
        """
        settings = Batch.adopted(values[self.state], values[self.seen])
        if settings is None:
            raise ParameterError("These treatments are of an earlier photo, and their settings are gone. Try it again.")
        changes = adopt(page, settings, values[page.photo], values[page.auxiliary])
        return {component: update for component, update in changes.items() if component is not page.settings["samples"]}

    def moved(self, page: Page, values: Values) -> Updates:
        """The visitor chose another part.

        Raises:
            ParameterError: it is no place.
        """
        asked, file = values[self.seen], values[page.photo_file]
        at = asked.get("at") if isinstance(asked, dict) else None
        if not (isinstance(at, list) and len(at) == 2 and all(_share(each) for each in at)):
            raise ParameterError("This is no place on the photo. Drag the square on it.")
        return {self.place: (file.digest if file else "", (float(at[0]), float(at[1])))}


def _share(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= 1
