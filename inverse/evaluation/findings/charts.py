"""Charts on a canvas: curves over noise levels, rows of figures, and samples on the plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from inverse.imaging.canvas import FAINT, INK, QUIET, Bitmap, Canvas, Point, Svg

COLOURS = (
    "#3b82f6", "#d97706", "#059669", "#dc2626", "#9333ea", "#0891b2", "#db2777", "#65a30d", "#a16207", "#64748b",
)  # fmt: skip
"""Each has a contrast of 3 or more on white and on the page's dark ground."""
DASHES = ("", "6 3", "2 3", "9 3 2 3")

WIDTH, LEFT, RIGHT, TOP = 460, 56, 12, 30
DECADES = 1e5
"""A logarithmic axis ends that far below its highest value: smaller ones stand at its end."""
LINE = 16
"""Height of a line of words."""


@dataclass(frozen=True)
class Chart:
    """A figure of which both kinds of file are made.

    Attributes:
        title: what it shows.
        width: in pixels of the SVG.
    """

    title: str
    width: int = field(default=WIDTH, kw_only=True)

    @property
    def height(self) -> int:
        raise NotImplementedError

    def draw(self, canvas: Canvas) -> None:
        raise NotImplementedError

    def svg(self) -> str:
        """As text."""
        canvas = Svg(self.width, self.height, self.title)
        self.draw(canvas)
        return str(canvas)

    def bitmap(self) -> Image.Image:
        """As pixels, twice as many a side."""
        canvas = Bitmap(self.width, self.height)
        self.draw(canvas)
        return canvas.image()


@dataclass(frozen=True)
class Curve:
    """A line of a chart: points (x, y), in the order of x; `wide` for the one to look at first."""

    label: str
    points: Sequence[Point]
    colour: str = INK
    dash: str = ""
    wide: bool = False


@dataclass(frozen=True)
class Curves(Chart):
    """Curves over a logarithmic x, which falls to the right as a run does.

    Attributes:
        x_label, y_label: of the axes.
        levels: dashed horizontal lines (y, words).
        y_range: of the axis, when the data should not decide it.
        log: whether y is logarithmic; what is not above 0 is then left out.
    """

    x_label: str
    y_label: str
    curves: Sequence[Curve]
    levels: Sequence[tuple[float, str]] = ()
    log: bool = True
    y_range: tuple[float, float] | None = None

    PLOT = 220

    @property
    def height(self) -> int:
        return TOP + self.PLOT + 46 + LINE * ((len(self.curves) + 1) // 2)

    def draw(self, canvas: Canvas) -> None:
        canvas.words(8, 18, self.title, 13, bold=True)
        seen = [
            (curve, [(x, y) for x, y in curve.points if math.isfinite(y) and (y > 0 or not self.log)])
            for curve in self.curves
        ]
        every = [point for _, points in seen for point in points]
        bottom, right = TOP + self.PLOT, self.width - RIGHT
        canvas.line([(LEFT, TOP), (LEFT, bottom), (right, bottom)], opacity=0.5)
        canvas.words((LEFT + right) / 2, bottom + 32, self.x_label, 11, "middle", opacity=QUIET)
        canvas.words(14, (TOP + bottom) / 2, self.y_label, 11, "middle", opacity=QUIET, upright=False)
        if not every:
            canvas.words((LEFT + right) / 2, (TOP + bottom) / 2, "nothing measured yet", 12, "middle", opacity=QUIET)
            return
        xs = [x for x, _ in every]
        x = scale(max(xs) * 1.1, min(xs) / 1.1, LEFT, right, log=True)
        low, high = self.y_range or span([y for _, y in every] + [y for y, _ in self.levels], self.log)
        y = scale(low, high, bottom, TOP, self.log)
        for value in ticks(low, high, self.log):
            canvas.line([(LEFT, y(value)), (right, y(value))], opacity=FAINT)
            canvas.words(LEFT - 5, y(value) + 4, short(value), 11, "end", opacity=QUIET)
        for value in ticks(min(xs), max(xs), log=True):
            canvas.words(x(value), bottom + 16, f"{value:g}", 11, "middle", opacity=QUIET)
        for value, words in self.levels:
            canvas.line([(LEFT, y(value)), (right, y(value))], width=1, dash="4 4", opacity=0.6)
            canvas.words(right - 4, y(value) - 4, words, 11, "end", opacity=QUIET)
        for curve, points in seen:
            inside = [(x(a), min(max(y(b), TOP), bottom)) for a, b in points]
            if len(inside) > 1:
                canvas.line(inside, curve.colour, 2.6 if curve.wide else 1.7, curve.dash)
            canvas.dots(inside, 2.4, curve.colour)
        _legend(canvas, self.curves, bottom + 48)


def _legend(canvas: Canvas, curves: Sequence[Curve], top: float) -> None:
    for place, curve in enumerate(curves):
        row, column = divmod(place, 2)
        left, middle = 10 + column * (canvas.width - 10) / 2, top + row * LINE
        canvas.line([(left, middle), (left + 22, middle)], curve.colour, 2.6 if curve.wide else 1.7, curve.dash)
        canvas.words(left + 27, middle + 4, curve.label, 11)


@dataclass(frozen=True)
class Column:
    """A column of a chart of rows.

    Attributes:
        title: above it.
        values: one a row, NaN for none; or a histogram a row.
        high: end of its axis, which begins at 0; what is beyond stands at the end, with its figure.
        right: the value to have, drawn as a line; of a histogram's every bar.
    """

    title: str
    values: Sequence[float] | Sequence[Sequence[float]]
    high: float
    right: float


@dataclass(frozen=True)
class Rows(Chart):
    """A row for each name: dots on axes, with their figures, or little histograms."""

    names: Sequence[str]
    columns: Sequence[Column]

    NAMES, ROW = 172, 21

    @property
    def height(self) -> int:
        return TOP + 24 + self.ROW * max(1, len(self.names)) + 8

    def draw(self, canvas: Canvas) -> None:
        canvas.words(8, 18, self.title, 13, bold=True)
        top, bottom = TOP + 22, self.height - 6
        for row, name in enumerate(self.names):
            canvas.words(10, top + self.ROW * row + 15, name, 11)
        width = (self.width - self.NAMES - 6) / max(1, len(self.columns))
        for place, column in enumerate(self.columns):
            left, right = self.NAMES + place * width + 6, self.NAMES + (place + 1) * width - 8
            canvas.words((left + right) / 2, top - 8, column.title, 11, "middle", opacity=QUIET)
            x = scale(0.0, column.high, left, right - 26, log=False)
            canvas.line([(left, top), (left, bottom)], opacity=FAINT)
            if column.values and isinstance(column.values[0], float):
                canvas.line([(x(column.right), top), (x(column.right), bottom)], dash="3 3", opacity=0.7)
            for row, value in enumerate(column.values):
                middle = top + self.ROW * row + self.ROW / 2
                if isinstance(value, Sequence):
                    self._bars(canvas, column, value, left, right, middle)
                else:
                    self._dot(canvas, column, x, value, middle)

    @staticmethod
    def _dot(canvas: Canvas, column: Column, x: Callable[[float], float], value: float, middle: float) -> None:
        if math.isnan(value):
            canvas.words(x(0) + 4, middle + 4, "-", 11, opacity=QUIET)
            return
        at = x(min(value, column.high))
        canvas.line([(x(0), middle), (at, middle)], COLOURS[0], 1.4, opacity=0.5)
        canvas.dots([(at, middle)], 3.6, COLOURS[0])
        canvas.words(at + 7, middle + 4, f"{value:.2f}", 10, opacity=QUIET)

    @staticmethod
    def _bars(
        canvas: Canvas, column: Column, values: Sequence[float], left: float, right: float, middle: float
    ) -> None:
        height, bottom = 16.0, middle + 8
        step = (right - left) / len(values)
        for place, value in enumerate(values):
            if math.isnan(value):
                return
            tall = height * min(value / column.high, 1.0)
            x = left + place * step
            canvas.area(
                [(x, bottom), (x, bottom - tall), (x + step - 0.6, bottom - tall), (x + step - 0.6, bottom)], COLOURS[0]
            )
        level = bottom - height * column.right / column.high
        canvas.line([(left, level), (right, level)], width=1, dash="3 2", opacity=0.7)


@dataclass(frozen=True)
class Plane(Chart):
    """Samples on the density of the plane, in small multiples.

    Attributes:
        density: a picture, RGBA, whose opacity is the density.
        extent: (left, right, bottom, top) of it.
        groups: (name, points) each.
    """

    density: Image.Image
    extent: tuple[float, float, float, float]
    groups: Sequence[tuple[str, Sequence[Point]]]
    columns: int = 3

    @property
    def side(self) -> float:
        return (self.width - 8) / self.columns - 8

    @property
    def height(self) -> int:
        return round(TOP + math.ceil(len(self.groups) / self.columns) * (self.side + 26))

    def draw(self, canvas: Canvas) -> None:
        canvas.words(8, 18, self.title, 13, bold=True)
        low_x, high_x, low_y, high_y = self.extent
        for place, (name, points) in enumerate(self.groups):
            row, column = divmod(place, self.columns)
            left, top = 8 + column * (self.side + 8), TOP + 18 + row * (self.side + 26)
            canvas.words(left, top - 6, name, 11)
            canvas.picture(left, top, self.side, self.side, self.density)
            right, bottom = left + self.side, top + self.side
            canvas.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], opacity=0.3)
            x, y = scale(low_x, high_x, left, right, False), scale(low_y, high_y, bottom, top, False)
            radius = 1.2 if len(self.groups) > 1 else 1.8
            inside = [(x(a), y(b)) for a, b in points if low_x < a < high_x and low_y < b < high_y]
            canvas.dots(inside, radius, COLOURS[1], 0.75)


def ticks(low: float, high: float, log: bool) -> list[float]:
    """Round numbers within a range: powers of ten, with 2 and 5 between where they are few; or equal steps."""
    if log:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        factors = (1, 2, 5) if high / low < 30 else (1,)
        step = max(1, len(decades) // 6)
        found = [factor * 10.0**power for power in decades[::step] for factor in factors]
    else:
        rough = (high - low) / 4
        power = 10.0 ** math.floor(math.log10(rough))
        gap = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
        first = math.ceil(low / gap - 1e-9)
        found = [round((first + place) * gap, 10) for place in range(12)]
    return [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]


def short(value: float) -> str:
    """A tick's label."""
    return f"{value:g}" if 1e-3 < value < 1e4 or not value else f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def span(values: Sequence[float], log: bool) -> tuple[float, float]:
    """Ends of an axis for values."""
    low, high = min(values), max(values)
    if log:
        return max(low, high / DECADES) / 1.4, high * 1.4
    margin = 0.08 * (high - low) or 0.5
    return low - margin, high + margin


def scale(low: float, high: float, start: float, end: float, log: bool) -> Callable[[float], float]:
    """From data to pixels: `low` to `start`, `high` to `end`."""
    change = math.log if log else float
    first, last = change(low), change(high)
    return lambda value: start + (change(value) - first) / (last - first) * (end - start)
