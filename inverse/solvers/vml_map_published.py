"""VML-MAP as published: descend the variational mode-seeking loss at every noise level, then add noise again."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from torch import Tensor

from inverse.parameters import integer, real
from inverse.solvers.base import SOLVERS, Frames, Solver, gradient_cost
from inverse.solvers.fields import guidance_scale_field, jacobian_field, steps_field
from inverse.solvers.run import SIGMA_Y_FLOOR, Run


@SOLVERS.register
@dataclass(frozen=True)
class VMLMAPPublished(Solver):
    """Gutha, Vinuesa and Azizpour 2025 (arXiv 2512.10524). The loop is a reconstruction.

    The loss is KL(p(x0 | x_t) || p(x0 | y)); without its traces and for linear H (their proposition 2) its gradient is
    -J^T v, with w = 1:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            gamma = 1 / (w ||H||^2 / sigma_y^2 + 1 / (4 sigma^2))
            K times:
                D = D(x, sigma)
                v = (D - x) / sigma^2 + w H^T (y - H D) / sigma_y^2
                x <- x + eta gamma J^T v,  J = dD/dx                          # jacobian: exact, or by differences
            D = D(x, sigma)
            x <- D + sigma_next n
        return x

    For a non-linear A the gradient of -||y - A(D)||^2 / 2 takes the place of H^T (y - H D); that is our surrogate, for
    which the proposition says nothing. The paper's algorithm box was not at hand: the loop follows MAP-GA of the same
    authors (WACV 2025). For J between 0 and 1, as an exact denoiser's is on Gaussian data, the step gamma is safe at
    every noise level. `guidance_scale`, w, weighs the measurement against the prior.
    """

    name = "vml-map-published"
    title = "VML-MAP (published)"
    summary = "Seeks a mode, an image more probable than all near it, by a gradient through the prior; slow."
    source = "Gutha et al. 2025, arXiv 2512.10524; loop reconstructed after MAP-GA, WACV 2025"
    paper = "https://arxiv.org/abs/2512.10524"
    formula = (
        r"\nabla_{x} \mathrm{VML}_S = - J^\top \left( \frac{D - x}{\sigma^2} + \frac{H^\top (y - H D)}{\sigma_y^2} "
        r"\right), \quad J = \frac{\partial D}{\partial x}"
    )

    steps: int = steps_field(20)
    gradient_steps: int = integer(
        10, 1, 100, symbol="K", help="Gradient steps at every noise level.",
        effect="Too few leave the image soft; many only take longer.",
    )  # fmt: skip
    step_size: float = real(
        1.0, 0.0, 4.0, symbol="eta", help="Length of a gradient step, as a multiple of the safe one.",
        effect="Too low needs more gradient steps; above 2 it may diverge.",
    )  # fmt: skip
    guidance_scale: float = guidance_scale_field()
    jacobian: str = jacobian_field()

    @property
    def total(self) -> int:
        return self.steps * (self.gradient_steps + 1)

    @property
    def cost(self) -> tuple[int, int]:
        return gradient_cost(self.total, self.steps * self.gradient_steps, self.jacobian)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        data_weight = self.guidance_scale / max(run.sigma_y, SIGMA_Y_FLOOR) ** 2
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            gamma = self.step_size / (data_weight * run.operator.norm**2 + 1 / (4 * sigma**2))
            for _ in range(self.gradient_steps):
                direction = partial(self._direction, run, data_weight, x, sigma)
                x0_hat, ascent = yield from run.denoise_vjp(x, sigma, direction, self.jacobian)
                x = x + gamma * ascent
                yield sigma, x, x0_hat
            x0_hat = yield from run.denoise(x, sigma)
            x = x0_hat + sigma_next * run.noise()
            yield sigma_next, x, x0_hat

    def _direction(self, run: Run, data_weight: float, x: Tensor, sigma: float, x0_hat: Tensor) -> Tensor:
        """v of the class docstring."""
        return (x0_hat - x) / sigma**2 + data_weight * self._pull(run, x0_hat)

    def _pull(self, run: Run, x0_hat: Tensor) -> Tensor:
        """H^T (y - H D)."""
        return run.adjoint_residual(x0_hat)
