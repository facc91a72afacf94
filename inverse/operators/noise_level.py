"""How noisy a picture is: by the finest details of its flattest blocks, with what clipping hides put back.

After Donoho and Johnstone 1994 (noise is what the finest wavelets hold) and Liu, Tanaka and Okutomi 2013, IEEE TIP 22
(only where there is little texture). The wavelets are Haar's. Blocks are chosen by their coarser details, of which the
finest ones are independent, so that choosing does not bias; among the chosen ones a low quantile counts, corrected by
what it is for noise alone. Clipping at black and white is that of a censored Gaussian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch.nn.functional as F
from scipy.special import gammaincinv, ndtr
from torch import Tensor

SIDE = 4
"""Cells of 2 x 2 pixels along the side of a block."""
FEW = 40
"""Blocks that are known as a whole, below which single cells must do."""
BINS = 4
"""Of brightness: every one gives its own flattest blocks, as noise may depend on it."""
FLATTEST, QUIETEST, LOWEST = 0.3, 0.1, 0.3
"""Shares: the blocks that a bin gives, the quantile of their energies, the quantile of the bins."""
UNCLIPPED, CLIPPED = 0.7, 0.25
"""Blocks count where at least this part of the noise is left, and at most this part of the pixels are clipped."""
GROWTH = 9.0
"""By which the energy of texture grows from the finest details to the next, where noise has as much in both. It is 4
for the spectra of natural images and up to 10 in what has been shrunk; the more, the more careful the correction."""
CHANCE = 2.0
"""Ratio of the two energies up to which it may be chance, in few blocks."""
SHARE = 0.25
"""Least part of the finest details' energy that is taken for noise."""
MANY = 30_000
"""Blocks that tell as much as all others would."""
ROUNDS = 10


@dataclass(frozen=True)
class Blocks:
    """Blocks of SIDE x SIDE cells, for all planes together.

    Attributes:
        fine: details of the cells, (N, SIDE^2), NaN where a pixel is not known; sigma of noise is theirs.
        coarse: details of the next scale, (N, SIDE^2 / 4), of the same sigma.
        mean, texture, clipped: mean of the block, variance among its cells, part of its pixels that are clipped, (N,).
    """

    fine: np.ndarray
    coarse: np.ndarray
    mean: np.ndarray
    texture: np.ndarray
    clipped: np.ndarray

    @classmethod
    def of(cls, planes: Tensor, low: float, high: float) -> Blocks:
        """The blocks of planes (C, H, W), clipped at low and high, NaN where nothing is known, that tell something."""
        # What is missing at the lower and the right edge is not known.
        height, width = (-size % (2 * SIDE) for size in planes.shape[-2:])
        planes = F.pad(planes, (0, width, 0, height), value=math.nan)
        means, details = _haar(planes)
        at_bounds = ((planes <= low) | (planes >= high)).to(planes).masked_fill(planes.isnan(), math.nan)
        coarse = 2 * _haar(means)[1]
        means, fine, clipped = (_blocks(each, SIDE) for each in (means, details, _haar(at_bounds)[0]))
        some = np.isfinite(fine).any(1)
        means, fine, clipped, coarse = (each[some] for each in (means, fine, clipped, _blocks(coarse, SIDE // 2)))
        return cls(fine, coarse, np.nanmean(means, 1), np.nanvar(means, 1), np.nanmean(clipped, 1))

    def where(self, chosen: np.ndarray) -> Blocks:
        return Blocks(*(each[chosen] for each in vars(self).values()))


def noise_level(planes: Tensor, least: int) -> float | None:
    """Standard deviation of the noise in planes (C, H, W), NaN where nothing is known.

    They count as clipped at -1 and 1 where none goes beyond. None where some pixels are unknown and fewer details are
    left than tell anything, `least`.
    """
    planes = planes.double().cpu()
    known = planes[~planes.isnan()]
    if not len(known):
        return None
    low, high = (-1.0 if known.min() >= -1 else -math.inf), (1.0 if known.max() <= 1 else math.inf)
    blocks = Blocks.of(planes, low, high)
    details = blocks.fine[np.isfinite(blocks.fine)]
    if len(details) < (least if len(known) < planes.numel() else 1):
        return None
    whole = np.isfinite(blocks.fine).all(1)
    sparse = whole.sum() < FEW
    blocks = blocks if sparse else blocks.where(np.flatnonzero(whole)[:: math.ceil(whole.sum() / MANY)])
    sigma = max(_by_median(details), 1e-3)
    for _ in range(ROUNDS):
        left = np.maximum(_left(blocks.mean, sigma, low, high), 0.1)
        use = (left > UNCLIPPED) & (blocks.clipped <= CLIPPED)
        if use.sum() < FEW / 4:
            use = blocks.clipped <= np.sort(blocks.clipped)[: FEW // 4][-1]
        found = (_by_cells if sparse else _by_blocks)(blocks.where(use), left[use])
        before, sigma = sigma, max(found, 1e-3)
        if abs(sigma - before) < 1e-3 * before:
            break
    return sigma


def _by_cells(blocks: Blocks, left: np.ndarray) -> float:
    details = blocks.fine / left[:, None]
    return _by_median(details[np.isfinite(details)])


def _by_blocks(blocks: Blocks, left: np.ndarray) -> float:
    """The level in blocks that are known as a whole; `left` is what clipping leaves of the noise, (N,)."""
    edges = np.quantile(blocks.mean, np.linspace(0, 1, BINS + 1)[1:-1])
    bins, texture = np.searchsorted(edges, blocks.mean), blocks.texture / left**2
    levels = []
    for number in np.unique(bins):
        inside = np.flatnonzero(bins == number)
        flat = inside[np.argsort(texture[inside], kind="stable")][: max(math.ceil(FLATTEST * len(inside)), 8)]
        fine, coarse = (
            _energy(each[flat] / left[flat, None], quantile)
            for each, quantile in ((blocks.fine, QUIETEST), (blocks.coarse, 0.5))
        )
        # Exact for texture alone, and careful where there is noise too: less is taken off than texture may have.
        texture_left = max(coarse - CHANCE * fine, 0) / (GROWTH - CHANCE)
        levels.append(math.sqrt(max(fine - texture_left, SHARE * fine)))
    return float(np.quantile(levels, LOWEST))


def _energy(details: np.ndarray, quantile: float) -> float:
    """Variance of noise by a quantile of what blocks of its details have: that of chi^2 is known."""
    count = details.shape[1]
    of_noise = 2 * gammaincinv(count / 2, quantile) / count
    return float(np.quantile((details**2).mean(1), quantile)) / of_noise


def _by_median(details: np.ndarray) -> float:
    return float(np.median(np.abs(details))) / 0.6745 if len(details) else 0.0


def _left(mean: np.ndarray, sigma: float, low: float, high: float) -> np.ndarray:
    """Standard deviation over sigma of clipped noise, where clipped pixels have these means (Tobin 1958)."""
    z = np.linspace(-1 - 4 * sigma, 1 + 4 * sigma, 400)
    a, b = (low - z) / sigma, (high - z) / sigma
    below, above = ndtr(a), ndtr(-b)
    # Moments of n clipped to [a, b]; what is infinite has no part in them.
    density_a, density_b = (np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) for x in (a, b))
    a, b = (np.where(np.isfinite(x), x, 0.0) for x in (a, b))
    first = a * below + b * above + density_a - density_b
    second = a**2 * below + b**2 * above + (1 - below - above) + a * density_a - b * density_b
    return np.interp(mean, z + sigma * first, np.sqrt(np.maximum(second - first**2, 0)))


def _haar(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean, and diagonal detail of the standard deviation of the noise, of every 2 x 2 entries."""
    a, b, c, d = (x[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
    return (a + b + c + d) / 4, (a - b - c + d) / 2


def _blocks(x: Tensor, side: int) -> np.ndarray:
    """(C, H, W) -> (N, side^2)."""
    return x.unfold(1, side, side).unfold(2, side, side).reshape(-1, side**2).numpy()
