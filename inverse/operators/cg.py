"""Conjugate gradients, for linear operators of which no decomposition is known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ITERATIONS = 1000


def conjugate_gradients(apply: Callable[[Tensor], Tensor], b: Tensor) -> Tensor:
    """x with A x = b, (B, ...), for a symmetric positive semidefinite A (Hestenes and Stiefel 1952).

    Each sample is solved on its own, to the precision of b, in `ITERATIONS` at most.

    Where A is singular and b in its range, it is the solution of least norm. A sample that has converged stays as it
    is, so that none depends on its company.
    """
    tolerance = 10 * torch.finfo(b.dtype).eps
    x, r = torch.zeros_like(b), b.clone()
    direction, square = r.clone(), _dot(r, r)
    goal = tolerance**2 * square
    for _ in range(ITERATIONS):
        going = square > goal
        if not going.any():
            break
        image = apply(direction)
        curvature = _dot(direction, image)
        going &= curvature > 0  # what is left lies in the null space
        step = torch.where(going, square / torch.where(going, curvature, 1), 0)
        x = x + step * direction
        r = r - step * image
        following = _dot(r, r)
        direction = torch.where(going, r + following / torch.where(square > 0, square, 1) * direction, 0)
        square = torch.where(going, following, 0)
    return x


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of each sample, (B, 1, ..., 1)."""
    return (a * b).flatten(1).sum(1).view(-1, *[1] * (a.ndim - 1))
