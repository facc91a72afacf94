"""What a run came to, in figures: one record, which the page, the programs' interface, sweeps and tables read."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from inverse.imaging import images, metrics
from inverse.results.problem import Problem
from inverse.solvers import Step


@dataclass(frozen=True)
class Metric:
    """How good a restoration is, as one number.

    Attributes:
        title, help: what people read.
        digits: after the point.
        unit: with its space, to stand after a value.
        best: which value is: "highest", or "one".
        of: the value for a problem and a step, the mean over its samples; None where it needs a truth and has none.
    """

    title: str
    help: str
    digits: int
    unit: str
    best: str
    of: Callable[[Problem, Step], float | None]

    def said(self, value: float) -> str:
        return f"{value:.{self.digits}f}{self.unit}"

    def score(self, value: float) -> float:
        """Larger is better. What is best at one is as good at twice that as at half of it."""
        return value if self.best == "highest" else -abs(math.log(max(value, 1e-9)))


def _against_truth(metric: Callable[[Tensor, Tensor], float]) -> Callable[[Problem, Step], float | None]:
    def mean(problem: Problem, step: Step) -> float | None:
        if problem.truth is None:
            return None
        values = [metric(torch.nan_to_num(x0_hat), problem.truth[0]) for x0_hat in step.x0_hat]
        return sum(values) / len(values)

    return mean


METRICS = {
    "psnr": Metric(
        "PSNR", "Closeness to the original; higher is better.", 2, " dB", "highest", _against_truth(metrics.psnr)
    ),
    "ssim": Metric("SSIM", "Likeness of structure; 1 is equal.", 3, "", "highest", _against_truth(metrics.ssim)),
    "residual": Metric(
        "Residual", "Distance from the measurement, in units of its noise; about 1 is right.", 2, " × noise", "one",
        Problem.relative_residual,
    ),
}  # fmt: skip
"""What restorations may be judged by."""


@dataclass(frozen=True)
class Record:
    """How a run ended.

    Attributes:
        quality: a value for every name in METRICS; None where it is not known.
        nfe, vjp: forward passes of the network for each sample, and those that were followed by a backward pass.
        cost: what they cost, in forward passes of the network at full size.
        operator_calls: gradients through A that were taken without the network.
        residual: root mean square of y - A(x0_hat), the mean over the samples, in units of y; `quality` has it in those
            of the noise.
        seconds: how long it took; its share of the passes that it made together with other runs.
        step, total: the last step, of how many.
        failure: why it failed, a sentence; empty when it did not.
        image: of the first sample, or the last finite one of a run that failed; None where there is none.
    """

    quality: Mapping[str, float | None] = field(default_factory=lambda: dict.fromkeys(METRICS))
    nfe: int = 0
    vjp: int = 0
    cost: float = 0.0
    operator_calls: int = 0
    residual: float = math.nan
    seconds: float = 0.0
    step: int = 0
    total: int = 0
    failure: str = ""
    image: Image.Image | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(
        cls, problem: Problem, step: Step, seconds: float, failure: str = "", without: Collection[str] = ()
    ) -> Record:
        """The record of a run that came to this step, in so many seconds.

        `without` are metrics that nobody asks for: SSIM takes a second for a picture of a megapixel.
        """
        return cls(
            quality={name: None if name in without else metric.of(problem, step) for name, metric in METRICS.items()},
            nfe=step.nfe,
            vjp=step.vjp,
            cost=step.passes,
            operator_calls=step.operator_calls,
            residual=float(step.residual.mean()),
            seconds=seconds,
            step=step.index,
            total=step.total,
            failure=failure,
            image=images.to_image(torch.nan_to_num(step.x0_hat[0])),
        )

    @property
    def figures(self) -> dict[str, Any]:
        """All of it as plain data, but for the picture."""
        others = {name: getattr(self, name) for name in ("nfe", "vjp", "cost", "operator_calls", "step", "total")}
        return {**self.quality, **others, "seconds": round(self.seconds, 3), "failure": self.failure}

    def said(self, metric: str) -> str:
        """One of its figures in words."""
        value = self.quality[metric]
        if self.failure or value is None:
            return "failed" if self.failure else ""
        return METRICS[metric].said(value)


def best(records: Mapping[int, Record], metric: str) -> int | None:
    """Key of the best record that did not fail."""
    scores: dict[int, float] = {}
    for key, record in records.items():
        value = record.quality[metric]
        if value is not None and not record.failure and not math.isnan(value):
            scores[key] = METRICS[metric].score(value)
    return max(scores, key=scores.__getitem__) if scores else None
