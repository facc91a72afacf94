"""VML-MAP by Douglas-Rachford splitting: the same stationary points, without a single backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor

from inverse.parameters import integer, real
from inverse.solvers.base import SOLVERS, Frames, Solver, Stage
from inverse.solvers.fields import guidance_scale_field, schedule_field, sigma_min_field, steps_field
from inverse.solvers.run import SIGMA_Y_FLOOR, Run


@SOLVERS.register
@dataclass(frozen=True)
class VMLMAP(Solver):
    """Plug-and-play Douglas-Rachford splitting whose fixed points are those of the VML loss, annealed.

    The loss is that of Gutha, Vinuesa and Azizpour 2025 (arXiv 2512.10524). Its gradient is -J^T v (see
    `VMLMAPPublished`), and J is invertible, so v = 0 has the same solutions. They are the fixed points of relaxed
    Douglas-Rachford splitting (Lions and Mercier 1979; Eckstein and Bertsekas 1992) with the denoiser D as one proximal
    map (plug and play: Venkatakrishnan, Bouman and Wohlberg 2013) and that of the measurement as the other:

        x = sigma_max n
        for each of N levels sigma from sigma_max to sigma_min by the schedule, and sigma_next after it, at last 0:
            c = sigma_y^2 / (w sigma^2)
            K times:
                D = D(x, sigma)
                x <- x + eta [D - x + H^T (H H^T + c I)^-1 (y - H (2 D - x))]  # the very last time eta is 1 at most
            D = D(x, sigma)
            if sigma_next >= renoise_above:  x <- D + sigma_next n            # noise is what fills holes
            otherwise:  x <- D + (sigma_next / sigma)^2 (x - D)               # keeps D on a Gaussian prior
        return x

    Ours is that link between the two, the noise levels that it runs through, and the noise that is drawn anew.

    For a non-linear A, the gradient of ||y - A(x)||^2 / 2 takes the place of H^T (y - H x), and the square of A's
    Lipschitz constant that of H H^T: a gradient step for the measurement, still none through the prior.

    Behind a decoder 2 D - x means nothing, so that the measurement is asked about D instead, and what is left is half-
    quadratic splitting: its fixed points are not those of the loss, but follow the measurement less closely.

    A step longer than 1 goes past what the measurement says, and the next one comes back; the very last one has no
    next, so that it is not longer.
    """

    name = "vml-map"
    title = "VML-MAP (any task and prior)"
    summary = "Seeks a mode, an image more probable than all near it: fast, and steady on every task."
    source = "Loss of Gutha et al. 2025, arXiv 2512.10524; by annealed plug-and-play Douglas-Rachford splitting"
    paper = "https://arxiv.org/abs/2512.10524"
    formula = (
        r"x \leftarrow x + \eta \left( D - x + H^\top (H H^\top + c I)^{-1} (y - H (2 D - x)) \right), \quad c "
        r"= \frac{\sigma_y^2}{w \sigma^2}"
    )
    proximal = True

    steps: int = steps_field(10)
    schedule: str = schedule_field("log-linear")
    sigma_min: float = sigma_min_field(0.1)
    gradient_steps: int = integer(
        2, 1, 20, symbol="K", help="Proximal steps at every noise level.",
        effect="Too few follow the measurement loosely; many only take longer.",
    )  # fmt: skip
    step_size: float = real(
        1.8, 0.1, 1.99, symbol="eta",
        help="Length of a proximal step: 1 solves the linearised problem, more extrapolates.",
        effect="Too low needs more steps; close to 2 it oscillates.",
    )  # fmt: skip
    guidance_scale: float = guidance_scale_field()
    renoise_above: float = real(
        0.3, 0.0, 200.0, log=True, advanced=True, help="Noise is added anew between levels above this noise level.",
        effect="Too high leaves large holes empty; too low leaves the result rough.",
    )  # fmt: skip

    @property
    def total(self) -> int:
        return self.steps * (self.gradient_steps + 1)

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        x0_hat = yield from self._annealed(run, sigmas[0] * run.noise(), sigmas)
        yield 0.0, x0_hat, x0_hat

    def _annealed(self, run: Run, x: Tensor, sigmas: list[float]) -> Stage[Tensor]:
        """The loop, from a state x of the first noise level on: all frames but the last. Returns the result."""
        variance = max(run.sigma_y, SIGMA_Y_FLOOR) ** 2 / self.guidance_scale
        for sigma, sigma_next in pairwise(sigmas):
            for left in reversed(range(self.gradient_steps)):
                x0_hat = yield from run.denoise(x, sigma)
                asked = x0_hat if run.operator.local else 2 * x0_hat - x
                correction = _correction(run, asked, variance / sigma**2)
                length = self.step_size if sigma_next or left else min(self.step_size, 1.0)
                x = x + length * (x0_hat - x + correction)
                yield sigma, x, x0_hat
            x0_hat = yield from run.denoise(x, sigma)
            if not sigma_next:
                return x0_hat
            if sigma_next >= self.renoise_above:
                x = x0_hat + sigma_next * run.noise()
            else:
                x = x0_hat + (sigma_next / sigma) ** 2 * (x - x0_hat)
            yield sigma_next, x, x0_hat
        raise AssertionError("The last level is 0.")


def _correction(run: Run, x: Tensor, c: float) -> Tensor:
    """H^T (H H^T + c I)^-1 (y - H x); for a non-linear A its Lipschitz constant stands for the singular values."""
    if run.operator.proximal:
        return run.correction(x, c)
    return run.adjoint_residual(x) / (run.operator.norm**2 + c)
