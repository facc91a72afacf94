"""One call of a conditional estimator, and VML-MAP from there: the restoration comes first, and is refined."""

from __future__ import annotations

from dataclasses import dataclass

from inverse.parameters import real, redeclared
from inverse.solvers.base import SOLVERS, Frames
from inverse.solvers.cse import FIRST_LEVEL
from inverse.solvers.run import Run
from inverse.solvers.vml_map import VMLMAP


@SOLVERS.register
@dataclass(frozen=True)
class CSEVMLMAP(VMLMAP):
    """VML-MAP that begins near the end: what many steps at high noise find, an estimator knows in one call.

        x = sigma_1 n;  D_1 = D_y(x, sigma_1),  sigma_1 = 10                  # the estimator, once: about E[x0 | y]
        x <- D_1 + sigma_max n                                                # from here on VML-MAP, the prior alone
        ...
        return (1 - mean_share) x + mean_share D_1

    The estimator is a conditional score estimator (Xu et al. 2025, section 4; the form in `estimators`). Its estimate
    is the posterior's mean, smooth where y says little; the steps after it see only what noise of sigma_max hides, and
    bring back the measurement, the edges and the grain. The two err apart, so that a mixture of them can be nearer to
    the truth than either, at no cost. The combination is ours.
    """

    name = "cse-vml-map"
    title = "CSE + VML-MAP (first choice)"
    summary = "One call of the learned estimator restores, and nine of VML-MAP refine it, in a third of its time."
    source = "Estimator after Xu et al., ICLR 2025, arXiv 2501.18913; loss of Gutha et al. 2025, arXiv 2512.10524"
    paper = "https://arxiv.org/abs/2501.18913"
    formula = (
        r"x = D_y + \sigma_{\max} n, \quad D_y \approx \mathbb{E}[x_0 \mid y]; \qquad "
        r"x \leftarrow x + \eta \left( D - x + H^\top (H H^\top + c I)^{-1} (y - H (2 D - x)) \right)"
    )
    linear_only = True
    proximal = False
    needs_estimator = True
    least_level = 1.0

    steps: int = redeclared(VMLMAP, "steps", 3)
    guidance_scale: float = redeclared(VMLMAP, "guidance_scale", 2.0)
    sigma_max: float = real(
        1.0, 0.05, 200.0, log=True, advanced=True,
        help="Noise level that is added to the first estimate, and of the step after it.",
        effect="Too low leaves the first estimate's smoothness; too high forgets it.",
    )  # fmt: skip

    mean_share: float = real(
        0.0, 0.0, 1.0, advanced=True,
        help="Share of the first estimate, the mean of all pictures that fit the measurement, in the result.",
        effect="0 is the refined picture, which is sharper and guesses more; 1 leaves the first estimate as it was.",
    )  # fmt: skip

    @property
    def total(self) -> int:
        return 1 + super().total

    @property
    def told(self) -> float:
        return 1 / self.total

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        first = min(FIRST_LEVEL, run.denoiser.sigma_max)
        x = first * run.noise()
        mean = yield from run.denoise(x, first)
        yield first, x, mean
        run.forget()
        refined = yield from self._annealed(run, mean + sigmas[0] * run.noise(), sigmas)
        x0_hat = refined + self.mean_share * (mean - refined)
        yield 0.0, x0_hat, x0_hat
