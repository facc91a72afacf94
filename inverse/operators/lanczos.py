"""The norm of a linear operator of which no decomposition is known."""

from __future__ import annotations

import torch

from inverse.operators.base import LinearOperator

LANCZOS, CLOSE = 100, 1e-6
"""Iterations for a norm, at most, and the relative change of its square after which it is known."""


def largest_singular_value(operator: LinearOperator, like: torch.Tensor) -> float:
    """The spectral norm, by Lanczos' iteration on H^T H (Golub and Van Loan, Matrix Computations, section 10.1).

    It is computed where `like` lies; in double precision on a CPU, in that of `like` elsewhere.
    """
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(1, *operator.image_shape, generator=generator, dtype=torch.float64)
    v = v.to(like.device, torch.float64 if like.device.type == "cpu" else like.dtype)
    v, before = v / v.norm(), torch.zeros_like(v)
    diagonal, beside, value = [], [], 0.0
    for _ in range(LANCZOS):
        w = operator.adjoint(operator(v)) - (beside[-1] * before if beside else 0)
        diagonal.append(float((w * v).sum()))
        w = w - diagonal[-1] * v
        last, value = value, _largest(diagonal, beside)
        beside.append(float(w.norm()))
        if value - last <= CLOSE * value or beside[-1] <= 1e-12 * value:
            break
        before, v = v, w / beside[-1]
    return max(value, 0.0) ** 0.5


def _largest(diagonal: list[float], beside: list[float]) -> float:
    matrix = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    if beside:
        off = torch.tensor(beside[: len(diagonal) - 1], dtype=torch.float64)
        matrix = matrix + torch.diag(off, 1) + torch.diag(off, -1)
    return float(torch.linalg.eigvalsh(matrix)[-1])
