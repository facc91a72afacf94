"""Conjugate gradients, for linear operators of which no decomposition is known."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

ITERATIONS = 1000


def conjugate_gradients(
    apply: Callable[[Tensor], Tensor],
    b: Tensor,
    start: Tensor | None = None,
    precondition: Callable[[Tensor], Tensor] = lambda r: r,
    goal: float | None = None,
    iterations: int = ITERATIONS,
    tolerance: float | None = None,
) -> Tensor:
    """x with A x = b, (B, ...), for a symmetric positive semidefinite A (Hestenes and Stiefel 1952).

    Where A is singular and b in its range, it is the solution of least norm, unless a start or a preconditioner leads
    to another. Each sample is solved on its own: one that has converged stays as it is, so that none depends on its
    company. Differentiable.

    Args:
        apply: A, (B, ...) -> (B, ...).
        b: (B, ...).
        start: a guess of x; 0 when None.
        precondition: P, about the inverse of A, symmetric positive definite, (B, ...) -> (B, ...).
        goal: it ends where r^T P r is at most this for r = b - A x; by the tolerance when None.
        iterations: at most so many.
        tolerance: by what part of its beginning the square root of that must have fallen; by the precision of b when
            None.
    """
    x, r = (torch.zeros_like(b), b.clone()) if start is None else (start, b - apply(start))
    z = precondition(r)
    direction, square = z, _dot(r, z)
    part = 10 * torch.finfo(b.dtype).eps if tolerance is None else tolerance
    end: Tensor | float = part**2 * square if goal is None else goal
    for _ in range(iterations):
        going = square > end
        if not going.any():
            break
        image = apply(direction)
        curvature = _dot(direction, image)
        going &= curvature > 0  # what is left lies in the null space
        step = torch.where(going, square / torch.where(going, curvature, 1), 0)
        x = x + step * direction
        r = r - step * image
        z = precondition(r)
        following = _dot(r, z)
        direction = torch.where(going, z + following / torch.where(square > 0, square, 1) * direction, 0)
        square = torch.where(going, following, 0)
    return x


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """The inner product of each sample, (B, 1, ..., 1)."""
    return (a * b).flatten(1).sum(1).view(-1, *[1] * (a.ndim - 1))
