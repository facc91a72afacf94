"""AC-DC: splitting with a dual variable, whose iterate is made noisy again before the prior sees it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.parameters import integer
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.calls import Computation
from inverse.solvers.fields import (
    gradient_steps_field,
    guidance_scale_field,
    schedule_field,
    sigma_min_field,
    steps_field,
)
from inverse.solvers.run import SIGMA_Y_FLOOR, Run, norms
from inverse.solvers.schedule import noise_levels

LANGEVIN_STEP = 5e-4
"""Of the correction, as a multiple of sigma: the paper's."""

START = 0.1
"""Standard deviation of the first z: of an even grey, phases would be found by a gradient that vanishes."""

CHECKED = (2.0, 0.5)
"""Noise levels between which the prior is asked which of two images is likelier: what it tells best is in between."""


@SOLVERS.register
@dataclass(frozen=True)
class ACDC(Solver):
    """Plug-and-play ADMM with a corrected denoiser, Shrestha and Fu 2026 (arXiv 2603.10281).

        as often as `attempts`:
            z = 0.1 n;  u = 0
            for each of N levels sigma from sigma_max to sigma_min by the schedule:
                r^2 = sigma^2 v / (sigma^2 + v),  v = data_std^2
                x = argmin_x ||y - A(x)||^2 / sigma_y^2 + ||x - z + u||^2 / (w r^2)  # K steps if A is not linear
                s = x + u + sigma n                                           # as noisy as what the prior has learned
                h = 5e-4 sigma;  correction_steps times:  s <- s + h (D(s, sigma) + x + u - 2 s) / sigma^2 + sqrt(2 h) n
                z = D(s, sigma);  u <- u + x - z
            keep the z whose ||y - A(z)|| is least
        of z and its twin, take what the prior finds likelier at `checks` levels
        return z

    The dual variable u of this splitting sums up what prior and measurement disagree on, which half-quadratic splitting
    (DiffPIR) forgets at every step. It is no noise that a denoiser knows; hence the noise in s, their
    "auto-correction". The line after it, Langevin's algorithm ("directional correction"), asks the prior more often, 10
    times in the paper. At an equal number of calls more noise levels do better with the embedded prior, so that it is
    not done here unless it is set. Of Gaussian data it draws samples that have half of the posterior's variance. Where
    much is missing and noise is little, 50 levels leave them biased, by up to one standard deviation without any; 200
    take that away.

    Where many images explain a measurement almost as well, as one of Fourier magnitudes, a run may end in one that does
    not quite. `attempts` makes it again, and the result whose ||y - A(x)|| is least counts: nothing is known of the
    truth. Some measurements cannot tell an image from its twin, as one turned by 180 degrees; `checks` asks the prior.

    r is ours, as in `DAPS`: the authors' weights belong to their tasks. The levels are theirs, 10 to 0.1. For a
    non-linear A the argmin is taken by gradient steps. Behind a decoder z - u means nothing, and u stays 0.
    """

    name = "ac-dc"
    title = "AC-DC"
    summary = "Splitting that remembers what prior and measurement disagree on; finds lost phases like no other."
    source = "Shrestha and Fu 2026, arXiv 2603.10281; weights and attempts are ours"
    paper = "https://arxiv.org/abs/2603.10281"
    formula = (
        r"x = \underset{x}{\mathrm{arg\,min}} \; \frac{\lVert y - A(x) \rVert^2}{\sigma_y^2} + \frac{"
        r"\lVert x - z + u \rVert^2}{w r^2}, \quad z = D(x + u + \sigma n, \sigma), \quad u \leftarrow u + x - z"
    )
    proximal = True
    unstable = ""

    steps: int = steps_field(50)
    schedule: str = schedule_field("log-linear")
    sigma_min: float = sigma_min_field(0.1)
    guidance_scale: float = guidance_scale_field()
    attempts: int = integer(
        1, 1, 32, help="How often the whole run is made; the result that fits the measurement best counts.",
        effect="More take as many times longer; they help where a run can get stuck, as without phases.",
    )  # fmt: skip
    correction_steps: int = integer(
        0, 0, 20, advanced=True, help="Langevin steps through the prior at every noise level: 10 in the paper.",
        effect="Each is one more call of the prior at every level.",
    )  # fmt: skip
    gradient_steps: int = gradient_steps_field(10, "Gradient")
    checks: int = integer(
        0, 0, 20, advanced=True,
        help="Noise levels at which the prior is asked which is likelier: the result, or the same turned by 180 "
        "degrees, which lost phases do not tell from it.",
        effect="None leave it to chance which of the two it is.",
    )  # fmt: skip

    @property
    def cost(self) -> tuple[int, int]:
        return self.total + 2 * self.checks, 0

    @property
    def total(self) -> int:
        return self.attempts * self.steps * (1 + self.correction_steps)

    @property
    def operator_calls(self) -> int:
        return self.attempts * self.steps * self.gradient_steps

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        best, least = run.noise(), run.noise().new_full((1, 1, 1, 1), float("inf"))
        for left in reversed(range(self.attempts)):
            z, u = START * run.noise(), torch.zeros_like(best)
            for later, sigma in zip(reversed(range(self.steps)), sigmas, strict=False):
                x = yield from run.proximal_step(z - u, self._weight(run, sigma), self.gradient_steps)
                s = x + u + sigma * run.noise()
                for _ in range(self.correction_steps):
                    x0_hat = yield from run.denoise(s, sigma)
                    s = self._corrected(run, s, x0_hat, x + u, sigma)
                    yield sigma, s, x0_hat
                z = yield from run.denoise(s, sigma)
                u = u if run.operator.local else u + x - z
                if left or later:
                    yield sigma, s, z
            misfit = run.misfit_norm(z)
            worse = misfit >= least  # false also of what is no number, which the run is then to stop at
            best, least = torch.where(worse, best, z), torch.where(worse, least, misfit)
        if self.checks:
            best = yield from self._likelier(run, best)
        yield 0.0, best, best

    def _weight(self, run: Run, sigma: float) -> float:
        """c = sigma_y^2 / (w r^2) of the class docstring."""
        data_variance = run.denoiser.data_std**2
        variance = sigma**2 * data_variance / (sigma**2 + data_variance)
        return max(run.sigma_y, SIGMA_Y_FLOOR) ** 2 / (self.guidance_scale * variance)

    def _corrected(self, run: Run, s: Tensor, x0_hat: Tensor, center: Tensor, sigma: float) -> Tensor:
        """A correction: a step of Langevin's algorithm for p(s) N(s; center, sigma^2 I)."""
        length = LANGEVIN_STEP * sigma
        return s + length * (x0_hat + center - 2 * s) / sigma**2 + (2 * length) ** 0.5 * run.noise()

    def _likelier(self, run: Run, x: Tensor) -> Computation[Tensor]:
        """Of x and its twin the one whose noisy copies, with the same noise, the prior restores with less error.

        -log p(x) is half the integral of E ||D(x + sigma n, sigma) - x||^2 / sigma^2 over log sigma, but for what is
        the same for both (Kong, Brekelmans and Ver Steeg 2023, arXiv 2302.03792).
        """
        twin, lead = run.operator.twin, torch.zeros_like(x[:, :1, :1, :1])
        for level in noise_levels("log-linear", self.checks, *CHECKED):
            sigma, noise = min(max(level, run.denoiser.sigma_min), run.denoiser.sigma_max), run.noise()
            for sign, image, disturbed in ((-1, x, noise), (1, twin(x), twin(noise))):
                x0_hat = yield from run.denoise(image + sigma * disturbed, sigma)
                lead = lead + sign * (norms(x0_hat - image) / sigma) ** 2
        return torch.where(lead < 0, twin(x), x)
