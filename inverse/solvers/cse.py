"""Sampling with a conditional estimator: the measurement is in the estimate already, and no step corrects it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.fields import schedule_field, sigma_max_field, sigma_min_field, steps_field, stochasticity_field
from inverse.solvers.run import Run

FIRST_LEVEL = 10.0
"""The noise level at which an estimator is asked first: nothing is known there but y."""


@SOLVERS.register
@dataclass(frozen=True)
class CSE(Solver):
    """The reverse process of p(x0 | y) with its own score, (D_y(x, sigma) - x) / sigma^2, in few steps.

    D_y(x, sigma) = E[x0 | x, y] is what a conditional score estimator learns (Xu et al. 2025, section 4, and the form
    in `estimators`). With one noise level the result is D_y(sigma n), the mean of the posterior, which no sample is as
    near to the truth as; with more, steps of DDIM (Song et al. 2021, arXiv 2010.02502, eq. 12 and 16) lead to a sample:

        D = D_y(sigma_max n, sigma_max);  x = D + sigma_max n                 # the estimator, which looks at y
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D_y(x, sigma)                                                 # known already at the first
            sigma_up = eta (sigma_next / sigma) sqrt(sigma^2 - sigma_next^2)
            x <- D + sqrt(sigma_next^2 - sigma_up^2) (x - D) / sigma + sigma_up n
        return x

    From x = sigma_max n, as without a measurement, samples would be too grey: of a picture's mean, noise of sigma_max
    says something still.
    """

    name = "cse"
    title = "CSE (few calls, learned)"
    summary = "Asks an estimator that has learned to look at the measurement: one call restores, more add texture."
    source = "Xu et al., ICLR 2025, arXiv 2501.18913; the form of the estimator and the sampler are ours"
    paper = "https://arxiv.org/abs/2501.18913"
    formula = (
        r"D_y(x, \sigma) \approx \mathbb{E}[x_0 \mid x, y], \quad \nabla_{x} \log \, p(x \mid y) = "
        r"\frac{D_y(x, \sigma) - x}{\sigma^2}"
    )
    linear_only = True
    needs_estimator = True
    unstable = ""

    steps: int = steps_field(3, low=1)
    schedule: str = schedule_field("karras")
    sigma_max: float = sigma_max_field(FIRST_LEVEL)
    sigma_min: float = sigma_min_field(0.05)
    stochasticity: float = stochasticity_field(0.0, "eta")

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        noise = sigmas[0] * run.noise()
        x0_hat = yield from run.denoise(noise, sigmas[0])
        x = x0_hat + noise
        for step, (sigma, sigma_next) in enumerate(pairwise(sigmas)):
            if step:
                x0_hat = yield from run.denoise(x, sigma)
            drawn = self.stochasticity * sigma_next * (1 - (sigma_next / sigma) ** 2) ** 0.5
            kept = (sigma_next**2 - drawn**2) ** 0.5
            x = x0_hat + kept / sigma * (x - x0_hat) + drawn * run.noise()
            yield sigma_next, x, x0_hat
