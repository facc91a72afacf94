"""Panel 1, how far an estimated score is from the reference; panel 2, whether its mean is that of a score."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

DRAWS = 400
"""Of the bootstrap."""


@dataclass(frozen=True)
class ScoreError:
    """How far an estimate of eps, and with it of the score -eps / sigma, is from the reference, at one noise level.

    Attributes:
        label: whose score it is.
        sigma: the noise level.
        error: (1 - abar) mean (eps - eps_ref)^2 with 1 - abar = sigma^2 / (1 + sigma^2), as Xu et al. 2025 plot it.
        relative: root of the mean square of the difference over that of the reference score.
        zeta: where it is the best step size of all, that; else NaN.
    """

    label: str
    sigma: float
    error: float
    relative: float
    zeta: float = float("nan")


def score_error(
    label: str, sigma: float, x: Tensor, estimate: Tensor, reference: Tensor, uncertain: Tensor | float = 0.0,
    zeta: float = float("nan"),
) -> ScoreError:  # fmt: skip
    """The error of D_y at states x, (B, C, H, W): eps = (x - D_y) / sigma.

    `uncertain` is the variance that `implied` leaves in the estimate, which is taken out: it is no error of the solver.
    """
    variance = float(torch.as_tensor(uncertain).mean())
    square = max((estimate.double() - reference.double()).square().mean().item() - variance, 0.0)
    size = (x.double() - reference.double()).square().mean().item()
    return ScoreError(label, sigma, square / (1 + sigma**2), (square / size) ** 0.5, zeta)


@dataclass(frozen=True)
class ScoreMean:
    """What no score can miss: its mean over p(x_t | y) is 0, and it is the best guess of the noise that there is.

    Attributes:
        label, sigma: as of `ScoreError`.
        mean: mean over the entries of |mean over the draws of eps|.
        null: what unit normal numbers would show, sqrt(2 / (pi N)) for N draws.
        high: 97.5 % quantile of what these draws would show if their mean were 0: the bootstrap's, of centred draws.
        scale: <eps, n> / <eps, eps> over all draws, n the noise that is really in them: 1 for the exact score, whose
            eps is E[n | x_t, y]; less for one that is too long.
        scale_low, scale_high: its 95 % interval by the bootstrap.
    """

    label: str
    sigma: float
    mean: float
    null: float
    high: float
    scale: float
    scale_low: float
    scale_high: float

    @property
    def zero(self) -> bool:
        """Whether the mean is no farther from 0 than chance allows."""
        return self.mean <= self.high

    @property
    def scaled(self) -> bool:
        """Whether its length is off by more than chance."""
        return not self.scale_low <= 1 <= self.scale_high


def score_mean(
    label: str, sigma: float, x: Tensor, estimate: Tensor, noise: Tensor, generator: torch.Generator
) -> ScoreMean:
    """The mean of eps over draws x = x0 + sigma n of p(x_t | y), (N, C, H, W), of the estimate D_y there."""
    eps = ((x.double() - estimate.double()) / sigma).flatten(1)
    noise, count = noise.double().flatten(1), len(x)
    # How often each draw is in each sample of the bootstrap, so that all means are one product of matrices.
    places = torch.randint(count, (DRAWS, count), generator=generator)
    times = torch.zeros(DRAWS, count, dtype=torch.float64).scatter_add_(1, places, torch.ones(DRAWS, count).double())
    centred = times @ (eps - eps.mean(0)) / count
    along, across = (eps * noise).sum(1), eps.square().sum(1)
    scales = (times @ along) / (times @ across)
    low, high = torch.quantile(scales, torch.tensor([0.025, 0.975], dtype=torch.float64)).tolist()
    return ScoreMean(
        label,
        sigma,
        eps.mean(0).abs().mean().item(),
        (2 / (torch.pi * count)) ** 0.5,
        torch.quantile(centred.abs().mean(1), 0.975).item(),
        (along.sum() / across.sum()).item(),
        low,
        high,
    )
