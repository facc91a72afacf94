"""Quality against cost, a point for each solver."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from inverse.evaluation.evaluate.summary import Estimate
from inverse.evaluation.findings.charts import COLOURS, LEFT, LINE, RIGHT, TOP, Chart, scale, short, span, ticks
from inverse.imaging.canvas import FAINT, QUIET, Canvas


@dataclass(frozen=True)
class Points(Chart):
    """Points with their standard errors, over a logarithmic x.

    Attributes:
        x_label, y_label: of the axes.
        points: (name, x, y) each.
    """

    x_label: str
    y_label: str
    points: Sequence[tuple[str, float, Estimate]]

    PLOT = 220

    @property
    def height(self) -> int:
        return TOP + self.PLOT + 46 + LINE * ((len(self.points) + 1) // 2)

    def draw(self, canvas: Canvas) -> None:
        canvas.words(8, 18, self.title, 13, bold=True)
        bottom, right = TOP + self.PLOT, self.width - RIGHT
        canvas.line([(LEFT, TOP), (LEFT, bottom), (right, bottom)], opacity=0.5)
        canvas.words((LEFT + right) / 2, bottom + 32, self.x_label, 11, "middle", opacity=QUIET)
        canvas.words(14, (TOP + bottom) / 2, self.y_label, 11, "middle", opacity=QUIET, upright=False)
        ends = [y.value + sign * (0 if math.isnan(y.error) else y.error) for _, _, y in self.points for sign in (-1, 1)]
        low, high = span(ends, log=False)
        xs = [x for _, x, _ in self.points]
        across, up = scale(min(xs) / 1.3, max(xs) * 1.3, LEFT, right, True), scale(low, high, bottom, TOP, False)
        for value in ticks(low, high, log=False):
            canvas.line([(LEFT, up(value)), (right, up(value))], opacity=FAINT)
            canvas.words(LEFT - 5, up(value) + 4, short(value), 11, "end", opacity=QUIET)
        for value in ticks(min(xs) / 1.3, max(xs) * 1.3, log=True):
            canvas.words(across(value), bottom + 16, f"{value:g}", 11, "middle", opacity=QUIET)
        for place, (name, x, y) in enumerate(self.points):
            colour, at = COLOURS[place % len(COLOURS)], (across(x), up(y.value))
            if not math.isnan(y.error):
                canvas.line([(at[0], up(y.value - y.error)), (at[0], up(y.value + y.error))], colour, 1.4)
            canvas.dots([at], 4 if place < len(COLOURS) else 2.6, colour)
            row, column = divmod(place, 2)
            left, middle = 14 + column * (self.width - 10) / 2, bottom + 48 + row * LINE
            canvas.dots([(left, middle)], 4 if place < len(COLOURS) else 2.6, colour)
            canvas.words(left + 10, middle + 4, name, 11)
