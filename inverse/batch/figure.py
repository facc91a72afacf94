"""Several runs as a figure of a paper: pictures in a table, their figures below, and a caption with every setting.

It is as wide as a page of text, and is written as SVG or as a PNG whose pixels are those of good print.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from PIL import Image, ImageFont

from inverse.batch.sweep import Sweep
from inverse.errors import OutputError
from inverse.imaging.canvas import QUIET, Bitmap, Canvas, Svg
from inverse.imaging.files import printable, replace_atomically
from inverse.results.record import METRICS, Record, best
from inverse.settings import Settings
from inverse.settings.caption import caption, of_damage, of_solver
from inverse.settings.carriers import png_text

WIDTH = 680
"""Pixels of CSS, 1/96 inch each: 180 mm, the width of a page of text."""
SCALE = 4
"""Pixels of the PNG for each: 384 dpi."""
WIDEST = 200
"""Of a picture."""
GAP, LINE, SMALL = 8, 15, 11
ACCENT = "#0f766e"
EMPTY = "#e2e8f0"
ABREAST = 4
"""Pictures of a comparison beside each other."""


@dataclass(frozen=True)
class Cell:
    """A picture, or None for what was not finished, and the words below it; the best one is framed."""

    picture: Image.Image | None
    words: Sequence[str]
    best: bool = False


@dataclass(frozen=True)
class Figure:
    """What stands in it.

    Attributes:
        rows: its cells.
        columns: headings of the columns; none where `above` is empty.
        beside: headings of the rows, read from below; none where it is empty.
        above: what the columns' headings are values of.
        caption: below.
        settings: of the runs, which a PNG carries.
    """

    rows: Sequence[Sequence[Cell]]
    caption: str
    settings: Settings
    columns: Sequence[str] = ()
    beside: Sequence[str] = ()
    above: str = ""

    def svg(self) -> str:
        """As text, whose pictures have no more pixels than they need at that size."""
        canvas = Svg(WIDTH, self.height, self.caption)
        self._draw(canvas)
        return str(canvas)

    def png(self) -> bytes:
        """The content of a file, which says how large it is meant to be."""
        canvas, buffer = Bitmap(WIDTH, self.height, SCALE, 1), io.BytesIO()
        self._draw(canvas)
        density = (96 * SCALE, 96 * SCALE)
        canvas.image().save(buffer, "PNG", dpi=density, pnginfo=png_text(self.settings.to_json()))
        return buffer.getvalue()

    def write(self, path: Path) -> None:
        """Writes the kind of file that its name says.

        Raises:
            OutputError: it is neither, or cannot be written.
        """
        content = FIGURES[check_ending(path)](self)
        replace_atomically(path, lambda temporary: temporary.write_bytes(content))

    @property
    def height(self) -> int:
        tall = len(self.rows) * (self._side[1] + LINE * self._lines + GAP)
        return round(self._top + tall + 6 + LINE * len(wrapped(self.caption, WIDTH - 4)) + 4)

    @property
    def _lines(self) -> int:
        return max(len(cell.words) for row in self.rows for cell in row)

    @property
    def _left(self) -> int:
        return LINE + 6 if self.beside else 0

    @property
    def _top(self) -> int:
        return 2 * LINE + 4 if self.columns else 2

    @property
    def _side(self) -> tuple[float, float]:
        """Width and height of a picture."""
        most = max(map(len, self.rows))
        width = min(WIDEST, (WIDTH - self._left - GAP * (most - 1) - 4) / most)
        first = next((cell.picture for row in self.rows for cell in row if cell.picture), None)
        return width, width * (first.height / first.width if first else 1)

    def _draw(self, canvas: Canvas) -> None:
        width, height = self._side
        left, top = 2 + self._left, self._top
        if self.columns:
            canvas.words(left, LINE - 3, self.above, SMALL, opacity=QUIET)
            for at, words in enumerate(self.columns):
                canvas.words(left + at * (width + GAP) + width / 2, 2 * LINE - 3, words, SMALL, "middle")
        for row, cells in enumerate(self.rows):
            y = top + row * (height + LINE * self._lines + GAP)
            if self.beside:
                canvas.words(LINE - 2, y + height / 2, self.beside[row], SMALL, "middle", upright=False)
            for column, cell in enumerate(cells):
                _draw_cell(canvas, cell, left + column * (width + GAP), y, width, height)
        for at, words in enumerate(wrapped(self.caption, WIDTH - 4)):
            canvas.words(2, self.height - 6 - LINE * (len(wrapped(self.caption, WIDTH - 4)) - 1 - at), words, SMALL)


FIGURES: dict[str, Callable[[Figure], bytes]] = {"svg": lambda figure: figure.svg().encode(), "png": Figure.png}
"""The content of a figure's file, by the ending of its name."""


def check_ending(path: Path) -> str:
    """svg or png, as a name ends; OutputError where it ends otherwise."""
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FIGURES:
        raise OutputError(
            f"{printable(path)} is no name of a figure, which is an SVG or a PNG. Name a file that ends so."
        )
    return ending


def of_sweep(sweep: Sweep, records: Mapping[int, Record], metric: str) -> Figure:
    """The grid of a sweep, by records by their place in `sweep.runs`."""
    winner = best(records, metric)
    cells = [_cell(records.get(at), [metric], at == winner) for at in range(len(sweep.runs))]
    x, *more = sweep.axes
    return Figure(
        rows=_in_rows(cells, sweep.columns),
        caption=caption(sweep.settings, [axis.name for axis in sweep.axes]),
        settings=sweep.settings,
        columns=x.labels,
        beside=[f"{axis.name} {label}" for axis in more for label in axis.labels],
        above=x.name,
    )


def of_comparison(titles: Sequence[str], runs: Sequence[Settings], records: Mapping[int, Record]) -> Figure:
    """Runs that were compared, each with its title, its metrics and what it cost; of all, records by their place."""
    shown = [name for name in METRICS if any(record.quality[name] is not None for record in records.values())]
    winner = best(records, shown[0]) if shown else None
    cells = [_cell(records.get(at), shown, at == winner, title) for at, title in enumerate(titles)]
    solvers = " ".join(dict.fromkeys(of_solver(run.solver) for run in runs))
    return Figure(_in_rows(cells, ABREAST), f"{of_damage(runs[0], _differing(runs))} {solvers}", runs[0])


def _in_rows(cells: Sequence[Cell], columns: int) -> list[Sequence[Cell]]:
    return [cells[at : at + columns] for at in range(0, len(cells), columns)]


def _differing(runs: Sequence[Settings]) -> list[str]:
    """The settings beside task and solver in which runs differ."""
    names = ["prior", *runs[0].numbers(), *runs[0].flags()]
    return [name for name in names if any(getattr(a, name) != getattr(b, name) for a, b in pairwise(runs))]


def _cell(record: Record | None, metrics: Sequence[str], best: bool, title: str = "") -> Cell:
    words = [title] * bool(title)
    if record is None:
        return Cell(None, [*words, "not finished"])
    said = " · ".join(filter(None, (_said(record, name) for name in metrics)))
    cost = [f"{record.cost:.3g} passes"] * bool(title)
    return Cell(record.image, [*words, said, *cost], best)


def _said(record: Record, metric: str) -> str:
    """One of its figures, with its name where no unit tells which it is."""
    words, known = record.said(metric), METRICS[metric]
    return f"{known.title} {words}" if words and not known.unit and not record.failure else words


def _draw_cell(canvas: Canvas, cell: Cell, x: float, y: float, width: float, height: float) -> None:
    if cell.picture is None:
        canvas.area([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], EMPTY)
    else:
        most = (max(1, round(width * SCALE)), max(1, round(height * SCALE)))
        picture = cell.picture
        if picture.width > most[0]:
            picture = picture.resize(most, Image.Resampling.LANCZOS)
        canvas.picture(x, y, width, height, picture)
    if cell.best:
        corners: list[Any] = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
        canvas.line(corners, ACCENT, 2.5)
    for at, words in enumerate(cell.words):
        first = at == 0 and len(cell.words) > 1
        canvas.words(x, y + height + LINE * (at + 1) - 3, fitting(words, width), SMALL, bold=first or cell.best)


def fitting(text: str, width: float, size: int = SMALL) -> str:
    """The text, or its beginning, where it is wider than there is room."""
    font = ImageFont.load_default(size=size)
    if font.getlength(text) <= width:
        return text
    kept = next(end for end in range(len(text), 0, -1) if font.getlength(text[:end] + "…") <= width or end == 1)
    return text[:kept].rstrip() + "…"


def wrapped(text: str, width: float, size: int = SMALL) -> list[str]:
    """The text in lines of a width."""
    font, lines = ImageFont.load_default(size=size), [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
