"""Operators that measure some entries of the image as they are."""

from __future__ import annotations

from torch import Tensor

from inverse.operators.base import LinearOperator


class Selection(LinearOperator):
    """H with orthonormal rows, each of which picks one entry: singular values 0 and 1, V = I.

    A subclass says which entries, by `__call__`, `adjoint` and `singular_values`; the rest follows.
    """

    norm = 1.0

    def pinv(self, y: Tensor) -> Tensor:
        return self.adjoint(y)

    def gain(self, r: Tensor, c: float) -> Tensor:
        return self.adjoint(r) / (1 + c)

    def to_spectral(self, x: Tensor) -> Tensor:
        return x

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return coefficients

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.adjoint(y)
