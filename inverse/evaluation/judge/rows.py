"""What one solver does on one case, in figures that exact samples of the posterior would have by themselves."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inverse.estimators.exact import ExactEstimator
from inverse.evaluation.judge.cases import (
    DEFAULT_MEASUREMENTS,
    DEFAULT_SIZE,
    JUDGE_TASKS,
    Case,
    case,
    find,
)
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.results.problem import Problem
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.run import BACKWARD_COST

LEVELS = (0.5, 0.9)
"""Of the intervals whose coverage is counted."""

DEFAULT_SAMPLES = 19
"""The fewest that have quantiles at 5 and 95 %: their smallest and their largest."""

TOLERANCES = {"bias": 0.25, "std ratio": 0.1, "90 %": 0.05}
"""How far from 0, 1 and 0.9 a solver may be and count as calibrated; three standard errors where that is more."""

MODE, NEAR_MODE = 0.15, 0.5
"""Distance to the MAP estimate of samples that agree."""

_WIDE = {"sigma_max": 80.0}
_WIDE_REASON = "from pure noise, for this prior"
_TO_MODE = {"gradient_steps": 50, "sigma_max": 80.0, "sigma_min": 0.002}
_TO_MODE_REASON = "1000 gradient steps, as MAP-GA takes, down to where the mode is sharp"

JUDGE_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "vml-map": ({"steps": 12, "gradient_steps": 4}, "twice the default's cost: here it should arrive"),
    "cse-vml-map": (
        {"steps": 12, "gradient_steps": 4, "guidance_scale": 1.0},
        "as VML-MAP; its estimator is the exact one, and the measurement has its own weight",
    ),
    "vml-map-published": (_TO_MODE, _TO_MODE_REASON),
    "vml-map-preconditioned": (_TO_MODE, _TO_MODE_REASON),
    "cse": (
        {**_WIDE, "steps": 100, "sigma_min": 0.002},
        "as many steps as the other samplers; its estimator is the exact one",
    ),
    "daps": ({**_WIDE, "stochasticity": 1.0}, "the whole spread, which is right for Gaussian data"),
    "dmap": ({**_WIDE, "steps": 100}, "as many steps as the other samplers, from pure noise"),
    **dict.fromkeys(("dps", "dsg", "diffpir", "ddrm", "ddnm", "pigdm", "ac-dc"), (_WIDE, _WIDE_REASON)),
}
"""What differs from a solver's defaults, and why. The field's large-scale structure has a standard deviation of about
10 in one Fourier coefficient, so that the reverse process starts at sigma 80, and no network limits it. A solver
without a row runs at its defaults."""

LONG = {"daps": 800, "diffpir": 800}
"""Steps of a second run of solvers that are off by how few steps they take, and not by what a step does."""


@dataclass(frozen=True)
class JudgeRow:
    """What one solver did on one case. Lengths are in standard deviations of the posterior, RMS over pixels.

    Attributes:
        solver, title: its name and what people read.
        task, sigma_y: a key of `JUDGE_TASKS`, and the noise.
        settings: what differs from the solver's defaults.
        size, measurements, samples: side of the images, how many were measured, and restorations drawn of each.
        bias: of the samples' mean, from the posterior's; what the mean of so few samples is off by chance is taken
            out, but for a single sample. 0 for a posterior sampler and for a MAP method.
        bias_error: exact samples hardly ever exceed it: the root of four standard errors of the square.
        std_ratio: pooled standard deviation of the samples; 1 for a posterior sampler, about 0 for a MAP method, NaN
            for a single sample.
        std_error: standard error of `std_ratio` for exact samples.
        coverage: by level, how often the interval between the samples' quantiles holds the truth, averaged over all
            truths that y allows, over pixels and over measurements. The level itself for a posterior sampler; NaN for
            less than 19 samples, which have no 5 % quantile.
        coverage_error: by level, the most that its standard error can be for exact samples.
        map_distance: distance of a sample to the MAP estimate; 1 for a posterior sampler, about 0 for a MAP method.
        residual: RMS of y - H x0 in units of sigma_y (of y where sigma_y is 0): about 1 for a posterior sampler.
        map_residual: the same of the MAP estimate itself.
        posterior_std: RMS standard deviation of the posterior, in the units of a pixel.
        nfe, vjp: forward passes, and how many of them were followed by a backward pass.
        seconds: wall time.
    """

    solver: str
    title: str
    task: str
    sigma_y: float
    settings: Mapping[str, Any]
    size: int
    measurements: int
    samples: int
    bias: float
    bias_error: float
    std_ratio: float
    std_error: float
    coverage: Mapping[float, float]
    coverage_error: Mapping[float, float]
    map_distance: float
    residual: float
    map_residual: float
    posterior_std: float
    nfe: int
    vjp: int
    seconds: float

    @property
    def cost(self) -> float:
        """Passes through the prior, in forward passes."""
        return self.nfe + BACKWARD_COST * self.vjp

    @property
    def name(self) -> str:
        """The title, and the steps where there are more than the judge usually takes."""
        steps = self.settings.get("steps")
        return f"{self.title}, {steps} steps" if steps and steps == LONG.get(self.solver) else self.title

    @property
    def verdict(self) -> str:
        """A word or two; the posterior's own samples are "calibrated". See `TOLERANCES`."""
        if self.std_ratio < 0.5 and self.map_distance < NEAR_MODE:
            return "mode" if self.map_distance < MODE else "near mode"
        words = []
        if abs(self.std_ratio - 1) > max(TOLERANCES["std ratio"], 3 * self.std_error):
            words.append("narrow" if self.std_ratio < 1 else "wide")
        if self.bias > max(TOLERANCES["bias"], self.bias_error):
            words.append("biased")
        off = self.coverage[0.9] - 0.9  # NaN where there are too few samples: no comparison holds
        if not words and abs(off) > max(TOLERANCES["90 %"], 3 * self.coverage_error[0.9]):
            words.append("narrow in places" if off < 0 else "wide in places")
        return ", ".join(words) or "calibrated"


def judge_solver(name: str, **changes: Any) -> Solver:
    """A solver at the settings that the judge uses, some of them changed.

    Raises:
        ParameterError: there is no such solver, or a value is not allowed.
    """
    return SOLVERS.find(name).create({**JUDGE_SETTINGS.get(name, ({}, ""))[0], **changes})


def judge(
    solvers: Iterable[str | Solver] | None = None,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
    tasks: Iterable[str] | None = None,
    sigmas_y: Iterable[float] = (DEFAULT_SIGMA_Y,),
    size: int = DEFAULT_SIZE,
    measurements: int = DEFAULT_MEASUREMENTS,
) -> Iterator[JudgeRow]:
    """Runs solvers on cases, one row each, case by case.

    Args:
        solvers: names, at `JUDGE_SETTINGS`, or solvers as they are; every registered one when None, and those in
            `LONG` again with more steps.
        samples: how many restorations to draw for each measurement, >= 1. From 19 on there is a coverage.
        seed: of measurements and solvers.
        tasks: keys of `JUDGE_TASKS`; all when None, but those whose posterior without noise cannot be computed.
        sigmas_y: standard deviations of the noise.
        size: side of the images, which are square.
        measurements: how many images are measured.

    Raises:
        ParameterError: there is no such solver or task.
        ProblemError: the posterior cannot be computed.
        DivergenceError: a solver diverged.
    """
    if solvers is None:
        solvers = [*SOLVERS, *(judge_solver(name, steps=steps) for name, steps in LONG.items())]
    chosen = [judge_solver(s) if isinstance(s, str) else s for s in solvers]
    asked = None if tasks is None else {task: find(task) for task in tasks}
    for sigma_y in sigmas_y:
        for task, judged in (JUDGE_TASKS if asked is None else asked).items():
            if asked is None and judged.needs_noise and not sigma_y:
                continue
            known = case(task, sigma_y, seed, size, measurements)
            for solver in chosen:
                yield _row(solver, task, known, samples, seed)


def _row(solver: Solver, task: str, known: Case, samples: int, seed: int) -> JudgeRow:
    start = time.perf_counter()
    x, nfe, vjp = _draw(solver, known, samples, seed)
    seconds = time.perf_counter() - start
    return JudgeRow(
        solver=solver.name,
        title=solver.title,
        task=task,
        sigma_y=known.sigma_y,
        settings=solver.changed(),
        size=known.truths.shape[-1],
        measurements=len(known.truths),
        samples=samples,
        **figures(known, x),
        map_residual=known.residual(known.means[:, None]),
        posterior_std=known.std,
        nfe=nfe,
        vjp=vjp,
        seconds=seconds,
    )


def _draw(solver: Solver, known: Case, samples: int, seed: int) -> tuple[Tensor, int, int]:
    """Restorations (M, samples, C, H, W), all in one batch, and what one cost."""
    y, truths = (each.repeat_interleave(samples, 0) for each in (known.y, known.truths))
    problem = Problem(known.task, known.operator, y, known.sigma_y, truths)
    prior = ExactEstimator(known.prior) if solver.needs_estimator else known.prior
    (last,) = deque(problem.steps(solver, prior, seed, len(y)), maxlen=1)
    return last.x0_hat.unflatten(0, (len(known.y), samples)), last.nfe, last.vjp


def figures(known: Case, x: Tensor) -> dict[str, Any]:
    """The figures of `JudgeRow` that restorations x, (M, n, C, H, W), have of themselves."""
    measurements, samples = x.shape[:2]
    variance = x.var(1).mean().item() if samples > 1 else float("nan")
    freedom = known.independent * measurements
    # The mean of n samples is off by chance, by their variance / n, which is known from the samples themselves.
    chance = variance / samples if samples > 1 else 0.0
    square = _mean_square(x.mean(1) - known.means) - chance
    return {
        "bias": max(square, 0.0) ** 0.5 / known.std,
        "bias_error": (4 * (2 / freedom) ** 0.5 / (samples * max(samples - 1, 1)) ** 0.5) ** 0.5,
        "std_ratio": variance**0.5 / known.std,
        "std_error": (1 / (2 * freedom * (samples - 1))) ** 0.5 if samples > 1 else float("nan"),
        "coverage": {level: _coverage(known, x, level) for level in LEVELS},
        "coverage_error": {level: _coverage_error(known, samples, level) for level in LEVELS},
        "map_distance": _mean_square(x - known.means[:, None]) ** 0.5 / known.std,
        "residual": known.residual(x),
    }


def _coverage(known: Case, x: Tensor, level: float) -> float:
    """Posterior probability of the interval between quantiles of x, over all measurements and doubtful pixels.

    The r-th smallest and the r-th largest of n samples hold the next one, from the same distribution whatever it is,
    with probability 1 - 2 r / (n + 1). Weibull's quantiles are those, and what lies between them.
    """
    tail = (1 - level) / 2
    if tail * (x.shape[1] + 1) < 1 - 1e-9:
        return float("nan")
    low, high = np.quantile(x.numpy(), (tail, 1 - tail), axis=1, method="weibull")
    std = known.posterior.std.clamp_min(torch.finfo(torch.float64).tiny)
    below, above = (torch.special.ndtr((torch.from_numpy(end) - known.means) / std) for end in (low, high))
    return (above - below)[:, known.doubtful].mean().item()


def _coverage_error(known: Case, samples: int, level: float) -> float:
    """Coverage of one pixel is a Beta variable of mean `level` whose parameters add up to n + 1."""
    return (level * (1 - level) / (samples + 2) / (known.independent_pixels * len(known.y))) ** 0.5


def _mean_square(x: Tensor) -> float:
    return x.square().mean().item()
