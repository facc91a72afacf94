"""Several runs: the grid of a sweep, the rows of a comparison, and the file that is made of a grid."""

from __future__ import annotations

from typing import Any

import gradio as gr

from inverse.results.record import METRICS
from inverse.web.elements.element import element, template


def grid() -> gr.HTML:
    """The table of a sweep: fires `select` with {"adopt"} and `download` with {"download", "metric"}."""
    return element("grid", {}, GRID, FIGURES, elem_id="grid", elem_classes="inv-batch")


def rows(name: str, words: str, label: str, saved: bool = False) -> gr.HTML:
    """A table with a row each: fires `select` with {"adopt"} and, where it may be `saved`, `download` as `grid`.

    Args:
        name: its id.
        words: what to expect, in HTML, before there is any.
        label: what it is, for whoever hears the page.
    """
    markup = _markup(words, label, "inv-rows", template("figure-tools") if saved else "")
    return element("rows", {}, markup, FIGURES, elem_id=name, elem_classes="inv-batch")


def file(name: str) -> gr.HTML:
    """Saves what it is given: {"name", "data": data URI}. `name` is its id."""
    return element("file", {}, "", elem_id=name, elem_classes="inv-file")


def _figure(title: str, help: str, digits: int, unit: str, best: str) -> dict[str, Any]:
    return {"title": title, "help": help, "digits": digits, "unit": unit, "best": best}


PASSES_HELP = "Forward passes of the network; what backward passes take is counted as forward ones."
FIGURES = {
    **{name: _figure(each.title, each.help, each.digits, each.unit, each.best) for name, each in METRICS.items()},
    "cost": _figure("Network passes", PASSES_HELP, 0, "", "lowest"),
    "seconds": _figure("Seconds", "On this machine, just now.", 1, "", "lowest"),
}
"""What is said of every run: its quality, and what it took."""


def _markup(words: str, label: str, kind: str, tools: str = "") -> str:
    """How far the runs are, a table, what to expect before, and two cells side by side."""
    return template("batch").format(words=words, label=label, kind=kind, tools=tools)


GRID = _markup(
    "<b>Which value is best for this photo?</b> Choose a parameter and its values above. Every combination is run on "
    "the same damaged photo, the best one is marked, and a click takes over its settings.",
    "Results of the sweep",
    "inv-grid",
    template("grid-tools").format(figure=template("figure-tools")),
)
