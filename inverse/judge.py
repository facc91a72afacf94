"""The judge: every solver on a prior whose posterior is known exactly, so that its errors can be told apart."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.exact import GaussianField
from inverse.operators import TASKS, Operator
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.base import BACKWARD_COST

IMAGE_SHAPE = (1, 64, 64)
SIGMA_Y = 0.05

JUDGE_TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "inpainting": ("inpaint-box", {"box_height": 24 / 64, "box_width": 24 / 64}),
    "blur": ("deblur-gaussian", {"std": 2.0, "edges": "circular"}),
}
"""A hole, about which only the prior knows, and a blur, which loses fine detail everywhere: task and parameters."""

_WIDE = {"sigma_max": 80.0}
_WIDE_REASON = "from pure noise, for this prior"
_TO_MODE = {"gradient_steps": 50, "sigma_max": 80.0, "sigma_min": 0.002}
_TO_MODE_REASON = "1000 gradient steps, as MAP-GA takes, down to where the mode is sharp"

JUDGE_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "vml-map": ({"steps": 12, "gradient_steps": 4}, "twice the default's cost: here it should arrive"),
    "vml-map-published": (_TO_MODE, _TO_MODE_REASON),
    "vml-map-preconditioned": (_TO_MODE, _TO_MODE_REASON),
    "daps": ({**_WIDE, "stochasticity": 1.0}, "the whole spread, which is right for Gaussian data"),
    "dmap": ({**_WIDE, "steps": 100}, "as many steps as the other samplers, from pure noise"),
    **dict.fromkeys(("dps", "dsg", "diffpir", "ddrm", "ddnm", "pigdm"), (_WIDE, _WIDE_REASON)),
}
"""What differs from a solver's defaults, and why. The field's large-scale structure has a standard deviation of about
10 in one Fourier coefficient, so that the reverse process starts at sigma 80, and no network limits it. A solver
without a row runs at its defaults."""


@dataclass(frozen=True)
class JudgeRow:
    """What one solver did on one task.

    Attributes:
        solver, title: its name and what people read.
        task: a key of `JUDGE_TASKS`.
        settings: what differs from the solver's defaults.
        samples: how many were drawn.
        bias: RMS of the samples' mean minus the posterior's mean, in the units of a pixel.
        bias_floor: what exact posterior samples, as many, would show on average.
        std_ratio: pooled standard deviation of the samples over the posterior's; 1 for a posterior sampler, about 0
            for a MAP method, NaN for a single sample.
        map_distance: RMS distance of a sample to the MAP estimate; an exact sample lies `posterior_std` away.
        posterior_std: RMS standard deviation of the posterior.
        residual: RMS of y - H x0 over sigma_y: about 1 for a posterior sampler.
        map_residual: the same of the MAP estimate itself.
        nfe, vjp: forward passes, and how many of them were followed by a backward pass.
        seconds: wall time.
    """

    solver: str
    title: str
    task: str
    settings: Mapping[str, Any]
    samples: int
    bias: float
    bias_floor: float
    std_ratio: float
    map_distance: float
    posterior_std: float
    residual: float
    map_residual: float
    nfe: int
    vjp: int
    seconds: float

    @property
    def cost(self) -> float:
        """Passes through the prior, in forward passes."""
        return self.nfe + BACKWARD_COST * self.vjp


@dataclass(frozen=True)
class Case:
    """A measurement with everything that is known about it.

    Attributes:
        prior: the Gaussian field.
        operator: H.
        truth: the image that was measured, (1, C, H, W).
        y: (1, *measurement_shape).
        mean: of the posterior, which is the MAP estimate too, (1, C, H, W).
        std: RMS standard deviation of the posterior.
    """

    prior: GaussianField
    operator: Operator
    truth: Tensor
    y: Tensor
    mean: Tensor
    std: float

    def residual(self, x: Tensor) -> float:
        """RMS of y - H x over what was measured, in units of sigma_y."""
        square = (self.y - self.operator(x)).flatten(1).square().sum(1) / self.operator.entries
        return square.mean().sqrt().item() / SIGMA_Y


@lru_cache(maxsize=8)
def case(task: str, seed: int = 0) -> Case:
    """The judge's measurement for a key of `JUDGE_TASKS`, in float64 on the CPU."""
    name, parameters = JUDGE_TASKS[task]
    prior = GaussianField(IMAGE_SHAPE)
    generator = randomness.generator(seed, randomness.MEASUREMENT)
    operator = TASKS.find(name).create(parameters).operator(IMAGE_SHAPE, generator, None).to("cpu", torch.float64)
    truth = prior.sample(generator)
    noise = torch.randn(operator.measurement_shape, generator=generator, dtype=torch.float64)
    y = operator.restrict(operator(truth) + SIGMA_Y * noise)
    mean = prior.posterior_mean(operator, y, SIGMA_Y)
    spread = prior.posterior_sample(operator, y, SIGMA_Y, generator, 32) - mean
    return Case(prior, operator, truth, y, mean, _rms(spread))


def judge_solver(name: str) -> Solver:
    """A solver at the settings that the judge uses.

    Raises:
        ParameterError: there is no such solver.
    """
    return SOLVERS.find(name).create(JUDGE_SETTINGS.get(name, ({}, ""))[0])


def judge(
    solvers: Iterable[str | Solver] | None = None, samples: int = 8, seed: int = 0, tasks: Iterable[str] | None = None
) -> Iterator[JudgeRow]:
    """Runs solvers on tasks, one row each, solver by solver.

    Args:
        solvers: names, at `JUDGE_SETTINGS`, or solvers as they are; every registered one when None.
        samples: how many restorations to draw, >= 1. With 8 the bias of an exact sampler is about 0.35 posterior_std.
        seed: of measurement and solvers.
        tasks: keys of `JUDGE_TASKS`; all of them when None.

    Raises:
        ParameterError: there is no such solver.
        DivergenceError: a solver diverged.
    """
    chosen = [judge_solver(s) if isinstance(s, str) else s for s in (SOLVERS if solvers is None else solvers)]
    for solver in chosen:
        for task in JUDGE_TASKS if tasks is None else tasks:
            yield _row(solver, task, samples, seed)


def _row(solver: Solver, task: str, samples: int, seed: int) -> JudgeRow:
    known = case(task, seed)
    generators = [randomness.generator(seed, randomness.SOLVER, sample) for sample in range(samples)]
    start = time.perf_counter()
    (last,) = deque(solver.solve(known.prior, known.operator, known.y, SIGMA_Y, generators), maxlen=1)
    seconds = time.perf_counter() - start
    x, defaults = last.x0_hat, solver.defaults()
    return JudgeRow(
        solver=solver.name,
        title=solver.title,
        task=task,
        settings={name: value for name, value in solver.to_dict().items() if value != defaults[name]},
        samples=samples,
        bias=_rms(x.mean(0) - known.mean[0]),
        bias_floor=known.std / samples**0.5,
        std_ratio=x.var(0).mean().sqrt().item() / known.std if samples > 1 else float("nan"),
        map_distance=_rms(x - known.mean),
        posterior_std=known.std,
        residual=known.residual(x),
        map_residual=known.residual(known.mean),
        nfe=last.nfe,
        vjp=last.vjp,
        seconds=seconds,
    )


def to_markdown(rows: Iterable[JudgeRow]) -> str:
    """A Markdown page: how to read the table, one line a solver and task, and why solvers run at the settings shown."""
    rows = list(rows)
    lines = [
        "# The judge",
        "",
        "Every solver on a prior whose posterior is known exactly: a stationary Gaussian field, 64x64, with a hole of",
        "24x24 pixels (inpainting) or a circular Gaussian blur of 2 pixels, and sigma_y 0.05. No trained network is in",
        "it, so that what is off here is the solver's own doing. Made by `python -m inverse judge --markdown FILE`.",
        "",
        "- bias: RMS distance of the samples' mean to the posterior's; in brackets what as many exact samples show.",
        "- std ratio: spread of the samples over the posterior's: 1 for a posterior sampler, near 0 for a MAP method.",
        "- distance to MAP: RMS, of a sample. An exact sample of the posterior lies "
        + ", ".join(f"{std:.3f} ({task})" for task, std in {row.task: row.posterior_std for row in rows}.items())
        + " away.",
        "- residual / sigma_y: about 1 for a posterior sampler.",
        f"- cost: passes through the network of one run, a backward pass as {BACKWARD_COST:g} forward ones.",
        "",
        "| solver | task | bias (floor) | std ratio | distance to MAP | residual / sigma_y | cost | settings |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        settings = ", ".join(f"{name} {_shown(value)}" for name, value in row.settings.items()) or "defaults"
        lines.append(
            f"| {row.title} | {row.task} | {row.bias:.3f} ({row.bias_floor:.3f}) | {row.std_ratio:.2f} "
            f"| {row.map_distance:.4f} | {row.residual:.2f} | {row.cost:.0f} | {settings} |"
        )
    names = {row.solver: row.title for row in rows}
    reasons = [f"- {title}: {JUDGE_SETTINGS[name][1]}." for name, title in names.items() if name in JUDGE_SETTINGS]
    if reasons:
        lines += ["", "Why these settings:", "", *reasons]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _rms(x: Tensor) -> float:
    return x.square().mean().sqrt().item()
