"""How a run went, step by step: the data residual and, where the truth is known, the PSNR, as two small curves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from inverse.imaging import metrics
from inverse.results.problem import Problem
from inverse.solvers import Step
from inverse.web.elements.element import element, template
from inverse.web.elements.figures import distance

POINTS = 400
"""Points that a curve has at most; of a longer run at most every second step is kept, or every third, and so on."""

Point = tuple[int, float | None, float | None]
"""Step, residual in units of the noise (in those of y where there is none), PSNR in dB."""


@dataclass
class Curve:
    """Takes steps of a run: the first, the last, and as many between them as may cost their time.

    Attributes:
        last: of the last step taken, whether it is kept or not.
    """

    last: Point | None = None
    _kept: list[Point] = field(default_factory=list)
    _total: int = 0
    _relative: bool = False

    def add(self, problem: Problem, step: Step) -> None:
        """Takes a step, unless it has it; of several samples the mean of their figures."""
        if self.last is not None and self.last[0] >= step.index:
            return
        psnr = None if problem.truth is None else tidy(metrics.mean_psnr(step.x0_hat, problem.truth))
        point = (step.index, tidy(distance(problem, step)), psnr)
        self._total, self._relative = step.total, problem.sigma_y > 0
        # In this order: Stop may read while the run writes.
        if not self._kept or step.index - self._kept[-1][0] >= math.ceil(step.total / POINTS):
            self._kept.append(point)
        self.last = point

    @property
    def value(self) -> dict[str, Any]:
        """The curve up to the last step, for the page. Of a growing list Gradio sends only what is new."""
        points = [*self._kept]
        if self.last is not None and self.last not in points[-1:]:
            points.append(self.last)
        return {"total": self._total, "relative": self._relative, "points": points}


def tidy(value: float | None) -> float | None:
    """Four digits; None for what nobody knows, or no curve can show."""
    return float(f"{value:.4g}") if value is not None and math.isfinite(value) else None


def curves() -> gr.HTML:
    """Draws the curve of what the viewer shows, which the viewer hands over."""
    markup = "".join(
        template("curves").format(name=name, title=title, note=note) for name, (title, note) in PLOTS.items()
    )
    markup += template("curve-tools")
    return element("curves", None, markup, {name: title for name, (title, _) in PLOTS.items()}, elem_id="curves")


PLOTS = {
    "residual": ("Data residual", "distance from the measurement"),
    "psnr": ("PSNR", "closeness to the original"),
}
"""Title and note of each curve, in the order of a `Point`."""
