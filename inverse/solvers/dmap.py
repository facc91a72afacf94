"""DMAP: at every reverse step, maximise the posterior explicitly on the sphere where the step's noise lives."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from inverse.parameters import integer, real
from inverse.solvers.base import SOLVERS, Frames, Solver, gradient_cost
from inverse.solvers.dps import STEP_SIZE_EFFECT, misfit_step_size
from inverse.solvers.fields import coordinates_field, jacobian_field, steps_field, stop_at_noise_field
from inverse.solvers.reverse import ancestral, on_sphere
from inverse.solvers.run import Run


@SOLVERS.register
@dataclass(frozen=True)
class DMAP(Solver):
    """Xu et al., "Rethinking Diffusion Posterior Sampling", ICLR 2025 (arXiv 2501.18913).

    DPS comes closer to maximising a posterior than to sampling from it; so solve, at every reverse step,
    max_z log p(y | z) + log p(z | x) by K gradient steps. The second term is a Gaussian in high dimension, whose mass
    lies on a sphere: each step is projected back on it.

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma);  mu = D + (sigma_next / sigma)^2 (x - D)         # an ancestral step
            sigma_up = (sigma_next / sigma) sqrt(sigma^2 - sigma_next^2)
            x <- mu + sigma_up n
            K times, but not at the last level:
                D = D(x, sigma_next);  f = ||y - A(D)||_2                     # the prior here, not before as in DPS
                g = J^T df/dD,  J = dD/dx                                     # jacobian: exact, or by differences
                t = zeta (1000 / N) sqrt(d / 196608)                          # coordinates vp: longer at high noise
                if stop_at_noise:  t <- min(t, (f - sigma_y sqrt(m))_+ / <df/dD, g>)
                x <- x - t g
                x <- mu + sigma_up sqrt(d) (x - mu) / ||x - mu||_2            # back on the sphere
        return x

    for d entries of x and m measured numbers. `stop_at_noise` is as in `DPS`; without it this is their algorithm, which
    fits the noise. As there, D is not clamped.
    """

    name = "dmap"
    title = "DMAP"
    summary = "Maximises the posterior at every reverse step, by several projected gradient steps."
    source = "Xu et al. 2025, ICLR, arXiv 2501.18913"
    paper = "https://arxiv.org/abs/2501.18913"
    formula = (
        r"x' = \underset{z}{\mathrm{arg\,max}} \; \log \, p(y \mid z) + \log \, p(z \mid x) \quad \text{where} \quad "
        r"\lVert z - \mu \rVert_2 = \sqrt{d} \, \sigma_{\mathrm{up}}"
    )

    steps: int = steps_field(50, low=10)
    gradient_steps: int = integer(
        3, 1, 20, symbol="K", help="Gradient steps at every noise level.",
        effect="1 comes close to DPS; many follow the measurement's noise.",
    )  # fmt: skip
    step_size: float = real(
        4.0, 0.0, 100.0, log=True, symbol="zeta",
        help="How far each gradient step goes towards the measurement: zeta for 1000 steps and 256x256 pixels.",
        effect=STEP_SIZE_EFFECT,
    )  # fmt: skip
    stop_at_noise: bool = stop_at_noise_field()
    coordinates: str = coordinates_field()
    jacobian: str = jacobian_field()

    @property
    def total(self) -> int:
        return self.steps + (self.steps - 1) * self.gradient_steps

    @property
    def cost(self) -> tuple[int, int]:
        return gradient_cost(self.total, (self.steps - 1) * self.gradient_steps, self.jacobian)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            x0_hat = yield from run.denoise(x, sigma)
            mean, sigma_up = ancestral(x, x0_hat, sigma, sigma_next)
            if not sigma_next:  # the sphere has shrunk to its centre
                yield 0.0, mean, mean
                return
            x = mean + sigma_up * run.noise()
            yield sigma_next, x, x0_hat
            zeta = misfit_step_size(self.step_size, self.steps, x[0].numel(), self.coordinates, sigma, sigma_next)
            for _ in range(self.gradient_steps):
                x0_hat, gradient, enough = yield from run.denoise_misfit(x, sigma_next, self.jacobian)
                length = enough.clamp(max=zeta) if self.stop_at_noise else zeta
                x = self.project(x - length * gradient, mean, sigma_up)
                yield sigma_next, x, x0_hat

    def project(self, z: Tensor, mean: Tensor, sigma_up: float) -> Tensor:
        """The second line of a gradient step; apart, so that it can be left out to see what it does."""
        return on_sphere(z, mean, sigma_up)
