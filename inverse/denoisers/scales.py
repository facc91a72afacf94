"""From which noise levels on a prior answers as well at a coarse scale: what its card keeps for its pyramid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.denoisers.pyramid import LEAST_SIDE, Pyramid
from inverse.imaging.metrics import psnr

LEVELS = (0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.6, 8.0, 11.0, 16.0, 22.0, 32.0)
"""Noise levels at which it is measured, half an octave apart."""
SIDES = (1, 2, 4, 8)
"""Pixels a side of the blocks whose means are tried."""
_SEED, _PURPOSE = 0, 5


@dataclass(frozen=True)
class Level:
    """What was measured at a noise level.

    Attributes:
        sigma: it.
        psnr: of the estimates, in dB, by the side of the blocks; the mean over the pictures.
    """

    sigma: float
    psnr: Mapping[int, float]


@torch.inference_mode()
def measured(prior: Denoiser, pictures: Sequence[Tensor], levels: Iterable[float] = LEVELS) -> Iterator[Level]:
    """The prior at every scale, on the same noisy pictures; with blocks of one pixel it is the prior itself.

    Args:
        prior: of pictures.
        pictures: clean ones, (3, H, W) on [-1, 1], of a size so that coarse scales have `LEAST_SIDE` pixels a side.
        levels: noise levels, rising; those that the prior does not know are left out.
    """
    noises = [
        randomness.normal([randomness.generator(_SEED, _PURPOSE, index)], picture.shape, picture)
        for index, picture in enumerate(pictures)
    ]
    pyramid, side = Pyramid(prior), min(min(picture.shape[-2:]) for picture in pictures)
    for sigma in (level for level in levels if prior.sigma_min <= level <= prior.sigma_max):
        found = {}
        for k in (k for k in SIDES if k == 1 or (side >= k * LEAST_SIDE and sigma / k >= prior.sigma_min)):
            total = 0.0
            for picture, noise in zip(pictures, noises, strict=True):
                x, level = picture[None] + sigma * noise, noise.new_full((1,), sigma)
                total += psnr(pyramid.at(k, x.to(prior.device, prior.dtype), level)[0], picture)
            found[k] = total / len(pictures)
        yield Level(sigma, found)


def thresholds(levels: Sequence[Level]) -> tuple[float, ...]:
    """For blocks of 2, 4, ... pixels the lowest level at which they are as good as those of half the side, and at the
    next level too.

    They rise, and end before the first that never are.
    """
    found: list[float] = []
    for k in SIDES[1:]:
        good = [k in each.psnr and each.psnr[k] >= each.psnr[k // 2] for each in levels]
        lasting = [each.sigma for place, each in enumerate(levels) if all(good[place : place + 2])]
        rising = [sigma for sigma in lasting if not found or sigma > found[-1]]
        if not rising:
            break
        found.append(rising[0])
    return tuple(found)
