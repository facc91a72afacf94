"""DiffPIR: between two noise levels, solve for the image that prior and measurement agree on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.fields import guidance_scale_field, steps_field, stochasticity_field
from inverse.solvers.run import SIGMA_Y_FLOOR, Run


@SOLVERS.register
@dataclass(frozen=True)
class DiffPIR(Solver):
    """Denoising diffusion models for plug-and-play restoration, Zhu et al. 2023 (arXiv 2305.08995), algorithm 1.

    Half-quadratic splitting: the prior proposes D, a proximal step moves it to the measurement, and noise partly new
    (zeta) and partly what explains x leads to the next level:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma);  c = sigma_y^2 / (w sigma^2)
            D <- D + H^T (H H^T + c I)^-1 (y - H D)                           # on the way to the measurement
            x <- D + sigma_next [sqrt(1 - zeta) (x - D) / sigma + sqrt(zeta) n]
        return x

    The second line of a level solves min_z ||y - H z||^2 / sigma_y^2 + ||z - D||^2 / (w sigma^2), with w = 1 / lambda
    of the paper's formula. That lambda is for sigma_y and sigma in one unit. The authors' code divides a sigma_y of
    images on [0, 1] by a sigma of images on [-1, 1], so that its lambda is 4 / w: their 7 is w = 0.57 here. It clamps D
    to [-1, 1], takes no proximal step at the last level, and starts from the measurement with noise on it; ours does
    none of that.

    With zeta = 1 and a prior of latents it is the scheme of LATINO (Spagnoletti et al. 2025, arXiv 2503.12615): noise,
    denoise, decode, a proximal step in pictures, encode; 8 steps there, with a prior that was distilled for as few.
    """

    name = "diffpir"
    title = "DiffPIR"
    summary = "Plausible samples without gradients through the prior: one forward pass a step."
    source = "Zhu et al. 2023, arXiv 2305.08995, algorithm 1"
    paper = "https://arxiv.org/abs/2305.08995"
    formula = (
        r"D \leftarrow \underset{z}{\mathrm{arg\,min}} \; \frac{\lVert y - H z \rVert^2}{\sigma_y^2} + \frac{"
        r"\lVert z - D \rVert^2}{w \sigma^2}, \quad x' = D + \sigma' \left( \sqrt{1 - \zeta} \, \frac{x - D}{\sigma} + "
        r"\sqrt{\zeta} \, n \right)"
    )
    linear_only = True
    proximal = True
    unstable = "guidance_scale"

    steps: int = steps_field(100)
    guidance_scale: float = guidance_scale_field()
    stochasticity: float = stochasticity_field(0.3, "zeta")

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        variance = max(run.sigma_y, SIGMA_Y_FLOOR) ** 2 / self.guidance_scale
        x = sigmas[0] * run.noise()
        for sigma, sigma_next in pairwise(sigmas):
            x0_hat = yield from run.denoise(x, sigma)
            x0_hat = x0_hat + run.correction(x0_hat, variance / sigma**2)
            noise = (1 - self.stochasticity) ** 0.5 * (x - x0_hat) / sigma + self.stochasticity**0.5 * run.noise()
            x = x0_hat + sigma_next * noise
            yield sigma_next, x, x0_hat
