"""A sweep on paper: the grid of its cells as one picture, and its figures as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from PIL import Image, ImageDraw, ImageFont

from inverse.batch.runs import Outcome
from inverse.batch.sweep import METRICS, Sweep, best

GAP = 8
INK, PAPER, EMPTY, ACCENT = "#1e293b", "#ffffff", "#e2e8f0", "#0f766e"


def picture(sweep: Sweep, outcomes: Mapping[int, Outcome], metric: str, side: int = 192) -> Image.Image:
    """The grid: values along both edges, each cell with its metric below, the best one framed.

    Args:
        sweep: the sweep.
        outcomes: of the cells that are finished, by their place in `sweep.runs`.
        metric: one of METRICS.
        side: longer side of a cell's picture, in pixels.
    """
    first = next((outcome.image for outcome in outcomes.values() if outcome.image), None)
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
    winner = best(outcomes, metric)
    for index in range(sweep.rows * sweep.columns):
        row, column = divmod(index, sweep.columns)
        x, y = left + column * step_x, top + row * step_y
        outcome = outcomes.get(index)
        if outcome is None or outcome.image is None:
            draw.rectangle((x, y, x + width, y + height), EMPTY)
        else:
            sheet.paste(outcome.image.resize((width, height), Image.Resampling.LANCZOS), (x, y))
        if outcome is not None:
            draw.text((x, y + height + 2), said(outcome, metric) + ("  best" if index == winner else ""), INK, font)
        if index == winner:
            draw.rectangle((x - 3, y - 3, x + width + 2, y + height + 2), outline=ACCENT, width=3)
    return sheet


def said(outcome: Outcome, metric: str) -> str:
    """A cell's figure in words."""
    value = getattr(outcome, metric)
    if outcome.failure or value is None:
        return "failed" if outcome.failure else ""
    return {"psnr": f"{value:.2f} dB", "ssim": f"{value:.3f}", "residual": f"{value:.2f} sigma_y"}[metric]


def table(sweep: Sweep, outcomes: Mapping[int, Outcome]) -> str:
    """One line a finished cell: the axes' values, every metric, what it cost, and why it failed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [axis.name for axis in sweep.axes]
    writer.writerow([*names, *METRICS, "nfe", "vjp", "seconds", "failure"])
    for index, outcome in sorted(outcomes.items()):
        row, column = divmod(index, sweep.columns)
        places = [sweep.axes[0].values[column], *([sweep.axes[1].values[row]] if len(sweep.axes) > 1 else [])]
        figures = [getattr(outcome, metric) for metric in METRICS]
        rounded = ["" if figure is None else f"{figure:.5g}" for figure in figures]
        writer.writerow([*places, *rounded, outcome.nfe, outcome.vjp, f"{outcome.seconds:.3f}", outcome.failure])
    return text.getvalue()


def _row_labels(sweep: Sweep) -> list[str]:
    if len(sweep.axes) == 1:
        return []
    return [f"{sweep.axes[1].name} {label}" for label in sweep.axes[1].labels]


def _shrunk(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
