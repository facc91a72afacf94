"""A prior that answers by tiles: the memory of a pass is that of one tile, however large the picture is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from inverse.denoisers.base import Denoiser
from inverse.denoisers.wrapper import Wrapper
from inverse.errors import ProblemError

SIDE = 768
"""Of a tile, in pixels."""
OVERLAP = 128
"""Pixels that two neighbours share."""
MARGIN = 40
"""Pixels at the edge of a tile of which its answer counts nothing: there the prior sees an end of the picture that is
none. The embedded prior can look 128 pixels far; how far it does depends on the noise, see docs/full-size.md."""


class Tiled(Wrapper):
    """D(x, sigma) by overlapping tiles, whose answers are averaged with smooth weights in every call.

    A solver that asks it sees one prior of the whole picture: nothing is ever finished in a tile and joined later, so
    that there is no seam to hide. Where the prior's answer depends on pixels at most `margin` away, it is that of the
    whole picture, to rounding. Tiles begin at multiples of the prior's own `multiple`.

    J^T v is that of the average, tile by tile: each is computed again on the way back, so that no graph of the whole is
    kept.

    Args:
        prior: one that does not look at the measurement, which would be that of the whole.
        side, overlap, margin: of the tiles, in the entries of the prior's own space: pixels, or latents.

    Raises:
        ProblemError: the prior looks at the measurement.
    """

    def __init__(self, prior: Denoiser, side: int = SIDE, overlap: int = OVERLAP, margin: int = MARGIN) -> None:
        if prior.conditional:
            raise ProblemError(
                "A prior that looks at the measurement cannot answer by tiles. Set the estimator's weight to 0."
            )
        super().__init__(prior)
        self.side, self.overlap = (_up(length, prior.multiple) for length in (side, overlap))
        if not 0 <= margin < self.overlap / 2 or self.overlap >= self.side:
            raise ValueError("tiles must be longer than their overlap, and that longer than two margins")
        self.margin = margin

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        tiles = list(self.tiles(x.shape[-2], x.shape[-1]))
        if len(tiles) == 1:
            return self.prior.denoise(x, sigma)
        total, weights = torch.zeros_like(x), x.new_zeros(1, 1, *x.shape[-2:])
        for rows, columns, weight in tiles:
            part, own = x[..., rows, columns], weight.to(x)
            if torch.is_grad_enabled() and x.requires_grad:
                estimate = checkpoint(self.prior.denoise, part, sigma, use_reentrant=False)
            else:
                estimate = self.prior.denoise(part, sigma)
            total[..., rows, columns] += own * estimate
            weights[..., rows, columns] += own
        return total / weights

    def tiles(self, height: int, width: int) -> Iterator[tuple[slice, slice, Tensor]]:
        """Rows, columns and weights (h, w) of the tiles of a picture of this size."""
        for top, left, bottom, right in boxes(height, width, self.side, self.overlap, self.multiple):
            down = ramp(bottom - top, self.overlap, self.margin, top > 0, bottom < height)
            across = ramp(right - left, self.overlap, self.margin, left > 0, right < width)
            yield slice(top, bottom), slice(left, right), down[:, None] * across[None]

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: Sequence[Any]) -> Tensor:
        raise NotImplementedError("a prior by tiles is told nothing of the measurement")


def boxes(
    height: int, width: int, side: int = SIDE, overlap: int = OVERLAP, multiple: int = 1
) -> Iterator[tuple[int, int, int, int]]:
    """Top, left, bottom and right of the tiles of a picture of this size."""
    for top, bottom in spans(height, side, overlap, multiple):
        for left, right in spans(width, side, overlap, multiple):
            yield top, left, bottom, right


def spans(length: int, side: int, overlap: int, multiple: int = 1) -> list[tuple[int, int]]:
    """Where pieces of `side` at most begin and end that cover a length, each sharing `overlap` with the next, or more.

    They are as few as can be, of one size, evenly spread, and begin at multiples of `multiple`, of which side and
    overlap are multiples too; the last one ends at the end.
    """
    if length <= side:
        return [(0, length)]
    count = -(-(length - overlap) // (side - overlap))
    side = _up(-(-(length + (count - 1) * overlap) // count), multiple)
    starts = [round(index * (length - side) / (count - 1) / multiple) * multiple for index in range(count)]
    starts[-1] = -(-(length - side) // multiple) * multiple
    return [(start, min(start + side, length)) for start in starts]


def ramp(length: int, overlap: int, margin: int, before: bool, after: bool) -> Tensor:
    """Weights (length,) along a piece: 1 inside, smoothly down to 0 over the overlap, and that in the margin.

    They do not fall towards an edge of the whole, `before` and `after` being whether the whole goes on there.
    """
    place = torch.arange(length, dtype=torch.float64)
    weight = torch.ones(length, dtype=torch.float64)
    for distance in [place] * before + [length - 1 - place] * after:
        share = ((distance - margin + 0.5) / (overlap - 2 * margin)).clamp(0, 1)
        weight = weight * (0.5 - 0.5 * torch.cos(torch.pi * share))
    return weight


def _up(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple
