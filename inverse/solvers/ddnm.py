"""DDNM+: the measurement decides in the range of the operator, the prior in its null space."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from inverse.parameters import integer
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.ddrm import spectral_step
from inverse.solvers.fields import cut_field, steps_field, stochasticity_field
from inverse.solvers.run import Run


@SOLVERS.register
@dataclass(frozen=True)
class DDNM(Solver):
    """The denoising diffusion null-space model for noisy measurements, Wang, Yu and Zhang 2023 (arXiv 2212.00490).

    The image becomes H^+ y + (I - H^+ H) D, with range and noise scaled so that a noisy measurement adds up to the
    noise of the level. Written out for each singular vector, the authors' noisy form is a step of `DDRM` with
    eta_b = 1, and that is what is computed here. What DDNM adds is time travel, after RePaint (Lugmayr et al. 2022):
    every step may be taken several times, from noise added again, so that hole and surroundings come to agree:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            repeats times, but once at the last level:
                D = D(x, sigma)
                for every singular value s of H, of the coefficients of x, D and n:
                    s <= cut s_max:   x <- D + sqrt(1 - eta^2) sigma_next (x - D) / sigma + eta sigma_next n
                    else if sigma_next < sigma_y / s:
                        x <- D + sqrt(1 - eta^2) sigma_next (U^T y - s D) / sigma_y + eta sigma_next n
                    otherwise:        x <- U^T y / s + sqrt(sigma_next^2 - sigma_y^2 / s^2) n
                x <- x + sqrt(sigma^2 - sigma_next^2) n                       # back in time, but not after the last
        return x

    Both noises are drawn as one, and what is shown of such a step is x.
    """

    name = "ddnm"
    title = "DDNM+"
    summary = "Measured content from the measurement, the rest from the prior; few steps, repeated at will."
    source = "Wang et al. 2023, arXiv 2212.00490"
    paper = "https://arxiv.org/abs/2212.00490"
    formula = r"D \leftarrow H^{+} y + (I - H^{+} H) D"
    linear_only = True
    needs_svd = True
    last_level = 0.5  # the noise that y has over the last one is what known pixels vary by
    unstable = ""

    steps: int = steps_field(20)
    repeats: int = integer(
        3, 1, 10, help="How often every step is taken (time travel).",
        effect="More make a large hole fit its surroundings better, and take as many times longer.",
    )  # fmt: skip
    stochasticity: float = stochasticity_field(0.85, "eta")
    cut: float = cut_field(0.03)

    @property
    def total(self) -> int:
        return (self.steps - 1) * self.repeats + 1

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        z = sigmas[0] * run.noise()  # V^T of white noise is white noise
        x = run.linear.from_spectral(z)
        for sigma, sigma_next in pairwise(sigmas):
            for left in reversed(range(self.repeats if sigma_next else 1)):
                x0_hat = yield from run.denoise(x, sigma)
                level = sigma if left else sigma_next
                z = spectral_step(run, z, x0_hat, sigma, sigma_next, self.stochasticity, 1.0, self.cut, level)
                x = run.linear.from_spectral(z)
                yield level, x, x0_hat if sigma_next else x
