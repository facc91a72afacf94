"""Shrinking among cosines: where it folds frequencies onto each other, a Gaussian field's mean has a closed form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator
from inverse.operators.bicubic import Separable
from inverse.operators.super_resolution import BlockMean
from inverse.operators.transforms import dct_matrix

EXACT = 1e-9
"""What a frequency may leave at other places than its own counts as rounding."""


@dataclass(frozen=True)
class Folds:
    """H among cosines, c -> R c K^T: every column of R and of K has one number that is not zero.

    So each cosine of the image is one of the measurement, and H C H^T is diagonal for every C that is.

    Attributes:
        rows, columns: R, (h, H), and K, (w, W).
    """

    rows: Tensor
    columns: Tensor

    def posterior_mean(self, mean: Tensor, variance: Tensor, y: Tensor, noise: float) -> Tensor:
        """E[c | y] for c ~ N(mean, variance) and y = R c K^T + noise, as coefficients (B, C, H, W).

        Args:
            mean, variance: of each coefficient, (B or 1, C, H, W).
            y: cosines of the measurement, (B, C, h, w).
            noise: their variance.
        """
        gain = variance * self._back(
            (y - self._folded(mean)) / (self.rows.square() @ variance @ self.columns.square().mT + noise)
        )
        return mean + gain

    def _folded(self, c: Tensor) -> Tensor:
        return self.rows @ c @ self.columns.mT

    def _back(self, c: Tensor) -> Tensor:
        return self.rows.mT @ c @ self.columns


def folds(operator: LinearOperator, like: Tensor) -> Folds | None:
    """How the operator folds cosines; None where it does not shrink, or does not fold them.

    A mean of blocks does, and so does every symmetric filter whose picture goes on as its mirror image.
    """
    if isinstance(operator, BlockMean):
        matrices = tuple(_block_means(side, operator.factor) for side in operator.image_shape[-2:])
    elif isinstance(operator, Separable):
        matrices = operator.rows, operator.columns
    else:
        return None
    among = [_among_cosines(matrix.double().to(like.device)) for matrix in matrices]
    for matrix in among:
        others = matrix.abs().sum(0) - matrix.abs().amax(0)
        if float(others.max()) > EXACT:
            return None
    return Folds(among[0].to(like), among[1].to(like))


def _block_means(side: int, factor: int) -> Tensor:
    return torch.eye(side // factor, dtype=torch.float64).repeat_interleave(factor, 1) / factor


def _among_cosines(matrix: Tensor) -> Tensor:
    few, many = (dct_matrix(n, matrix.dtype, matrix.device) for n in matrix.shape)
    return few @ matrix @ many.mT
