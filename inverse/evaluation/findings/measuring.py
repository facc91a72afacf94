"""What is found of a study, and the stream in which it comes."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from inverse import randomness
from inverse.errors import DivergenceError
from inverse.evaluation.findings.contenders import (
    BEST,
    CONDITIONAL,
    UNCONDITIONAL,
    Contender,
    contenders,
)
from inverse.evaluation.findings.implied import best_share, implied, levels
from inverse.evaluation.findings.samples import Diversity, Exactly, diversity
from inverse.evaluation.findings.scores import ScoreError, ScoreMean, score_error, score_mean
from inverse.evaluation.findings.study import Study
from inverse.evaluation.findings.truths import Truth, truth
from inverse.solvers import Step
from inverse.solvers.dps import misfit_step_size

POINTS, BOOTSTRAP, NOISE, DRAWS = 2, 3, 4, 5
"""Purposes of random numbers, beside those of `randomness`."""

DRAWN = 4000
"""Draws of an exact posterior, to which samples are compared."""

ADDED = ("dps", "pigdm")
"""Solvers whose step adds its noise as it is, so that its end without noise is its mean."""


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
