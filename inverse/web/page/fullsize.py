"""Under the result: the same restoration of a visitor's own photo at full size, with what it will take said before."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import gradio as gr

from inverse.errors import InverseError
from inverse.web.elements.buttons import start_and_stop
from inverse.web.elements.controls import Values
from inverse.web.elements.fullsize import fullsize
from inverse.web.elements.reason import is_refusal, reason, refused
from inverse.web.jobs.fullsize import Full, FullJob, offer
from inverse.web.jobs.job import Job
from inverse.web.page import form
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts

KEEP = "Keep the camera's data and the colour profile, never the place"
"""What a checkbox says."""


class FullSizeCard:
    """Made where it stands.

    Attributes:
        card: all of it, seen where a photo has a file of its own.
        start, stop: buttons.
        promise: what it will take, or why it cannot be done.
        keep: whether what EXIF says and the colour profile go with it.
        seen: how far it is, and the file.
        state: the visitor's last one.
    """

    def __init__(self) -> None:
        with gr.Column(visible=False, elem_id="card-fullsize", elem_classes="inv-card") as self.card:
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self.start, self.stop = start_and_stop("Restore at full size", "full", width=180)
                self.promise = reason("", button="full", elem_id="full-promise")
            self.keep = gr.Checkbox(False, label=KEEP, elem_id="full-keep", container=False, interactive=True)
            self.seen = fullsize()
            self.state = gr.State(None)

    @property
    def planned(self) -> list[Any]:
        """What `plan` changes."""
        return [self.card, self.start, self.promise]

    def plan(self, job: Job | None, starts: Starts, fault: str = "") -> Updates:
        """What is offered for what is chosen: none where there is no job; `fault` is why it cannot be run."""
        if job is None or not FullJob.offered(job):
            return {self.card: gr.update(visible=False), self.start: starts.judge(self.start, False), self.promise: ""}
        try:
            words = refused(fault) if fault else offer(job)
        except InverseError as error:
            words = refused(error)
        return {
            self.card: gr.update(visible=True),
            self.start: starts.judge(self.start, not is_refusal(words)),
            self.promise: words,
        }

    def run(self, page: Page, values: Values) -> Generator[Updates, None, None]:
        """The handler that needs the device."""
        full = values[self.state] or Full()
        values = full.as_asked(values)

        def prepare() -> tuple[Job]:
            job = FullJob.of(form.job(page, values), bool(values[self.keep]))
            job.check()
            return (job,)

        for view in full.follow(prepare):
            yield {self.seen: view}
