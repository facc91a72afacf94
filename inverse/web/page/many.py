"""Several photos at once: seen when several were chosen; what is chosen on the page is done to each, in the queue."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr

from inverse.errors import InverseError, ParameterError
from inverse.settings import DEGRADED
from inverse.web.base.gradio_internals import unchecked
from inverse.web.elements.buttons import start_and_stop
from inverse.web.elements.controls import Values
from inverse.web.elements.many import many
from inverse.web.elements.reason import reason, refused
from inverse.web.jobs import device
from inverse.web.jobs.album import bound
from inverse.web.jobs.each import Choice
from inverse.web.jobs.fullsize import FullJob
from inverse.web.jobs.job import Job, estimated_noise
from inverse.web.jobs.many import Many
from inverse.web.page import form
from inverse.web.page.fullsize import KEEP
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts

FOUND, SAME = "found", "same"


class ManyCard:
    """Made where it stands.

    Attributes:
        full: whether each is restored at its own size.
        keep: whether what EXIF says and the colour profile go with it then.
        mask: where the masks are from.
        start, stop: buttons.
        promise: what it will be, or why it cannot be done.
        seen: the photos, how far they are, and their files.
        state: the visitor's, a `Many`.
    """

    def __init__(self) -> None:
        with gr.Column(elem_id="card-many", elem_classes="inv-card"):
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self.start, self.stop = start_and_stop("Restore all", "many", variant="primary")
                self.promise = reason("", button="many", elem_id="many-promise")
            with gr.Row(elem_id="many-choices"):
                self.full = gr.Checkbox(
                    True, label="At full size", elem_id="many-full", interactive=True, min_width=120
                )
                self.mask = unchecked(gr.Radio(
                    [("Repair what is found in each", FOUND), ("The same mask on all", SAME)], value=FOUND,
                    label="Masks", elem_id="many-mask", elem_classes="inv-choice inv-unlabelled", interactive=True,
                    visible=False,
                ))  # fmt: skip
                self.keep = gr.Checkbox(False, label=KEEP, elem_id="many-keep", interactive=True)
            self.seen = many()
            self.state = gr.State(None)

    @property
    def inputs(self) -> list[Any]:
        """What is asked for here."""
        return [self.full, self.keep, self.mask, self.state]

    @property
    def planned(self) -> list[Any]:
        """What `plan` changes."""
        return [self.full, self.keep, self.mask, self.start, self.promise]

    def plan(self, page: Page, values: Values, job: Job | None, starts: Starts, fault: str = "") -> Updates:
        """What is offered for what is chosen; `fault` is why the page's own photo cannot be restored."""
        last: Many | None = values[self.state]
        changes: Updates = {}
        if job is not None:
            masked = job.settings.damage.auxiliary == "mask"
            parts = not (job.settings.then or job.settings.damage.alone)
            whole = bool(values[self.full]) and parts
            changes = {
                self.full: gr.update(visible=parts),
                self.keep: gr.update(visible=whole),
                self.mask: gr.update(visible=masked),
            }
            fault = "" if masked and values[self.mask] == FOUND else fault
        if last is None or not last.album.rows:
            return {**changes, self.start: starts.judge(self.start, False), self.promise: ""}
        if values[page.mode] != DEGRADED:
            fault = "These photos are restored as they are. Choose Damaged at the top."
        if job is not None and job.settings.damage.auxiliary == "strokes":
            fault = "Strokes of colour belong to one photo. Restore these one by one, or choose another task."
        if fault:
            return {**changes, self.start: starts.judge(self.start, False), self.promise: refused(fault)}
        words = self._words(last, values, job)
        return {**changes, self.start: starts.judge(self.start, job is not None), self.promise: words}

    def _words(self, last: Many, values: Values, job: Job | None) -> str:
        words = f"{len(last.album.rows)} photos, one after another, by what is chosen here. {bound()}."
        if job is None or job.settings.then or not values[self.full] or values[self.mask] == FOUND:
            return words
        try:
            return f"{words} One like the first takes {device.promise(FullJob.of(job).seconds)}."
        except InverseError:
            return words

    def new(self, asked: Mapping[Any, Any], last: Any) -> Many:
        """The next turn."""
        return (last or Many()).next(asked)

    def run(self, page: Page, values: Values) -> Generator[Updates, None, None]:
        """The handler that needs the device."""
        turn = values[self.state] or Many()
        values = turn.as_asked(values)
        for view in turn.follow(lambda: (self._choice(page, values),)):
            yield {self.seen: view}

    def _choice(self, page: Page, values: Values) -> Choice:
        settings = form.settings(page, values)
        if not settings.degraded:
            raise ParameterError("Several photos are restored as they are. Choose Damaged.")
        photo = form.chosen_photo(page, values)
        if settings.sigma_y == estimated_noise(photo, settings.damage):  # nobody said otherwise
            settings = replace(settings, sigma_y=None)
        masked, full = settings.damage.auxiliary == "mask", bool(values[self.full]) and not settings.then
        find = masked and values[self.mask] != SAME
        keep = full and bool(values[self.keep])
        choice = Choice(settings, None if find else form.auxiliary_picture(page, values), find, full, keep)
        return replace(choice, settings=replace(settings, size=None, samples=1))

    def changed(self, page: Page, values: Values) -> Updates:
        """The visitor chose photos, began anew, or took them off the page.

        Raises:
            ParameterError: the page asked for something else.
        """
        asked = values[self.seen] if isinstance(values[self.seen], dict) else {}
        last: Many = values[self.state] or Many()
        words = ""
        if "add" in asked:
            words = last.album.add(asked["add"])
        elif "over" in asked:
            last.album.restart()
        elif "clear" in asked:
            last = Many()
        else:
            raise ParameterError("This is nothing that can be done with photos. Choose some on the page.")
        return {self.state: last, self.seen: last.seen("idle", words)}

    def packed(self, page: Page, values: Values) -> Updates:
        """All results are wanted as a file.

        Raises:
            ImageError: there are none, or some are gone.
        """
        last: Many = values[self.state] or Many()
        return {self.seen: {**last.view, "archive": last.album.packed()}}
