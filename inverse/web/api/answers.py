"""What a client of the API gets: figures and tables as plain data, pictures as files."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import FileData
from PIL import Image

from inverse.batch import grid
from inverse.batch.sweep import Sweep
from inverse.results.problem import Problem
from inverse.results.record import METRICS, best
from inverse.web.base.gradio_internals import new_file
from inverse.web.base.guards import said, spoken_errors
from inverse.web.base.pictures import png_bytes
from inverse.web.elements.history import plain
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.running import Latest

Plain = dict[str, Any]
File = Any
"""A `FileData` as plain data, which is what Gradio takes from a handler."""


def figures(latest: Latest, problem: Problem, status: Mapping[str, Any]) -> Plain:
    """How far a run is."""
    step = latest.step
    if step is None:
        return {"step": 0, "total": None, "progress": 0, "nfe": 0, "vjp": 0, "operator_calls": 0, "residual": None}
    return {
        "step": step.index,
        "total": step.total,
        "progress": status.get("progress", 0),
        "nfe": step.nfe,
        "vjp": step.vjp,
        "operator_calls": step.operator_calls,
        "residual": problem.relative_residual(step),
    }


def place(plan: Sweep, cell: Mapping[str, Any]) -> Plain:
    """The values on the axes of a cell."""
    places = divmod(cell["index"], plan.columns)[::-1]
    return {axis.name: axis.values[place] for axis, place in zip(plan.axes, places, strict=False)}


def table(plan: Sweep, batch: Batch) -> Plain:
    """A sweep that has ended."""
    cells = [{name: entry for name, entry in cell.items() if name != "src"} for cell in batch.cells]
    return {
        "table": [{**place(plan, cell), **cell} for cell in cells],
        "csv": grid.table(plan, batch.done),
        "best": {metric: best(batch.done, metric) for metric in METRICS},
        "settings": plain(plan.settings),
    }


def png(picture: Image.Image, name: str, text: str = "") -> File:
    """A picture that the client downloads."""
    return saved(png_bytes(picture, text), name)


def saved(content: bytes, name: str) -> File:
    """A file that the client downloads.

    In a folder of its own: two clients with the same result would else read what the other one just writes.
    """
    path = new_file(name)
    path.write_bytes(content)
    return file_at(path)


def file_at(path: Path) -> File:
    """A file in the folder that Gradio removes with what the page has shown."""
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    return FileData(path=str(path), orig_name=path.name, size=path.stat().st_size, mime_type=kind).model_dump()


@contextmanager
def spoken_as_text() -> Iterator[None]:
    """`spoken_errors` as text: a program does not show them as HTML."""
    try:
        with spoken_errors():
            yield
    except gr.Error as error:
        error.message = said(error)
        raise
