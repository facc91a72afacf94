"""The conditional score that a solver's step implies: where it leads on average, beyond what the prior alone does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.results.problem import Problem
from inverse.solvers import Solver
from inverse.solvers.calls import Call, advanced, answer
from inverse.solvers.reverse import ancestral
from inverse.solvers.run import Run
from inverse.solvers.schedule import noise_levels

LEAST_LEVEL = 0.02
"""Below it no scores are compared: what is left to be decided is less than a level of grey."""


class _Begun(Run):
    """A run whose first draws of noise are given: its first state, in units of its noise level, then its noise."""

    def __init__(self, *arguments: Any, given: list[Tensor]) -> None:
        super().__init__(*arguments)
        self._given = given

    def noise(self, shape: Any = None) -> Tensor:
        return self._given.pop(0) if self._given else super().noise(shape)


def levels(steps: int, sigma_max: float, sigma_min: float = 0.01, count: int = 10) -> list[tuple[float, float]]:
    """About `count` pairs (sigma, sigma_next) of neighbouring levels in a run of so many steps, the largest first.

    They are spread evenly in the logarithm of sigma, from `sigma_max` down to `LEAST_LEVEL`.
    """
    sigmas = noise_levels("karras", steps, sigma_max, sigma_min)
    wanted = torch.logspace(0, 1, count, base=LEAST_LEVEL / sigma_max, dtype=torch.float64) * sigma_max
    places = [min(range(steps - 1), key=lambda i: abs(sigmas[i] / level - 1)) for level in wanted.tolist()]
    return [(sigmas[i], sigmas[i + 1]) for i in sorted(set(places))]


@torch.no_grad()
def implied(
    solver: Solver, prior: Denoiser, problem: Problem, x: Tensor, sigma: float, sigma_next: float, x0_hat: Tensor,
    pairs: int, generator: torch.Generator,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """D_y as one step of the solver implies it, and how uncertain that is.

    An ancestral step with the score s moves x by (sigma^2 - sigma_next^2) s on average. So a step of the solver, whose
    mean lies delta beyond that of the prior's own, mu, implies s + delta / (sigma^2 - sigma_next^2), and

        D_y = D + sigma^2 delta / (sigma^2 - sigma_next^2),   delta = E[x_next] - mu

    The solver's own code makes the step. The mean is over noise in pairs n, -n; a step that adds its noise as it
    is needs none.

    Args:
        solver: one whose steps are ancestral ones but for the measurement: DPS, DMAP, DSG, PiGDM with eta 1.
        x: states, (B, C, H, W).
        sigma, sigma_next: neighbouring levels of its run.
        x0_hat: D(x, sigma) of the prior, which it could not know otherwise without asking again.
        pairs: how many; 0 for a step without noise.

    Returns:
        D_y, (B, C, H, W), and the variance of each of its entries that the choice of noise leaves, 0 for fewer
        than two pairs.
    """
    mean, _ = ancestral(x, x0_hat, sigma, sigma_next)
    scale = sigma**2 / (sigma**2 - sigma_next**2)
    if not pairs:
        end = _step(solver, prior, problem, x, sigma, sigma_next, torch.zeros_like(x))
        return x0_hat + scale * (end - mean), torch.zeros_like(x)
    noise = torch.randn(pairs, *x.shape, generator=generator, dtype=torch.float64).to(x)
    noise = torch.stack([noise, -noise], 1).flatten(0, 2)
    reached = _step(solver, prior, problem, x.repeat(2 * pairs, 1, 1, 1), sigma, sigma_next, noise)
    ends = reached.unflatten(0, (pairs, 2, len(x))).mean(1)
    variance = scale**2 * ends.var(0) / pairs if pairs > 1 else torch.zeros_like(x)
    return x0_hat + scale * (ends.mean(0) - mean), variance


def _step(
    solver: Solver, prior: Denoiser, problem: Problem, x: Tensor, sigma: float, sigma_next: float, noise: Tensor
) -> Tensor:
    """Where the solver's own loop leads from x with that noise: its last state at the next level."""
    generators = [torch.Generator()] * len(x)  # a step draws noise once, which is given
    run = _Begun(prior, problem.operator, problem.y, problem.sigma_y, generators, given=[x / sigma, noise])
    frames, reply, state = solver.frames(run, [sigma, sigma_next, 0.5 * sigma_next, 0.0]), None, x
    left = 1 + (solver.total - solver.steps) // max(solver.steps - 1, 1)  # frames of a step
    while left and (item := advanced(frames, reply)) is not None:
        reply = None
        if isinstance(item, Call):
            (reply,) = answer(prior, [item])
        elif isinstance(item, tuple):
            state, left = item[1], left - 1
    frames.close()
    return state


def best_share(x0_hat: Tensor, x0_implied: Tensor, reference: Tensor) -> float:
    """The multiple of a guidance that is best of all: least squares of D_y - D on what the guidance adds to D.

    0 where it adds nothing; never less, as a negative step size leads away from the measurement.
    """
    added = (x0_implied - x0_hat).double()
    square = added.square().sum()
    return max(0.0, ((reference - x0_hat).double() * added).sum().item() / square.item()) if square else 0.0
