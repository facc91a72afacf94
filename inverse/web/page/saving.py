"""What a tab of several runs offers to save: a file that the server makes of the runs that are finished."""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Callable

import gradio as gr

from inverse.batch.figure import Figure
from inverse.errors import ParameterError
from inverse.results.record import METRICS
from inverse.web.elements.controls import Values
from inverse.web.jobs.batches import Batch
from inverse.web.page.handlers import SPOKEN, light
from inverse.web.page.page import Page, Updates
from inverse.web.page.tab import Tab

FIGURES = {"figure-png": "image/png", "figure-svg": "image/svg+xml"}
"""Kinds of figures for print."""


class Saving(Tab):
    """Such a tab.

    Attributes:
        file: saves what is made.
    """

    file: gr.HTML

    @abstractmethod
    def saved(self, batch: Batch, kind: str, metric: str) -> tuple[str, bytes, str]:
        """Name, content and media type of a file; `metric` is what runs are judged by on the page."""

    def wire_download(self, page: Page) -> None:
        """Connects the buttons that save."""
        self.table.download(light(page, self.download), {self.table, self.batch}, [self.file], **SPOKEN)

    def download(self, page: Page, values: Values) -> Updates:
        """A button was pressed.

        Raises:
            ParameterError: nothing is finished.
        """
        batch, asked = Batch.shown(values[self.batch]), values[self.table]
        if batch is None or not batch.done:
            raise ParameterError("No run is finished yet, so there is nothing to save. Run them first.")
        asked = asked if isinstance(asked, dict) else {}
        kind, metric = str(asked.get("download")), asked.get("metric")
        metric = metric if isinstance(metric, str) and metric in METRICS else "residual"
        name, content, mime = self.saved(batch, kind, metric)
        data = f"data:{mime};base64,{base64.b64encode(content).decode()}"
        made_of = {"at": batch.head["id"], "count": len(batch.done), "kind": kind, "metric": metric}
        return {self.file: {"name": name, "data": data, **made_of}}


def drawn_figure(figure: Figure, named: Callable[[str, str], str], what: str, kind: str) -> tuple[str, bytes, str]:
    """Name, content and media type of a figure of a kind among `FIGURES`; `named` makes names of files."""
    ending = kind.partition("-")[2]
    content = figure.svg().encode() if ending == "svg" else figure.png()
    return named(f"{what}-figure", ending), content, FIGURES[kind]
