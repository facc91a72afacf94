"""DPS: an ancestral step, then a step down the gradient of the data misfit through the prior."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from inverse.parameters import real
from inverse.solvers.base import SOLVERS, Frames, Solver, gradient_cost
from inverse.solvers.fields import coordinates_field, jacobian_field, steps_field, stop_at_noise_field
from inverse.solvers.reverse import ancestral
from inverse.solvers.run import Run

STEP_SIZE_EFFECT = "Too low ignores the measurement; too high adds noise and artefacts, and then diverges."


REFERENCE_STEPS, REFERENCE_ENTRIES = 1000, 3 * 256 * 256
"""The run for which step sizes are quoted: that of the papers."""


def misfit_step_size(
    step_size: float, steps: int, entries: int, coordinates: str, sigma: float, sigma_next: float
) -> float:
    """zeta of x_next <- x_next - zeta * grad ||y - A(D(x))||, in variance-exploding coordinates.

    A step size belongs to a number of steps, as half as many must each go twice as far; and to a size of image, as
    the gradient of a norm is about as long for any, while distances grow with the root of the number d of entries.
    `step_size` is therefore quoted for the papers' 1000 steps and 3x256x256 entries, and scaled to what is run. (On
    Gaussian data the best zeta follows that root from 16x16 to 3x128x128. For the number of steps the rule holds from
    about 100: with fewer, a step that long goes past the measurement at low noise, and of 10 steps it leaves a residual
    of several sigma_y. `stop_at_noise` is what mends that; without it no zeta does.)
    A zeta that is constant in variance-preserving coordinates, x_vp = x / sqrt(1 + sigma^2), grows with the noise here.
    """
    zeta = step_size * REFERENCE_STEPS / steps * (entries / REFERENCE_ENTRIES) ** 0.5
    return zeta * ((1 + sigma**2) * (1 + sigma_next**2)) ** 0.5 if coordinates == "vp" else zeta


@SOLVERS.register
@dataclass(frozen=True)
class DPS(Solver):
    """Diffusion posterior sampling, Chung et al. 2022 (arXiv 2209.14687), algorithm 1.

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma);  f = ||y - A(D)||_2                              # each sample's norm, not squared
            g = J^T df/dD,  J = dD/dx                                         # jacobian: exact, or by differences
            mu = D + (sigma_next / sigma)^2 (x - D)                           # an ancestral step
            sigma_up = (sigma_next / sigma) sqrt(sigma^2 - sigma_next^2)
            t = zeta (1000 / N) sqrt(d / 196608)                              # coordinates vp: longer at high noise
            if stop_at_noise:  t <- min(t, (f - sigma_y sqrt(m))_+ / <df/dD, g>)
            x <- mu + sigma_up n - t g
        return x

    for d entries of x and m measured numbers: 196608 are those of 3x256x256.
    Their code keeps zeta constant in variance-preserving coordinates ("vp"); Xu et al. (ICLR 2025) keep it constant
    in variance-exploding ones ("ve").

    Such a step knows nothing of sigma_y: many of them fit the noise, and a few long ones overshoot. `stop_at_noise`,
    which is ours, bounds it by the step after which, to first order, the misfit f is that of the noise, Polyak's; where
    A rounds or clips, what noise changes there takes the place of sigma_y sqrt(m). Without it this is their algorithm.
    Their code also clamps D to [-1, 1] before the step and in the misfit. We do not: that is right for images only, and
    stops the gradient wherever D is beyond.
    """

    name = "dps"
    title = "DPS"
    summary = "Diffusion posterior sampling: plausible samples, by a gradient through the prior at every step."
    source = "Chung et al. 2022, arXiv 2209.14687, algorithm 1"
    paper = "https://arxiv.org/abs/2209.14687"
    formula = r"x' = \mu + \sigma_{\mathrm{up}} n - \zeta \, \nabla_{x} \lVert y - A(D(x, \sigma)) \rVert_2"

    steps: int = steps_field(100, low=10)
    step_size: float = real(
        2.0, 0.0, 100.0, log=True, symbol="zeta",
        help="How far each step goes towards the measurement: zeta for 1000 steps and 256x256 pixels.",
        effect=STEP_SIZE_EFFECT,
    )  # fmt: skip
    stop_at_noise: bool = stop_at_noise_field()
    coordinates: str = coordinates_field()
    jacobian: str = jacobian_field()

    @property
    def cost(self) -> tuple[int, int]:
        return gradient_cost(self.steps, self.steps, self.jacobian)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            x0_hat, gradient, enough = yield from run.denoise_misfit(x, sigma, self.jacobian)
            mean, sigma_up = ancestral(x, x0_hat, sigma, sigma_next)
            zeta = misfit_step_size(self.step_size, self.steps, x[0].numel(), self.coordinates, sigma, sigma_next)
            length = enough.clamp(max=zeta) if self.stop_at_noise else zeta
            x = mean + sigma_up * run.noise() - length * gradient
            yield sigma_next, x, x0_hat if sigma_next else x
