"""PiGDM: the likelihood through a Gaussian around the prior's estimate, differentiated through the prior."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from inverse.solvers.base import SOLVERS, Frames, Solver, gradient_cost
from inverse.solvers.fields import guidance_scale_field, jacobian_field, steps_field, stochasticity_field
from inverse.solvers.reverse import ddim
from inverse.solvers.run import SIGMA_Y_FLOOR, Run


@SOLVERS.register
@dataclass(frozen=True)
class PiGDM(Solver):
    """Pseudoinverse-guided diffusion models, Song et al., ICLR 2023.

    Approximates p(x0 | x) by N(D, r^2 I), r^2 = sigma^2 / (1 + sigma^2), so that y given x is Gaussian; its score,
    through the Jacobian J = dD/dx, corrects the prior's estimate before a DDIM step:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma);  r^2 = sigma^2 / (1 + sigma^2);  c = sigma_y^2 / r^2
            g = J^T H^T (H H^T + c I)^-1 (y - H D),  J = dD/dx                # jacobian: exact, or by differences
            k = min(sigma^2 / r^2, 1 / (1 - sigma_next^2 / sigma^2))
            D <- D + w k g
            sigma_up = eta (sigma_next / sigma) sqrt(sigma^2 - sigma_next^2)  # a step of DDIM
            x <- D + sqrt(sigma_next^2 - sigma_up^2) (x - D) / sigma + sigma_up n
        return x

    For an exact J k = sigma^2 / r^2 is right; through a network's it runs away where the noise is strong. The authors'
    code moves x by k = 1 / (1 - sigma_next^2 / sigma^2) at all levels, which is far less there. We take the smaller of
    both: as close to the exact posterior as the first on Gaussian data, and stable with a trained prior.
    """

    name = "pigdm"
    title = "PiGDM"
    summary = "Careful samples from the posterior; a gradient through the prior at every step."
    source = "Song et al. 2023, ICLR, Pseudoinverse-guided diffusion models for inverse problems; weight bounded by us"
    paper = "https://openreview.net/forum?id=9_gsMA8MRKQ"
    formula = (
        r"D \leftarrow D + w k \, J^\top H^\top (H H^\top + c I)^{-1} (y - H D), \quad J = \frac{\partial "
        r"D}{\partial x}"
    )
    linear_only = True
    last_level = 0.5  # the noise that y has over the last one is what known pixels vary by
    unstable = "guidance_scale"

    steps: int = steps_field(100, low=20)
    guidance_scale: float = guidance_scale_field()
    stochasticity: float = stochasticity_field(1.0, "eta")
    jacobian: str = jacobian_field()

    @property
    def cost(self) -> tuple[int, int]:
        return gradient_cost(self.steps, self.steps, self.jacobian)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        sigma_y = max(run.sigma_y, SIGMA_Y_FLOOR)
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            variance = sigma**2 / (1 + sigma**2)
            ratio = sigma_y**2 / variance

            x0_hat, ascent = yield from run.denoise_vjp(
                x, sigma, lambda d, c=ratio: run.correction(d, c), self.jacobian
            )
            gap = max(1 - (sigma_next / sigma) ** 2, 1e-12)
            x0_hat = x0_hat + self.guidance_scale * min(sigma**2 / variance, 1 / gap) * ascent
            mean, sigma_up = ddim(x, x0_hat, sigma, sigma_next, self.stochasticity)
            x = mean + sigma_up * run.noise()
            yield sigma_next, x, x0_hat
