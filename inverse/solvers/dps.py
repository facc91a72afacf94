"""DPS: an ancestral step, then a step down the gradient of the data misfit through the prior."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from inverse.parameters import choice, real
from inverse.solvers.base import SOLVERS, Frame, Run, Solver, steps_field
from inverse.solvers.reverse import ancestral

STEP_SIZE_EFFECT = "Too low ignores the measurement; too high adds noise and artefacts, and then diverges."


def misfit_step_size(step_size: float, steps: int, coordinates: str, sigma: float, sigma_next: float) -> float:
    """zeta of x_next <- x_next - zeta * grad ||y - A(D(x))||, in variance-exploding coordinates.

    A step size belongs to a number of steps: half as many steps must each go twice as far. `step_size` is therefore
    quoted for 1000 steps, where the papers' values apply as they are, and scaled to the steps that are taken.
    A zeta that is constant in variance-preserving coordinates, x_vp = x / sqrt(1 + sigma^2), grows with the noise here.
    """
    zeta = step_size * 1000 / steps
    return zeta * ((1 + sigma**2) * (1 + sigma_next**2)) ** 0.5 if coordinates == "vp" else zeta


@SOLVERS.register
@dataclass(frozen=True)
class DPS(Solver):
    """Diffusion posterior sampling, Chung et al. 2022 (arXiv 2209.14687), algorithm 1.

        D = D(x, sigma);  x_next ~ N(mu, sigma_up^2)                          an ancestral step
        x_next <- x_next - zeta * grad_x ||y - A(D)||_2                       the norm of each sample, not squared

    Their code keeps zeta constant in variance-preserving coordinates ("vp"); Xu et al. (ICLR 2025) keep it constant
    in variance-exploding ones ("ve").
    """

    name = "dps"
    title = "DPS"
    summary = "Diffusion posterior sampling: plausible samples, by a gradient through the prior at every step."
    source = "Chung et al. 2022, arXiv 2209.14687, algorithm 1"

    steps: int = steps_field(100, low=10)
    step_size: float = real(
        0.3, 0.0, 20.0, log=True, help="How far each step goes towards the measurement: zeta for a run of 1000 steps.",
        effect=STEP_SIZE_EFFECT,
    )  # fmt: skip
    coordinates: str = choice(
        "ve", "ve", "vp", advanced=True, help="Coordinates in which the step size is constant over the run."
    )

    @property
    def total(self) -> int:
        return self.steps

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, self.steps

    def frames(self, run: Run, sigmas: list[float]) -> Iterator[Frame]:
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            x0_hat, gradient = run.denoise_vjp(x, sigma, run.misfit_gradient)
            mean, sigma_up = ancestral(x, x0_hat, sigma, sigma_next)
            zeta = misfit_step_size(self.step_size, self.steps, self.coordinates, sigma, sigma_next)
            x = mean + sigma_up * run.noise() - zeta * gradient
            yield sigma_next, x, x0_hat if sigma_next else x
