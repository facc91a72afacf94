"""RED-diff: fit one image to the measurement, with the prior's objections to its noisy copies as the regulariser."""

from __future__ import annotations

from dataclasses import dataclass

from inverse.parameters import real
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.fields import sigma_min_field, steps_field
from inverse.solvers.run import Run

BETA_1, BETA_2, EPSILON = 0.9, 0.99, 1e-8


@SOLVERS.register
@dataclass(frozen=True)
class REDDiff(Solver):
    """Regularisation by denoising diffusion, Mardani et al. 2023 (arXiv 2305.04391), algorithm 1.

    Variational inference with a point mass at mu, by Adam (Kingma and Ba 2015), one step a noise level:

        x = mu + sigma n
        gradient = H^T (H mu - y) + lambda sigma (eps_hat - n),   eps_hat = (x - D) / sigma,   lambda = 1 / w
        mu <- mu - rate * Adam(gradient)

    sigma (eps_hat - n) is mu - D: mu is drawn to what the prior makes of its noisy copy. The rate falls linearly to 0;
    a constant one leaves a noise floor in mu. The first mu is H^+ y, or nearly 0 for a non-linear A; not
    exactly 0, where a Fourier magnitude has no gradient.
    """

    name = "red-diff"
    title = "RED-diff"
    summary = "Fits one image by gradient descent, without gradients through the prior; close to the most probable."
    source = "Mardani et al. 2023, arXiv 2305.04391, algorithm 1; the learning rate's decay is ours"
    paper = "https://arxiv.org/abs/2305.04391"
    uses_sigma_y = False

    steps: int = steps_field(300, low=50)
    sigma_min: float = sigma_min_field(0.1)
    step_size: float = real(
        0.006, 0.0, 1.0, log=True, help="How far each step moves the image: Adam's first rate in a run of 1000 steps.",
        effect="Too low never arrives; too high stays noisy.",
    )  # fmt: skip
    guidance_scale: float = real(
        20.0, 0.01, 1000.0, log=True,
        help="Weight of the measurement against the prior: 1 / lambda of the paper.",
        effect="Too low smooths details away; too high brings the measurement's noise back.",
    )  # fmt: skip

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        first_rate = self.step_size * 1000 / self.steps
        mu = run.operator.pinv(run.y) if run.operator.linear else 0.01 * run.noise()
        momentum = square = 0.0 * mu
        for index, sigma in enumerate(sigmas[:-1], 1):
            x = mu + sigma * run.noise()
            x0_hat = yield from run.denoise(x, sigma)
            gradient = (mu - x0_hat) / self.guidance_scale - run.adjoint_residual(mu)
            momentum = BETA_1 * momentum + (1 - BETA_1) * gradient
            square = BETA_2 * square + (1 - BETA_2) * gradient.square()
            rate = first_rate * (1 - (index - 1) / self.steps) / (1 - BETA_1**index)
            mu = mu - rate * momentum / ((square / (1 - BETA_2**index)).sqrt() + EPSILON)
            yield (sigma, x, mu) if index < self.steps else (0.0, mu, mu)
