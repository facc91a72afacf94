"""DDRM: the reverse process in the basis of singular vectors, where every coefficient is measured on its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from inverse.parameters import real
from inverse.solvers.base import SOLVERS, Frames, Solver
from inverse.solvers.fields import cut_field, steps_field, stochasticity_field
from inverse.solvers.run import Run


@SOLVERS.register
@dataclass(frozen=True)
class DDRM(Solver):
    """Denoising diffusion restoration models, Kawar et al. 2022 (arXiv 2201.11793), eq. 7 and 8.

    With H = U S V^T every coefficient of V^T x is measured by itself, as U^T y / s, with noise sigma_y / s:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            D = D(x, sigma)
            for every singular value s of H, of the coefficients of x, D and n:
                s <= cut s_max:                 x <- D + sqrt(1 - eta^2) sigma_next (x - D) / sigma + eta sigma_next n
                else if sigma_next < sigma_y / s:
                    x <- D + sqrt(1 - eta^2) sigma_next (U^T y - s D) / sigma_y + eta sigma_next n
                otherwise:
                    x <- D + eta_b (U^T y / s - D) + sqrt(sigma_next^2 - eta_b^2 sigma_y^2 / s^2) n
        return x

    Few steps: each brings some of the measurement's noise in again. Its samples vary less than the posterior's.

    Their first state has mean U^T y / s where the measurement is clear, s sigma > sigma_y, and variance
    sigma^2 - sigma_y^2 / s^2; ours is plain noise there too. Only the prior's first estimate sees the difference: with
    eta_b = 1 a step forgets the state of clear coefficients. And what they cut is s = 0 only; see `cut`.
    """

    name = "ddrm"
    title = "DDRM"
    summary = "Uses the operator's exact structure: good results in very few steps."
    source = "Kawar et al. 2022, arXiv 2201.11793"
    paper = "https://arxiv.org/abs/2201.11793"
    formula = (
        r"H = U S V^\top, \quad V^\top x' \sim \mathcal{N} \left( V^\top D + \eta_b \left( \frac{U^\top y}{s} - "
        r"V^\top D \right), \; \sigma'^2 - \frac{\eta_b^2 \sigma_y^2}{s^2} \right) \quad "
        r"\text{where} \quad \sigma' \geq \frac{\sigma_y}{s}"
    )
    linear_only = True
    needs_svd = True
    last_level = 0.5  # the noise that y has over the last one is what known pixels vary by
    unstable = ""

    steps: int = steps_field(20)
    stochasticity: float = stochasticity_field(0.85, "eta")
    step_size: float = real(
        1.0, 0.0, 1.0, advanced=True, symbol="eta_b",
        help="How far a step goes towards a clearly measured coefficient: eta_b of the paper.",
        effect="Below 1 the image follows the measurement loosely.",
    )  # fmt: skip
    cut: float = cut_field(0.03)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        z = sigmas[0] * run.noise()  # V^T of white noise is white noise
        x = run.linear.from_spectral(z)
        for sigma, sigma_next in pairwise(sigmas):
            x0_hat = yield from run.denoise(x, sigma)
            z = spectral_step(run, z, x0_hat, sigma, sigma_next, self.stochasticity, self.step_size, self.cut)
            x = run.linear.from_spectral(z)
            yield sigma_next, x, x0_hat if sigma_next else x


def spectral_step(
    run: Run,
    z: Tensor,
    x0_hat: Tensor,
    sigma: float,
    sigma_next: float,
    eta: float,
    eta_b: float,
    cut: float,
    renoised: float = 0.0,
) -> Tensor:
    """One step of DDRM from sigma to sigma_next of the coefficients z = V^T x, (B, C, H, W).

    What it draws and further noise up to the level `renoised`, where that is higher, are drawn as one.
    """
    s = run.linear.singular_values
    known = (s > cut * s.max()).to(s.dtype)  # 0 or 1, as is clear: products take a tenth of the time of torch.where
    safe = s + (1 - known)
    level = run.sigma_y / safe
    clear = known * (level <= sigma_next)
    kept = (1 - eta**2) ** 0.5 * sigma_next
    whitening = kept / run.sigma_y if run.sigma_y else 0.0  # without noise whatever is known is clear
    fresh = (sigma_next**2 - (eta_b * level) ** 2).clamp_min(0)

    # All three formulas are D + a (z - D) + b (U^T y - s D) + c n; their weights have the shape of s, not of images.
    a = (1 - known) * (kept / sigma)
    b = clear * (eta_b / safe) + (known - clear) * whitening
    c = (clear * fresh + (1 - clear) * (eta * sigma_next) ** 2 + max(renoised**2 - sigma_next**2, 0.0)).sqrt()
    z_next = (1 - a - b * s) * run.linear.to_spectral(x0_hat)
    return z_next.addcmul_(a, z).addcmul_(b, run.spectrum).addcmul_(c, run.noise())
