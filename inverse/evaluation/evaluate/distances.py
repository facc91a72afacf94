"""FID and KID: how far a set of restorations is from the set of the originals, by features of a network.

Their formulas are torchmetrics'; the features are taken here, once for both. FID has a bias that only falls with the
number of pictures, so that it is refused for few. KID has none, and its error is told.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from inverse.errors import ProblemError
from inverse.evaluation.evaluate.summary import Estimate

FEWEST = 500
"""Pictures for FID: the covariance of 2048 features from fewer says more of their number than of them."""
SUBSETS, SUBSET = 100, 10
"""KID is the mean over so many random subsets of so many pictures, as Xu et al. (ICLR 2025) have it."""


class Given(nn.Module):
    """Stands for a network where features were taken already."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.num_features = count

    def forward(self, features: Tensor) -> Tensor:
        return features


def fid(features: Tensor, originals: Tensor) -> Estimate:
    """Frechet distance of two sets of features, (n, F) and (m, F); Heusel et al. 2017, arXiv 1706.08500.

    Raises:
        ProblemError: there are fewer than `FEWEST` of one.
    """
    fewest = min(len(features), len(originals))
    if fewest < FEWEST:
        raise ProblemError(
            f"FID needs {FEWEST} pictures, and there are {fewest}: it would measure their number. Use KID, or evaluate "
            "on more photos."
        )
    from torchmetrics.image.fid import FrechetInceptionDistance

    metric: Any = FrechetInceptionDistance(feature=Given(features.shape[1]))
    return Estimate(float(_fed(metric, features, originals).compute()), math.nan, fewest)


def kid(features: Tensor, originals: Tensor, seed: int = 0) -> Estimate:
    """Squared maximum mean discrepancy with a cubic kernel; Binkowski et al. 2018, arXiv 1801.01401.

    Its error is the standard deviation of the mean over subsets, of which no more count than there are disjoint ones.

    Raises:
        ProblemError: there are not two subsets of one.
    """
    fewest = min(len(features), len(originals))
    if fewest < 2 * SUBSET:
        raise ProblemError(f"KID needs {2 * SUBSET} pictures, and there are {fewest}. Evaluate on more photos.")
    from torchmetrics.image.kid import KernelInceptionDistance

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it keeps the features, which are here anyway
        metric: Any = KernelInceptionDistance(feature=Given(features.shape[1]), subsets=SUBSETS, subset_size=SUBSET)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, deviation = _fed(metric, features, originals).compute()
    return Estimate(float(mean), float(deviation) / math.sqrt(min(SUBSETS, fewest // SUBSET)), fewest)


def _fed(metric: Any, features: Tensor, originals: Tensor) -> Any:
    metric.update(originals, real=True)
    metric.update(features, real=False)
    return metric


def features_of(network: nn.Module, pictures: Sequence[Tensor], device: torch.device, batch: int = 32) -> Tensor:
    """Features of pictures, (1, 3, H, W) each on [-1, 1] and of one size."""
    with torch.inference_mode():
        parts = [
            network(torch.cat(list(pictures[start : start + batch])).to(device)).cpu()
            for start in range(0, len(pictures), batch)
        ]
    return torch.cat(parts)
