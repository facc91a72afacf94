"""Operators that measure some entries of the image as they are."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator


class Selection(LinearOperator):
    """H with orthonormal rows, each of which picks one entry: singular values 0 and 1, V = I.

    A subclass says which entries, by `__call__`, `measurement_to_spectral` (each measured entry in its place, 0
    elsewhere) and `singular_values`.
    """

    norm = 1.0
    pixelwise = True

    def to_spectral(self, x: Tensor) -> Tensor:
        return x

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return coefficients

    def keep(self, x: Tensor, y: Tensor) -> Tensor:
        """Images x (B, C, H, W) with what y, (1 or B, *measurement_shape), measures taken over from it exactly."""
        dtype = torch.promote_types(x.dtype, torch.float32)  # bfloat16 has not room for 256 levels
        known = self.singular_values.to(x.device) > 0
        return torch.where(known, self.measurement_to_spectral(y).to(x.device, dtype), x.to(dtype))
