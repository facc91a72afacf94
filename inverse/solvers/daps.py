"""DAPS: at every noise level draw a clean image that fits the measurement, then add the next level's noise anew."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from inverse.operators.base import is_linear
from inverse.parameters import choice, integer, real
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.calls import Computation
from inverse.solvers.fields import gradient_steps_field, steps_field
from inverse.solvers.run import SIGMA_Y_FLOOR, Run
from inverse.solvers.schedule import noise_levels


@SOLVERS.register
@dataclass(frozen=True)
class DAPS(Solver):
    """Decoupled annealing posterior sampling, Zhang et al. 2024 (arXiv 2407.01521), algorithm 1.

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = the end of ode_steps Euler steps of dx/dsigma = (x - D) / sigma  # of one step, D(x, sigma)
            r^2 = sigma^2 v / (sigma^2 + v),  v the data's variance           # spread: official is r = sigma
            z = D + q r n
            if A is linear:  x0 = z + H^T (H H^T + c I)^-1 (y + sigma_y n - H z),  c = sigma_y^2 / r^2
            otherwise:  x0 = z;  h = gamma / (||A||^2 / sigma_y^2 + 1 / r^2)
                K times:  x0 <- x0 + h [-grad ||y - A(x0)||_2^2 / (2 sigma_y^2) + (D - x0) / r^2] + q sqrt(2 h) n
            x <- x0 + sigma_next n                                            # independent of the x before, given x0
        return x

    where every n is drawn anew: x0 is drawn from p(x0 | x, y), taking p(x0 | x) as N(D, r^2 I). For a linear operator
    that draw is exact, and for every singular vector a Gaussian of its own, so that all its n are drawn as one.
    Otherwise it is Langevin's algorithm. The authors take r = sigma ("official"). The end of the ODE varies like a
    sample already, so that the spread is counted twice; "calibrated" is exact, with one step, for white Gaussian data.
    What a photograph hides is far less uncertain than that, and a trained prior cannot remove so much noise again: the
    noise of z (and Langevin's) is multiplied by q, `stochasticity`, which is ours, and 1 in the paper.

    Their code runs Langevin's algorithm for linear tasks too, from D itself, with the misfit's gradient over tau^2,
    tau = 0.01 whatever sigma_y is (0.05 in their experiments, so that the noise is fitted; no half stands before their
    squares, which makes it 0.007), and at a rate that is set for each task and falls to a hundredth over the run. We
    take sigma_y, and the rate as a share of the longest safe one, 1 / (||A||^2 / sigma_y^2 + 1 / r^2), so that neither
    belongs to a task. Each of these steps is a gradient through A; a run can be stopped between any two.
    """

    name = "daps"
    title = "DAPS"
    summary = "Plausible samples that can still correct early mistakes; also for non-linear tasks."
    source = "Zhang et al. 2024, arXiv 2407.01521, algorithm 1; spread and stochasticity are ours"
    paper = "https://arxiv.org/abs/2407.01521"
    formula = (
        r"x_0 \sim p(x_0 \mid x, y) \propto \exp \left( - \frac{\lVert x_0 - D \rVert^2}{2 r^2} - "
        r"\frac{\lVert y - A(x_0) \rVert^2}{2 \sigma_y^2} \right), \quad x' = x_0 + \sigma' n"
    )

    steps: int = steps_field(100)
    spread: str = choice(
        "calibrated", "calibrated", "official", advanced=True,
        help="How uncertain the prior's estimate counts: by the data's variance, or as much as its noise level.",
        effect="The official spread makes samples vary too much.",
    )  # fmt: skip
    stochasticity: float = real(
        0.5, 0.0, 1.0, symbol="q", help="Share of that uncertainty which is drawn at random at every step.",
        effect="At 0 samples look alike; near 1 they vary as on paper, but blurred photos come out noisy.",
    )  # fmt: skip
    ode_steps: int = integer(
        1, 1, 20, advanced=True, help="Steps of the prior's ODE at every noise level; 1 is its estimate as it is.",
        effect="More take longer, and make samples sharper and less calibrated.",
    )  # fmt: skip
    gradient_steps: int = gradient_steps_field(50, "Langevin")
    step_size: float = real(
        0.3, 0.01, 1.0, advanced=True, symbol="gamma",
        help="Length of a Langevin step, as a multiple of the longest safe one, for non-linear tasks only.",
        effect="Too low follows the measurement loosely; too high adds noise.",
    )  # fmt: skip

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps * self.ode_steps, 0

    @property
    def operator_calls(self) -> int:
        return self.steps * self.gradient_steps

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        x = sigmas[0] * run.noise()
        data_variance = run.denoiser.data_std**2
        for sigma, sigma_next in pairwise(sigmas):
            estimate = yield from self._ode(run, x, sigma, sigmas[-2])
            variance = sigma**2
            if self.spread == "calibrated":
                variance *= data_variance / (variance + data_variance)
            if is_linear(run.operator):
                x = self._linear_step(run, estimate, variance, sigma_next)
            else:
                x = yield from self._langevin_step(run, estimate, variance, sigma_next)
            yield sigma_next, x, estimate if sigma_next else x

    def _ode(self, run: Run, x: Tensor, sigma: float, sigma_min: float) -> Computation[Tensor]:
        """Euler steps of dx/dsigma = (x - D) / sigma down to 0."""
        for level, level_next in pairwise([*noise_levels("karras", self.ode_steps, sigma, sigma_min), 0.0]):
            x0_hat = yield from run.denoise(x, level)
            x = x0_hat + level_next / level * (x - x0_hat)
        return x

    def _linear_step(self, run: Run, estimate: Tensor, variance: float, sigma_next: float) -> Tensor:
        """x_next of the class docstring for p(x0 | x) = N(estimate, variance I)."""
        operator, sigma_y = run.linear, max(run.sigma_y, SIGMA_Y_FLOOR)
        c = sigma_y**2 / variance
        if not operator.has_svd:
            z = estimate + self.stochasticity * variance**0.5 * run.noise()
            misfit = run.y + sigma_y * run.noise(run.y.shape[1:]) - operator(z)
            return z + operator.regularized_pinv(misfit, c) + sigma_next * run.noise()
        s = operator.singular_values
        gain, kept = s / (s.square() + c), c / (s.square() + c)  # of the measurement and of z
        std = ((self.stochasticity * kept).square() * variance + (sigma_y * gain).square() + sigma_next**2).sqrt()
        mean = kept * operator.to_spectral(estimate) + gain * run.spectrum
        return operator.from_spectral(mean + std * run.noise())

    def _langevin_step(self, run: Run, estimate: Tensor, variance: float, sigma_next: float) -> Computation[Tensor]:
        """The same where A is not linear, by `yield from`."""
        sigma_y = max(run.sigma_y, SIGMA_Y_FLOOR)
        step = self.step_size / (run.operator.norm**2 / sigma_y**2 + 1 / variance)
        x0 = estimate + self.stochasticity * variance**0.5 * run.noise()
        for _ in range(self.gradient_steps):
            ascent = run.adjoint_residual(x0) / sigma_y**2 + (estimate - x0) / variance
            x0 = x0 + step * ascent + self.stochasticity * (2 * step) ** 0.5 * run.noise()
            yield from run.operator_call()
        return x0 + sigma_next * run.noise()
