"""RED-diff: fit one image to the measurement, with the error of denoising its noisy copies as the regulariser."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import is_linear
from inverse.parameters import choice, real
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.fields import sigma_min_field, steps_field, stop_at_noise_field
from inverse.solvers.run import SIGMA_Y_FLOOR, Run

BETA_1, BETA_2, EPSILON = 0.9, 0.99, 1e-8


@SOLVERS.register
@dataclass(frozen=True)
class REDDiff(Solver):
    """Regularisation by denoising diffusion, Mardani et al. 2023 (arXiv 2305.04391), algorithm 1.

    Variational inference with a point mass at mu, by Adam (Kingma and Ba 2015), one step a noise level:

        mu = H^T (H H^T + c I)^-1 y,  c = sigma_y^2 / v,  v the data's variance  # start: pseudo-inverse is H^+ y
        for each of N levels sigma from sigma_max to sigma_min by the schedule, the k-th of them:
            x = mu + sigma n;  D = D(x, sigma)
            g = grad_mu ||y - A(mu)||_2^2 / 2;  f = ||y - A(mu)||_2
            if stop_at_noise:  g <- (1 - sigma_y sqrt(m) / f)_+ g
            g <- g + (mu - D) / w
            mu <- mu - gamma (1000 / N) (1 - (k - 1) / N) Adam(g)
        return mu

    The paper writes sigma (eps_hat - n) for mu - D, eps_hat = (x - D) / sigma, and lambda for 1 / w: mu is drawn to
    what the prior makes of its noisy copy. The rate falls linearly to 0; a constant one leaves a noise floor in mu.

    The data term knows nothing of sigma_y, and fits the noise. `stop_at_noise`, which is ours, makes it the gradient of
    (f - f*)_+^2 / 2 with f* = sigma_y sqrt(m) for m measured numbers, the distance to what the measurement allows.

    The first mu is Wiener's estimate for white data of the prior's variance v. The authors take H^+ y
    ("pseudo-inverse"), which a blur fills with noise far beyond Adam's reach, the sum of all rates. For a non-linear A
    it is nearly 0; not exactly, where a Fourier magnitude has no gradient.

    Their code weighs the prior by 0.25 sigma against the mean of squares, which is w = 4 here if y has as many numbers
    as x ("linear"; it offers other powers of sigma), and keeps the rate at 0.1. Our presets come from a search with the
    embedded prior.
    """

    name = "red-diff"
    title = "RED-diff"
    summary = "Fits one image by gradient descent, without gradients through the prior; close to a mode."
    source = "Mardani et al. 2023, arXiv 2305.04391, algorithm 1; decay of the rate, start and stop are ours"
    paper = "https://arxiv.org/abs/2305.04391"
    formula = (
        r"\mu \leftarrow \mu - \gamma \, \mathrm{Adam} \left( \nabla_{\mu} \tfrac{1}{2} \lVert y - A(\mu) \rVert_2^2 + "
        r"\frac{\mu - D(\mu + \sigma n, \sigma)}{w} \right)"
    )

    steps: int = steps_field(300, low=50)
    sigma_min: float = sigma_min_field(0.1)
    step_size: float = real(
        0.006, 0.0, 1.0, log=True, symbol="gamma",
        help="How far each step moves the image: Adam's first rate in a run of 1000 steps.",
        effect="Too low never arrives; too high stays noisy.",
    )  # fmt: skip
    guidance_scale: float = real(
        20.0, 0.01, 1000.0, log=True, symbol="w",
        help="Weight of the measurement against the prior: 1 / lambda of the paper, where it weighs mu - D.",
        effect="Too low smooths details away; too high brings the measurement's noise back.",
    )  # fmt: skip

    stop_at_noise: bool = stop_at_noise_field()
    start: str = choice(
        "wiener", "wiener", "pseudo-inverse", advanced=True,
        help="The first image of a linear task: Wiener's estimate for white data, or the pseudo-inverse, as in the "
        "authors' code.",
        effect="The pseudo-inverse of a noisy blur is far off, and too few steps come back from there.",
    )  # fmt: skip

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        first_rate = self.step_size * 1000 / self.steps
        mu = self._start(run)
        momentum = square = 0.0 * mu
        for index, sigma in enumerate(sigmas[:-1], 1):
            x = mu + sigma * run.noise()
            x0_hat = yield from run.denoise(x, sigma)
            pull = run.adjoint_residual(mu)
            if self.stop_at_noise:
                pull = pull * self._excess(run, mu)
            gradient = (mu - x0_hat) / self.guidance_scale - pull
            momentum = BETA_1 * momentum + (1 - BETA_1) * gradient
            square = BETA_2 * square + (1 - BETA_2) * gradient.square()
            rate = first_rate * (1 - (index - 1) / self.steps) / (1 - BETA_1**index)
            mu = mu - rate * momentum / ((square / (1 - BETA_2**index)).sqrt() + EPSILON)
            yield (sigma, x, mu) if index < self.steps else (0.0, mu, mu)

    def _start(self, run: Run) -> Tensor:
        if not is_linear(run.operator):
            return 0.01 * run.noise()
        if self.start == "pseudo-inverse":
            return run.linear.pinv(run.y)
        return run.linear.regularized_pinv(run.y, (max(run.sigma_y, SIGMA_Y_FLOOR) / run.denoiser.data_std) ** 2)

    def _excess(self, run: Run, mu: Tensor) -> Tensor:
        """(1 - f* / f)_+: the data term's gradient is then that of (f - f*)_+^2 / 2."""
        misfit = run.misfit_and_gradient(mu)[0]
        return (1 - run.noise_norm(mu) / misfit.clamp_min(torch.finfo(mu.dtype).tiny)).clamp_min(0)
