"""Panel 3: whether samples vary as the posterior does, and where they lie in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from inverse.evaluation.findings.truths import Truth

BINS = 20
"""Of the rank histogram; the inner 18 are a 90 % interval, the inner 10 a 50 % interval."""

NEGLIGIBLE = 1e-6
"""A pixel whose posterior std is a smaller share of the prior's is known: there is no interval to cover."""

STRAY = 1e-3
"""A sample is astray where the posterior is less dense than at all but this share of its own draws."""


@dataclass(frozen=True)
class Diversity:
    """What repeated samples of one solver show. NaN is what is not known of this truth.

    Attributes:
        label: whose samples they are.
        count: how many.
        bias: RMS over pixels of their mean minus the posterior's, in RMS standard deviations of the posterior.
        std_ratio: their pooled standard deviation over the posterior's.
        ranks: share of the posterior between neighbouring quantiles of the samples, 20 bins, mean over pixels: 0.05
            each for exact samples.
        shares: mean probability of each mode given a sample, (K,); empty for one mode.
        weights: the true ones.
        to_mode: RMS distance to the nearest mode, in that of exact draws: 1 for a posterior sampler, 0 for a mode.
        strays: share of samples that lie where the posterior hardly has any mass.
        residual: RMS of y - A(x) over sigma_y.
        nfe, vjp: forward passes of one sample, and how many of them were followed by a backward pass.
        failure: why there are none; empty where there are.
        kept: the samples themselves where they are points of the plane, (count, 2).
    """

    label: str
    count: int
    bias: float = math.nan
    std_ratio: float = math.nan
    ranks: tuple[float, ...] = (math.nan,) * BINS
    shares: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    to_mode: float = math.nan
    strays: float = math.nan
    residual: float = math.nan
    nfe: int = 0
    vjp: int = 0
    failure: str = ""
    kept: Tensor | None = None

    def coverage(self, level: float) -> float:
        """How often an interval between the samples' quantiles holds what the posterior allows; `level` if exact."""
        cut = round((1 - level) / 2 * BINS)
        return sum(self.ranks[cut : BINS - cut])


@dataclass(frozen=True)
class Exactly:
    """What draws of the reference itself show, against which those of solvers are held.

    Attributes:
        mean, std: of every pixel, (C, H, W).
        distance: RMS distance of a draw to the nearest mode.
        low: the density, in logarithms, that all but `STRAY` of the draws exceed.
        chance: variance of `mean`, mean over the pixels, where it is that of a few draws.
    """

    mean: Tensor
    std: Tensor
    distance: float
    low: float
    chance: float = 0.0

    @classmethod
    def of(cls, truth: Truth, generator: torch.Generator, count: int = 4000) -> Exactly:
        """From the posterior's formulas and many draws; from `count` draws of a reference that is learned."""
        draws = truth.draw(generator, count)
        if truth.posterior is None:
            mean, std = draws.double().mean(0), draws.double().std(0)
            return cls(mean, std, math.nan, -math.inf, std.square().mean().item() / count)
        low = torch.quantile(truth.posterior.mixture.log_density(draws), STRAY).item()
        return cls(truth.posterior.mean, truth.posterior.std, truth.posterior.distance(draws), low)


def diversity(truth: Truth, exactly: Exactly, label: str, x: Tensor, nfe: int = 0, vjp: int = 0) -> Diversity:
    """What samples x, (n, C, H, W), show, n >= 19."""
    x = x.double()
    size, known = exactly.std.square().mean().sqrt().item(), truth.posterior
    spread, count = x.var(0).mean().sqrt().item(), len(x)
    off = (x.mean(0) - exactly.mean).square().mean().item() - spread**2 / count - exactly.chance  # what chance does
    found: dict[str, object] = {}
    if known is not None:
        found = {
            "to_mode": known.distance(x) / exactly.distance,
            "strays": (known.mixture.log_density(x) < exactly.low).double().mean().item(),
        }
        if len(known.modes) > 1:
            found |= {"shares": tuple(known.shares(x).tolist()), "weights": tuple(known.weights.tolist())}
    operator, y = truth.problem.operator, truth.problem.y
    misfit = (y - operator(x.to(y))).double().flatten(1).square().sum(1) / max(operator.entries, 1)
    return Diversity(
        label,
        count,
        bias=max(off, 0.0) ** 0.5 / size,
        std_ratio=spread / size,
        ranks=ranks(truth, exactly, x),
        residual=misfit.mean().sqrt().item() / truth.problem.sigma_y,
        nfe=nfe,
        vjp=vjp,
        kept=x.flatten(1) if truth.plane else None,
        **found,  # pyright: ignore[reportArgumentType]
    )


def ranks(truth: Truth, exactly: Exactly, x: Tensor) -> tuple[float, ...]:
    """Share of the posterior between neighbouring quantiles of x, mean over the pixels that y leaves in doubt.

    Weibull's quantiles: the r-th of n exact samples has r / (n + 1) of the posterior below it, on average. Where the
    posterior is not known, it is counted in which bin the pixels of the true image lie.
    """
    inner = np.quantile(x.numpy(), np.arange(1, BINS) / BINS, axis=0, method="weibull")
    edges = torch.from_numpy(inner)
    doubtful = exactly.std > NEGLIGIBLE * truth.prior.data_std
    if truth.posterior is None:
        assert truth.problem.truth is not None
        place = (edges < truth.problem.truth.double()).sum(0)[doubtful]
        return tuple((torch.bincount(place, minlength=BINS) / len(place)).tolist())
    below = truth.posterior.cdf(edges)[:, doubtful]
    ends = torch.cat([torch.zeros_like(below[:1]), below, torch.ones_like(below[:1])])
    return tuple(ends.diff(dim=0).mean(1).tolist())
