"""A study: a truth, who is judged on it, and how closely; and the stream in which its findings come."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.errors import DivergenceError, ParameterError
from inverse.evaluation.findings.contenders import (
    BEST,
    CONDITIONAL,
    LAB,
    STEP_SIZES,
    UNCONDITIONAL,
    Contender,
    contenders,
)
from inverse.evaluation.findings.implied import best_share, implied, levels
from inverse.evaluation.findings.samples import Diversity, Exactly, diversity
from inverse.evaluation.findings.scores import ScoreError, ScoreMean, score_error, score_mean
from inverse.evaluation.findings.truths import TRUTHS, Truth, truth
from inverse.parameters import Parameters, Spec, choice, flag, integer
from inverse.solvers import SOLVERS, Step
from inverse.solvers.dps import DPS, misfit_step_size

POINTS, BOOTSTRAP, NOISE, DRAWS = 2, 3, 4, 5
"""Purposes of random numbers, beside those of `randomness`."""


DRAWN = 4000
"""Draws of an exact posterior, to which samples are compared."""

ADDED = ("dps", "pigdm")
"""Solvers whose step adds its noise as it is, so that its end without noise is its mean."""


@dataclass(frozen=True)
class Names(Spec):
    """Names of solvers."""

    @property
    def limits(self) -> str:
        return "names of solvers between commas"

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
            raise self.refuse(name, value)
        return tuple(dict.fromkeys(SOLVERS.find(each).name for each in value))

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        return self.check(name, [part.strip() for part in text.split(",") if part.strip()])


@dataclass(frozen=True)
class Numbers(Spec):
    """A few step sizes."""

    most: int = 4

    @property
    def limits(self) -> str:
        return f"one to {self.most} numbers above 0, up to 100, between commas"

    def check(self, name: str, value: Any) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or not 0 < len(value) <= self.most:
            raise self.refuse(name, value)
        try:
            return tuple(
                dict.fromkeys(DPS.specs()["step_size"].check(name, each) for each in value if self._above(each))
            )
        except (ParameterError, TypeError):
            raise self.refuse(name, value) from None

    @staticmethod
    def _above(value: Any) -> bool:
        if not value > 0:
            raise TypeError
        return True

    def parse(self, name: str, text: str) -> tuple[float, ...]:
        try:
            return self.check(name, [float(part) for part in text.split(",")])
        except ValueError:
            raise self.refuse(name, text) from None


def _spec(default: Any, spec: Spec) -> Any:
    return field(default=default, metadata={"spec": spec})


@dataclass(frozen=True)
class Study(Parameters):
    """What is asked. See the fields' help."""

    name = "findings"

    truth: str = choice("modes", *TRUTHS, help="What is measured, and known exactly.")
    task: str = choice(
        "inpainting", *dict.fromkeys(task for kind in TRUTHS.values() for task in kind.tasks),
        help="What the measurement hides; not every truth has every task.",
    )  # fmt: skip
    solvers: tuple[str, ...] = _spec(LAB, Names(help="Who is judged."))
    step_sizes: tuple[float, ...] = _spec(
        STEP_SIZES, Numbers(help="zeta of DPS for 1000 steps and 256x256 pixels, in VE and in VP coordinates.")
    )
    steps: int = integer(
        100, 20, 1000, help="Noise levels of the samplers.",
        effect="The step sizes are scaled to it.",
    )  # fmt: skip
    points: int = integer(
        0, 0, 4096, help="Points of the posterior's trajectories at which scores are compared, at least 16; 0 for as "
        "many as tell enough on this truth.",
    )  # fmt: skip
    samples: int = integer(
        0, 0, 4096, help="Restorations of each solver, at least 19; 0 for as many as tell enough on this truth, "
        "which is none where each takes minutes.",
    )  # fmt: skip
    parts: bool = flag(False, help="Also judge variants that have more or less of what makes DMAP.")
    seed: int = integer(0, 0, 2**32 - 1, help="Seed of everything random.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("points", 16), ("samples", 19)):
            if 0 < getattr(self, name) < least:
                raise ParameterError(
                    f"{name} must be {least} or more, as fewer tell too little. Choose 0 for as many as tell enough.",
                    parameter=name,
                )
        if self.task not in TRUTHS[self.truth].tasks:
            allowed = ", ".join(TRUTHS[self.truth].tasks)
            raise ParameterError(
                f"{TRUTHS[self.truth].title} has no task {self.task}. Choose one of {allowed}.", parameter="task"
            )


@dataclass(frozen=True)
class Live:
    """A sampler at work: what of the plane can be watched.

    Attributes:
        label: whose samples they are.
        sigma: their noise level.
        points: (n, 2).
    """

    label: str
    sigma: float
    points: Tensor


@dataclass
class Findings:
    """What has been found so far. It grows in place while `stream` works, and is kept when that is ended early.

    Attributes:
        study, truth: what is asked, and what is known.
        contenders: who is judged.
        errors, means, samples: rows of the three panels.
        live: the sampler at work on the plane.
        done, total: of the parts of the work.
        doing: the present one, in words.
    """

    study: Study
    truth: Truth
    contenders: list[Contender]
    total: int
    errors: list[ScoreError] = field(default_factory=list)
    means: list[ScoreMean] = field(default_factory=list)
    samples: list[Diversity] = field(default_factory=list)
    live: Live | None = None
    done: float = 0.0
    doing: str = "Preparing"

    @property
    def complete(self) -> bool:
        return self.done >= self.total


def stream(study: Study) -> Generator[Findings, None, None]:
    """Yields the findings whenever something is new, and between the steps of solvers; close it to stop.

    Raises:
        ParameterError: truth, task and solvers do not fit.
    """
    known = truth(study.truth, study.task, study.seed)
    judged = contenders(known, study.solvers, study.step_sizes, study.steps, study.parts)
    count = study.samples or known.kind.samples
    pairs = levels(study.steps, known.kind.sigma_max, count=known.kind.levels)
    found = Findings(study, known, judged, len(pairs) + len(judged) * bool(count))
    yield found
    found.doing = "Samples of the reference"
    for _ in known.prepare(max(study.points or known.kind.points, count)):
        yield found
    yield from _scores(found, pairs, study.points or known.kind.points)
    if count:
        draws = DRAWN if known.posterior else count
        exactly = Exactly.of(known, randomness.generator(study.seed, DRAWS), draws)
        for contender in judged:
            yield from _samples(found, contender, exactly, count)
    found.doing = ""
    yield found


def _scores(found: Findings, pairs: list[tuple[float, float]], count: int) -> Iterator[Findings]:
    """Panels 1 and 2, level by level, the largest first."""
    seed = found.study.seed
    points = _trajectories(found.truth, [sigma for sigma, _ in pairs], count, seed)
    bootstrap = randomness.generator(seed, BOOTSTRAP)
    done = found.done
    for (sigma, sigma_next), (x, noise) in zip(pairs, points, strict=True):
        found.doing = f"Scores at noise level {sigma:.3g}"
        with torch.no_grad():
            x0_hat, reference = found.truth.prior(x, sigma), _reference(found.truth, x, sigma)
        rows = _estimates(found, x, sigma, sigma_next, x0_hat, reference)
        for label, estimate, variance, zeta in rows:
            if label != CONDITIONAL:
                found.errors.append(score_error(label, sigma, x, estimate, reference, variance, zeta))
            found.means.append(score_mean(label, sigma, x, estimate, noise, bootstrap))
            yield found
        done += 1
        found.done = done
    yield found


Estimate = tuple[str, Tensor, Tensor | float, float]
"""Label, D_y, its variance by the choice of noise, zeta."""


def _estimates(
    found: Findings, x: Tensor, sigma: float, sigma_next: float, x0_hat: Tensor, reference: Tensor
) -> Iterator[Estimate]:
    """D_y of everybody who has one, at one level."""
    nan, known, steps = float("nan"), found.truth, found.study.steps
    yield CONDITIONAL, reference, 0.0, nan
    yield UNCONDITIONAL, x0_hat, 0.0, nan
    generator = randomness.generator(found.study.seed, NOISE)
    guidance: Tensor | None = None  # of DPS, for zeta = 1: its steps differ by zeta alone
    for contender in found.contenders:
        solver = contender.solver
        if not contender.implies or solver.steps != steps:
            continue
        given = solver.to_dict()
        if solver.name == "dps" and not given["stop_at_noise"]:
            zeta = misfit_step_size(given["step_size"], steps, x[0].numel(), given["coordinates"], sigma, sigma_next)
            if guidance is None:
                estimate, _ = implied(solver, known.prior, known.problem, x, sigma, sigma_next, x0_hat, 0, generator)
                guidance = (estimate - x0_hat) / zeta
            yield contender.label, x0_hat + zeta * guidance, 0.0, nan
        else:
            needed = 0 if solver.name in ADDED else known.kind.pairs
            yield (
                contender.label,
                *implied(solver, known.prior, known.problem, x, sigma, sigma_next, x0_hat, needed, generator),
                nan,
            )
    if guidance is not None:
        best = best_share(x0_hat, x0_hat + guidance, reference)
        unit = misfit_step_size(1.0, steps, x[0].numel(), "ve", sigma, sigma_next)
        yield BEST, x0_hat + best * guidance, 0.0, best / unit


def _reference(known: Truth, x: Tensor, sigma: float) -> Tensor:
    problem = known.problem
    condition = known.reference.condition(problem.operator, problem.y, problem.sigma_y)
    return known.reference(x, sigma, [condition] * len(x))


def _trajectories(known: Truth, sigmas: list[float], count: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Points of p(x_t | y) at every level, and the noise in them: draws x0 that gather noise, each along one path."""
    generator = randomness.generator(seed, POINTS)
    x0 = known.draw(generator, count)
    x, before, found = x0, 0.0, []
    for sigma in reversed(sigmas):
        fresh = torch.randn(x0.shape, generator=generator, dtype=torch.float64).to(x0)
        x, before = x + (sigma**2 - before**2) ** 0.5 * fresh, sigma
        found.append((x, (x - x0) / sigma))
    return found[::-1]


def _samples(found: Findings, contender: Contender, exactly: Exactly, count: int) -> Iterator[Findings]:
    """Panel 3, for one solver."""
    known, label, done = found.truth, contender.label, found.done
    found.doing = f"Samples of {label}"
    last: Step | None = None
    try:
        steps = known.problem.steps(contender.solver, contender.denoiser(known), found.study.seed, count, pauses=True)
        for step in steps:
            if isinstance(step, Step):
                last, found.done = step, done + step.index / step.total
                if known.plane:
                    found.live = Live(label, step.sigma, step.x.flatten(1))
            yield found
        assert last is not None
        row = diversity(known, exactly, label, last.x0_hat, last.nfe, last.vjp)
    except DivergenceError as error:
        row = Diversity(label, count, failure=str(error))
    found.samples.append(row)
    found.live, found.done = None, done + 1
    yield found
