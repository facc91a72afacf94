"""A sweep on paper: the grid of its cells as one picture, and its figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

from inverse.batch.sweep import Sweep
from inverse.results.record import METRICS, Record, best

GAP = 8
INK, PAPER, EMPTY, ACCENT = "#1e293b", "#ffffff", "#e2e8f0", "#0f766e"


def picture(sweep: Sweep, records: Mapping[int, Record], metric: str, side: int = 192) -> Image.Image:
    """The grid of the finished cells' records, by their place in `sweep.runs`; a cell is `side` pixels at most.

    Values along both edges, each cell with its metric, one of METRICS, below, the best one framed.
    """
    first = next((record.image for record in records.values() if record.image), None)
    width, height = _shrunk(first.size, side) if first else (side, side)
    font = ImageFont.load_default(size=14)
    left = 12 + max((int(font.getlength(text)) for text in _row_labels(sweep)), default=0)
    line = 22
    top = 2 * line
    step_x, step_y = width + GAP, height + line + GAP
    sheet = Image.new("RGB", (left + sweep.columns * step_x, top + sweep.rows * step_y), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((left, 4), sweep.axes[0].name, INK, font)
    for column, label in enumerate(sweep.axes[0].labels):
        draw.text((left + column * step_x, line), label, INK, font)
    for row, label in enumerate(_row_labels(sweep)):
        draw.text((6, top + row * step_y), label, INK, font)
    winner = best(records, metric)
    for index in range(sweep.rows * sweep.columns):
        row, column = divmod(index, sweep.columns)
        x, y = left + column * step_x, top + row * step_y
        record = records.get(index)
        if record is None or record.image is None:
            draw.rectangle((x, y, x + width, y + height), EMPTY)
        else:
            sheet.paste(record.image.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        if record is not None:
            draw.text((x, y + height + 2), record.said(metric) + ("  best" if index == winner else ""), INK, font)
        if index == winner:
            draw.rectangle((x - 3, y - 3, x + width + 2, y + height + 2), outline=ACCENT, width=3)
    return sheet


def table(sweep: Sweep, records: Mapping[int, Record]) -> str:
    """One line a finished cell: the axes' values, every metric, what it cost, and why it failed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [axis.name for axis in sweep.axes]
    writer.writerow([*names, *METRICS, "nfe", "vjp", "seconds", "failure"])
    for index, record in sorted(records.items()):
        row, column = divmod(index, sweep.columns)
        places = [axis.values[place] for axis, place in zip(sweep.axes, (column, row), strict=False)]
        figures = [record.quality[metric] for metric in METRICS]
        rounded = ["" if figure is None else f"{figure:.5g}" for figure in figures]
        writer.writerow([*places, *rounded, record.nfe, record.vjp, f"{record.seconds:.3f}", record.failure])
    return text.getvalue()


def _row_labels(sweep: Sweep) -> list[str]:
    if len(sweep.axes) == 1:
        return []
    return [f"{sweep.axes[1].name} {label}" for label in sweep.axes[1].labels]


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
