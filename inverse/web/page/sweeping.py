"""The Sweep tab: axes from the registries' specifications, a promise before, a grid that fills."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import gradio as gr

from inverse.batch import figure, grid
from inverse.batch.sweep import PRIOR, Sweep, axis, suggestion, sweepable, value_of
from inverse.errors import InverseError, ParameterError
from inverse.settings import Settings
from inverse.settings.carriers import png_text
from inverse.web.base.gradio_internals import unchecked
from inverse.web.elements import batch
from inverse.web.elements.controls import Values, in_plain_words, label
from inverse.web.elements.reason import refused
from inverse.web.jobs import priors
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job
from inverse.web.jobs.offers import axis_choices, with_offered_priors
from inverse.web.page import form
from inverse.web.page.handlers import SPOKEN, light
from inverse.web.page.page import Page, Updates
from inverse.web.page.saving import FIGURES, Saving, drawn_figure
from inverse.web.page.tab import Plan, metrics

FORMS = "Values: <b>10,20,40</b>, a range <b>1:10:4</b>, or one by factors <b>0.1:10:log 5</b>"


class SweepTab(Saving):
    """One parameter or two, varied over values.

    Attributes:
        axes_before: which parameters the texts of the axes were written for, by the menu's id.
    """

    name, title = "sweep", "Sweep"

    def __init__(self, start: Settings) -> None:
        offered = axis_choices(start)
        first = offered[0][1]
        with gr.Column(elem_id="card-sweep", elem_classes="inv-card"):
            with gr.Row(elem_classes="inv-axes"):
                self.x_name = _menu(offered, first, "Columns", "x-name")
                self.x_values = _text(_suggested(start, first), "x-values")
                offered = [("(none)", ""), *offered]
                self.y_name = _menu(offered, "", "Rows", "y-name")
                self.y_values = _text("", "y-values")
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self._go("promise")
                gr.HTML(FORMS, elem_classes="inv-words inv-forms", apply_default_css=False)
            self.axes_before, self.batch = gr.State({"x-name": first, "y-name": ""}), gr.State(None)
        self.table, self.file = batch.grid(), batch.file("sweep-file")
        self.inputs = [self.x_name, self.x_values, self.y_name, self.y_values]
        self.planned = [*self.inputs, self.axes_before]
        self.triggers = [self.x_values.change, self.y_values.change, self.axes_before.change]

    def wire(self, page: Page) -> None:
        asked = {*page.asked, self.axes_before}
        outputs = [self.x_values, self.y_values, self.axes_before]
        # Gradio's menu says each choice twice at once. One after the other, the second finds the first one's suggestion
        # made, and writes nothing over what the visitor types by then.
        alone = {**SPOKEN, "concurrency_limit": 1}
        gr.on([self.x_name.input, self.y_name.input], light(page, self.suggest), asked, outputs, **alone)
        self.wire_download(page)

    def plan(self, page: Page, values: Values, job: Job) -> Updates:
        """Which axes there are, and what the sweep would cost."""
        try:
            self._check(values)
        except ParameterError as error:
            return {self.promise: refused(error)}
        settings = job.used
        names, changes, kept = sweepable(settings), Updates(), dict(values)
        for name, text, offered in self._controls(settings):
            changes[name] = gr.update(choices=offered)
            if values[name] and values[name] not in names:  # of another solver or task
                kept[name] = offered[0][1]
                kept[text] = changes[text] = _suggested(settings, kept[name])
                # What may stay is not sent: the visitor may have changed it meanwhile.
                changes[name] = gr.update(choices=offered, value=kept[name])
                changes[self.axes_before] = self._named(kept)
        try:
            words = job.several(self._sweep(kept, settings).runs).promise
        except InverseError as error:
            words = refused(error)
        return {**changes, self.promise: words}

    def suggest(self, page: Page, values: Values) -> Updates:
        """A parameter was chosen as an axis: values around the present one are suggested.

        Raises:
            ParameterError: an axis is not text.
        """
        self._check(values)
        settings = form.settings(page, values)
        names, changes = sweepable(settings), Updates()
        for name, text, _ in self._controls(settings):
            found = values[name]
            if found in names and found != values[self.axes_before].get(name.elem_id):
                changes[text] = _suggested(settings, found)
            elif not found:
                changes[text] = ""
        return {**changes, self.axes_before: self._named(values)}

    def runs(self, page: Page, values: Values, settings: Settings) -> Plan:
        self._check(values)
        sweep = self._sweep(values, settings)
        x, *y = [{"name": label(each.name), "values": each.labels} for each in sweep.axes]
        return Plan(sweep.runs, {"x": x, "y": y[0] if y else None, "metrics": metrics(sweep.settings)}, sweep)

    def saved(self, batch: Batch, kind: str, metric: str) -> tuple[str, bytes, str]:
        """The grid as a PNG that carries the settings, the figures as CSV, or a figure for print."""
        assert batch.plan is not None
        what = "-".join(["sweep", *(axis.name.replace(".", "-") for axis in batch.plan.axes)])
        if kind == "csv":
            return batch.file.made(what, kind), grid.table(batch.plan, batch.done).encode(), "text/csv"
        if kind in FIGURES:
            return drawn_figure(figure.of_sweep(batch.plan, batch.done, metric), batch.file.made, what, kind)
        sheet, buffer = grid.picture(batch.plan, batch.done, metric), io.BytesIO()
        sheet.save(buffer, "PNG", pnginfo=png_text(batch.plan.settings.to_json()))
        return batch.file.made(what, "png"), buffer.getvalue(), "image/png"

    def _controls(self, settings: Settings) -> tuple[tuple[Any, Any, list[tuple[str, str]]], ...]:
        offered = axis_choices(settings)
        return (self.x_name, self.x_values, offered), (self.y_name, self.y_values, [("(none)", ""), *offered])

    def _check(self, values: Values) -> None:
        """Raises ParameterError when an axis is not text."""
        for component in self.inputs:
            if not isinstance(values[component], str | None):
                raise ParameterError(f"{component.elem_id} must be text. Choose the axes in the Sweep tab.")

    @in_plain_words()
    def _sweep(self, values: Values, settings: Settings) -> Sweep:
        """Of one sample each, however many the page asks for: a cell shows one."""
        settings = replace(settings, samples=1)
        pairs = ((self.x_name, self.x_values), (self.y_name, self.y_values))
        axes = (axis(settings, values[n], values[t] or "") for n, t in pairs if values[n])
        return Sweep(settings, tuple(with_offered_priors(each) for each in axes))

    def _named(self, values: Values) -> dict[str | None, str]:
        """Which parameter the text of each axis is written for."""
        return {name.elem_id: values[name] for name in (self.x_name, self.y_name)}


def _menu(offered: list[tuple[str, str]], value: str, label: str, name: str) -> gr.Dropdown:
    return unchecked(gr.Dropdown(offered, value=value, label=label, elem_id=name, interactive=True))


def _text(value: str, name: str) -> gr.Textbox:
    return gr.Textbox(value, label="Values", elem_id=name, interactive=True, max_length=300)


def _suggested(settings: Settings, name: str) -> str:
    if name == PRIOR:
        return ",".join(priors.usable())
    return suggestion(sweepable(settings)[name], value_of(settings, name)) if name else ""
