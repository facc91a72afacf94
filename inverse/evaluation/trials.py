"""Settings measured on held-out photographs, each once, and moved one parameter at a time to where they reach most.

What is measured is the mean PSNR over photographs that the prior was not trained on (one of them, coffee, is also in
docs/solvers.md), with sigma_y 0.05 and the same randomness for every trial: over their middle, where a photo is smooth,
and over the whole photos made small, where it is full of detail and holes are large.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.errors import DivergenceError
from inverse.imaging import images, metrics
from inverse.operators import TASKS, Task
from inverse.parameters import Real
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.solvers import Solver

PHOTOS: tuple[Callable[[], np.ndarray], ...] = (
    skimage.data.coffee,
    skimage.data.rocket,
    lambda: skimage.data.stereo_motorcycle()[0],
)
CROP, WHOLE = "psnr", "whole"
"""What is restored of a photo, by the name of the figure in the table: its middle, and all of it."""
VIEWS = {CROP: (256, 64), WHOLE: (128, 128)}
"""The size in pixels at which photos are used then, and that of the middle which is restored."""

# In the order in which they are tried: values, or the factor by which a value is moved as long as that helps. Whether a
# solver stops at the noise is not among them: presets are used with any noise, and are searched with one.
FACTORS = {"cut": 2.0, "step_size": 2.0, "guidance_scale": 2.0, "renoise_above": 2.0, "sigma_max": 3.0}
VALUES: dict[str, tuple[Any, ...]] = {
    "start": ("wiener", "pseudo-inverse"),
    "stochasticity": (0.0, 0.3, 0.85, 1.0),
    "schedule": ("log-linear", "karras"),
    "sigma_min": (0.01, 0.03, 0.1),
}
GAIN = 0.05
"""dB by which a setting must be better to be preferred."""


@cache
def photographs(view: str) -> Tensor:
    """The held-out images, (3, 3, size, size)."""
    seen_at, size = VIEWS[view]
    edge = (seen_at - size) // 2
    fitted = [images.fit(Image.fromarray(photo()), seen_at, 1, square=True) for photo in PHOTOS]
    return torch.cat([images.to_tensor(photo.crop((edge, edge, edge + size, edge + size))) for photo in fitted])


@cache
def problem(task: str, view: str) -> Problem:
    """All photographs, measured by one operator."""
    truth = photographs(view)
    return Settings.create(task=task).measurement_of(truth, auxiliary(TASKS[task], truth.shape[-1]))


def auxiliary(kind: type[Task], size: int) -> Tensor | None:
    """A picture for the tasks that need one: two thick strokes, as a mask to brush away, as a kernel, or as paint."""
    if not kind.auxiliary:
        return None
    picture = Image.new("RGBA" if kind.auxiliary == "strokes" else "RGB", (33, 33))
    draw = ImageDraw.Draw(picture)
    draw.line((4, 8, 28, 20), "white", 3)
    draw.line((20, 4, 24, 30), "white", 2)
    return kind().prepare(picture, (size, size))


def mean_psnr(x: Tensor, task: str, view: str) -> float:
    """In dB, over the photographs. Where a measurement does not tell an image from its twin, the better one counts."""
    either = (x, problem(task, view).operator.twin(x))
    truths = photographs(view)
    return float(np.mean([max(metrics.psnr(one[i], truths[i]) for one in either) for i in range(len(truths))]))


class Trials:
    """Measures settings, each once."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser
        self.reached: dict[tuple[str, Solver, str], float] = {}

    def psnr(self, task: str, solver: Solver, *views: str) -> float:
        """Mean PSNR in dB, over the views; minus infinity where the solver diverges."""
        for view in views:
            if (task, solver, view) not in self.reached:
                self.reached[task, solver, view] = self._measure(task, solver, view)
        return float(np.mean([self.reached[task, solver, view] for view in views]))

    def _measure(self, task: str, solver: Solver, view: str) -> float:
        photos = problem(task, view)
        try:
            *_, last = photos.steps(solver, self.denoiser, samples=len(photos.y))
        except DivergenceError:
            return float("-inf")
        return mean_psnr(last.x0_hat, task, view)

    def search(self, task: str, start: Solver, views: Sequence[str]) -> Solver:
        """Coordinate search from a setting, at its cost."""
        best = start
        for name in (*FACTORS, *VALUES):
            spec = start.specs().get(name)
            if spec is not None and name in VALUES:
                for value in VALUES[name]:
                    best = self._better(task, best, best.replace(**{name: value}), views)
            if not isinstance(spec, Real) or name in VALUES:
                continue
            for factor in (FACTORS[name], 1 / FACTORS[name]):
                while spec.log and spec.low <= (moved := getattr(best, name) * factor) <= spec.high:
                    trial = best.replace(**{name: float(f"{moved:.3g}")})
                    if self._better(task, best, trial, views) is best:
                        break
                    best = trial
        return best

    def _better(self, task: str, best: Solver, trial: Solver, views: Sequence[str]) -> Solver:
        return trial if self.psnr(task, trial, *views) > self.psnr(task, best, *views) + GAIN else best

    def best(self, task: str, candidates: list[Solver], views: Sequence[str] = tuple(VIEWS)) -> Solver:
        """The first of the candidates that no other one beats."""
        found = candidates[0]
        for candidate in candidates[1:]:
            found = self._better(task, found, candidate, views)
        return found
