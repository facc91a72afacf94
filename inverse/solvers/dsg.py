"""DSG: turn the noise of every reverse step towards the measurement, and keep its length."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch

from inverse.parameters import real
from inverse.solvers.base import SOLVERS, Frames, Solver, gradient_cost
from inverse.solvers.fields import jacobian_field, steps_field, stop_at_noise_field
from inverse.solvers.reverse import ancestral, on_sphere
from inverse.solvers.run import Run, norms


@SOLVERS.register
@dataclass(frozen=True)
class DSG(Solver):
    """Guidance with a spherical Gaussian constraint, Yang et al., ICML 2024 (arXiv 2402.03201).

    A gradient step as in DPS leaves the sphere on which the noise of the reverse step lives, and with it what the
    prior was trained on. DSG takes the point of that sphere that is best for the measurement, mixed with noise:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma);  f = ||y - A(D)||_2
            g = J^T df/dD,  J = dD/dx                                         # jacobian: exact, or by differences
            mu = D + (sigma_next / sigma)^2 (x - D)                           # an ancestral step
            sigma_up = (sigma_next / sigma) sqrt(sigma^2 - sigma_next^2)
            w = 1 - (1 - g_r)^(1000 / N)
            a = min(1, (f - sigma_y sqrt(m))_+ ||g||_2 / (<df/dD, g> sigma_up sqrt(d)))
            if stop_at_noise:  w <- min(w, a / (a + sqrt(1 - a^2)))
            v = (1 - w) n - w sqrt(d) g / ||g||_2
            x <- mu + sigma_up sqrt(d) v / ||v||_2                            # on the sphere; the last time it is D
        return x

    for d entries of x. Their weight, the guidance rate, belongs to a number of steps. `guidance_scale`, g_r, is quoted
    for 1000 steps, and w is what leaves the same share of noise after fewer of them; that rule is ours. It holds for
    some 50 steps or more: of 10, each replaces nearly all noise.

    `stop_at_noise`, ours too, bounds w by what brings the misfit to that of m noisy numbers, along -g and to first
    order, as in `DPS`. Without it w is the same from first to last, and the noise is fitted.

    Their code can guide at every `interval`-th step only (10 in its configurations, 1 in its script) and lets the
    others be plain steps; ours guides at every one. It clamps D to [-1, 1], and ours does not.
    """

    name = "dsg"
    title = "DSG"
    summary = "Like DPS, but each step keeps its length: hard to break, and little to tune."
    source = "Yang et al. 2024, ICML, arXiv 2402.03201"
    paper = "https://arxiv.org/abs/2402.03201"
    formula = (
        r"x' = \mu + \sigma_{\mathrm{up}} \sqrt{d} \, \frac{v}{\lVert v \rVert_2}, \quad v = (1 - w) \, n - w \sqrt{d} "
        r"\, \frac{g}{\lVert g \rVert_2}, \quad g = \nabla_{x} \lVert y - A(D) \rVert_2"
    )
    unstable = "guidance_scale"

    steps: int = steps_field(100, low=10)
    guidance_scale: float = real(
        0.035, 0.0, 0.5, log=True, symbol="g_r",
        help="Share of each step's noise that is turned towards the measurement, for a run of 1000 steps.",
        effect="Too low ignores the measurement; too high makes the image smooth and its errors systematic.",
    )  # fmt: skip
    stop_at_noise: bool = stop_at_noise_field()
    jacobian: str = jacobian_field()

    @property
    def cost(self) -> tuple[int, int]:
        return gradient_cost(self.steps, self.steps - 1, self.jacobian)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        weight = 1 - (1 - self.guidance_scale) ** (1000 / self.steps)
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            if not sigma_next:  # the sphere has shrunk to its centre, which is D
                x0_hat = yield from run.denoise(x, sigma)
                yield 0.0, x0_hat, x0_hat
                return
            x0_hat, gradient, enough = yield from run.denoise_misfit(x, sigma, self.jacobian)
            mean, sigma_up = ancestral(x, x0_hat, sigma, sigma_next)
            norm, tiny = norms(gradient), torch.finfo(x.dtype).tiny
            radius = x[0].numel() ** 0.5 * sigma_up
            share = weight
            if self.stop_at_noise:
                across = (enough * norm / max(radius, tiny)).clamp(max=1)
                share = (across / (across + (1 - across.square()).sqrt())).clamp(max=weight)
            offset = (1 - share) * run.noise() - share * x[0].numel() ** 0.5 * (gradient / norm.clamp_min(tiny))
            x = on_sphere(mean + sigma_up * offset, mean, sigma_up)
            yield sigma_next, x, x0_hat
