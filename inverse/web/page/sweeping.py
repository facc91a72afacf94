"""The Sweep tab: axes from the registries' specifications, a promise before, a grid that fills."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from inverse.batch import grid
from inverse.batch.sweep import Axis, Sweep, axis, suggestion, sweepable, value_of
from inverse.errors import InverseError, ParameterError
from inverse.results.record import METRICS
from inverse.settings.carriers import png_text
from inverse.web.base.guards import spoken_errors
from inverse.web.elements.controls import Values, in_plain_words, label
from inverse.web.elements.photos import UNKNOWN
from inverse.web.jobs import batches
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.settings import Settings, axis_choices, chosen
from inverse.web.page import choices, form
from inverse.web.page.choices import Updates
from inverse.web.page.layout import Page


def plan(page: Page, values: Values, settings: Settings) -> Updates:
    """What follows for this tab from the settings: which axes there are, and what the sweep would cost."""
    try:
        _check(page, values)
    except ParameterError as error:
        return {page.promise: refused(error)}
    names, changes, kept = sweepable(settings), {}, dict(values)
    for name, text, offered in _controls(page, settings):
        changes[name] = gr.update(choices=offered)
        if values[name] and values[name] not in names:  # of another solver or task
            kept[name] = offered[0][1]
            kept[text] = changes[text] = _suggested(settings, kept[name])
            # What may stay is not sent: the visitor may have changed it meanwhile.
            changes[name] = gr.update(choices=offered, value=kept[name])
            changes[page.axes_before] = _named(page, kept, settings)
    try:
        runs = _sweep(page, kept, settings).runs
        batches.check_count(len(runs))
        words = batches.promise(runs, chosen(values[page.photo])) + "."
    except InverseError as error:
        words = refused(error)
    return {**changes, page.promise: words}


def suggest(page: Page, values: Values) -> Updates:
    """A parameter was chosen as an axis: values around the present one are suggested.

    Raises:
        ParameterError: an axis is not text.
    """
    _check(page, values)
    settings = form.settings(page, values)
    names, changes = sweepable(settings), {}
    for name, text, _ in _controls(page, settings):
        found = values[name]
        if found in names and found != values[page.axes_before].get(name.elem_id):
            changes[text] = _suggested(settings, found)
        elif not found:
            changes[text] = ""
    return {**changes, page.axes_before: _named(page, values, settings)}


def runs(page: Page, values: Values, settings: Settings) -> list[Settings]:
    """What is run; errors as in `batch.sweep.axis`."""
    return _sweep(page, values, settings).runs


def run(page: Page, values: Values) -> Iterator[Updates]:
    """The handler that needs the device."""
    batch = values[page.swept] or Batch()
    with spoken_errors():
        _check(page, values)
        auxiliary, photo = form.auxiliary_picture(page, values), chosen(values[page.photo])
        sweep = _sweep(page, values, form.settings(page, values).at(photo))
        batches.begin(batch, _head(sweep), sweep.runs, sweep)
        batch.file = values[page.photo_file] or UNKNOWN
    for view in batches.stream(batch, photo, auxiliary):
        yield {page.grid: view}


def adopt(page: Page, values: Values) -> Updates:
    """A cell was clicked: its settings go to the page, and the page to the tab that runs them."""
    return adopted(page, values, values[page.swept], values[page.grid])


def adopted(page: Page, values: Values, batch: Batch | None, asked: Any) -> Updates:
    """Settings of the cell of a batch that the page asked for.

    Raises:
        ParameterError: there is no such cell any more.
    """
    batch, index = Batch.shown(batch), asked.get("adopt") if isinstance(asked, dict) else None
    if batch is None or type(index) is not int or not 0 <= index < len(batch.runs):
        raise ParameterError("This cell is of an earlier run, and its settings are gone. Run it again.")
    changes = choices.adopt(page, batch.runs[index], values[page.photo], values[page.auxiliary])
    return {**changes, page.tabs: gr.Tabs(selected="restore")}


def download(page: Page, values: Values) -> Updates:
    """The grid as a PNG that carries the settings, or the figures as CSV."""
    batch, asked = Batch.shown(values[page.swept]), values[page.grid] if isinstance(values[page.grid], dict) else {}
    if batch is None or not batch.done:
        raise ParameterError("No run is finished yet, so there is nothing to save. Run the sweep first.")
    kind, metric = asked.get("download"), asked.get("metric")
    what = "-".join(["sweep", *(axis.name.replace(".", "-") for axis in batch.plan.axes)])
    if kind == "csv":
        content, mime = grid.table(batch.plan, batch.done).encode(), "text/csv"
    else:
        kind, mime, buffer = "png", "image/png", io.BytesIO()
        sheet = grid.picture(batch.plan, batch.done, metric if metric in METRICS else "residual")
        sheet.save(buffer, "PNG", pnginfo=png_text(batch.plan.settings.to_json()))
        content = buffer.getvalue()
    file = {"name": batch.file.made(what, kind), "data": f"data:{mime};base64,{base64.b64encode(content).decode()}"}
    return {page.file: {**file, "at": batch.head["id"], "count": len(batch.done), "metric": metric}}


def _controls(page: Page, settings: Settings) -> tuple[tuple[Any, Any, list[tuple[str, str]]], ...]:
    offered = axis_choices(settings)
    return (page.x_name, page.x_values, offered), (page.y_name, page.y_values, [("(none)", ""), *offered])


def _check(page: Page, values: Values) -> None:
    """Raises ParameterError when an axis is not text."""
    for component in (page.x_name, page.x_values, page.y_name, page.y_values):
        if not isinstance(values[component], str | None):
            raise ParameterError(f"{component.elem_id} must be text. Choose the axes in the Sweep tab.")


@in_plain_words()
def _sweep(page: Page, values: Values, settings: Settings) -> Sweep:
    """Of one sample each, however many the page asks for: a cell shows one."""
    settings = replace(settings, samples=1)
    pairs = ((page.x_name, page.x_values), (page.y_name, page.y_values))
    return Sweep(settings, tuple(axis(settings, values[n], values[t] or "") for n, t in pairs if values[n]))


def _named(page: Page, values: Values, settings: Settings) -> dict[str, str]:
    """Which parameter the text of each axis is written for."""
    return {name.elem_id: values[name] for name, _, _ in _controls(page, settings)}


def _suggested(settings: Settings, name: str) -> str:
    return suggestion(sweepable(settings)[name], value_of(settings, name)) if name else ""


def _head(sweep: Sweep) -> dict[str, Any]:
    def described(axis: Axis) -> dict[str, Any]:
        return {"name": label(axis.name), "values": axis.labels}

    rows = described(sweep.axes[1]) if len(sweep.axes) > 1 else None
    return {"x": described(sweep.axes[0]), "y": rows, "metrics": metrics(sweep.settings)}


def metrics(settings: Settings) -> dict[str, str]:
    """What cells can be judged by, the first being the one to start with."""
    return {name: metric.title for name, metric in METRICS.items() if name == "residual" or not settings.degraded}


REFUSED = '<span class="inv-refused">'


def refused(reason: InverseError | str) -> str:
    """What stands in place of a promise. A sentence may quote what somebody typed."""
    return f"{REFUSED}{html.escape(str(reason), quote=False)}</span>"


def is_refusal(words: str) -> bool:
    return words.startswith(REFUSED)
