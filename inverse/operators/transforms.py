"""Real orthogonal transforms of images, each with its fast algorithm: Hartley, cosine, block cosine.

All act on the last two dimensions of (..., H, W), keep the shape, and preserve the sum of squares.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def hartley(x: Tensor) -> Tensor:
    """The discrete Hartley transform Re F - Im F of the unitary Fourier transform F (Bracewell 1983), for real x.

    It is its own inverse, and diagonalises circular convolution with a kernel that is symmetric about its centre.
    """
    spectrum = torch.fft.fft2(x, norm="ortho")
    return spectrum.real - spectrum.imag


def dct(x: Tensor) -> Tensor:
    """The orthonormal cosine transform (DCT-II) along both axes."""
    return _dct(_dct(x).mT).mT


def idct(coefficients: Tensor) -> Tensor:
    """The inverse of `dct`."""
    return _idct(_idct(coefficients).mT).mT


def block_dct(x: Tensor, size: int) -> Tensor:
    """`dct` of every size x size block, left in the block's place; H and W are multiples of size."""
    return _in_blocks(x, dct_matrix(size, x))


def block_idct(coefficients: Tensor, size: int) -> Tensor:
    """The inverse of `block_dct`."""
    return _in_blocks(coefficients, dct_matrix(size, coefficients).mT)


def dct_matrix(size: int, like: Tensor) -> Tensor:
    """The orthonormal cosine transform of `size` numbers as a matrix (size, size), its rows the basis."""
    index = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / size * index[:, None] * (index + 0.5)) * math.sqrt(2 / size)
    matrix[0] = 1 / math.sqrt(size)
    return matrix.to(like)


def _in_blocks(x: Tensor, matrix: Tensor) -> Tensor:
    size = len(matrix)
    *batch, height, width = x.shape
    blocks = x.reshape(*batch, height // size, size, width // size, size)
    return torch.einsum("...aibj,ki,lj->...akbl", blocks, matrix, matrix).reshape(x.shape)


def _twiddle(size: int, like: Tensor) -> Tensor:
    """exp(-i pi k / 2n) and the scale that makes the transform orthonormal."""
    # Angles need more than float32: with 2048 points the last is known to 1e-4 of a step only.
    angle = torch.arange(size, dtype=torch.float64) * (-math.pi / (2 * size))
    scale = torch.full((size,), math.sqrt(2 / size), dtype=torch.float64)
    scale[0] = math.sqrt(1 / size)
    return torch.polar(scale, angle).to(like.device, like.dtype.to_complex())


def _dct(x: Tensor) -> Tensor:
    """DCT-II along the last axis by one FFT of the same length (Makhoul 1980): even entries, then odd ones reversed."""
    shuffled = torch.cat([x[..., ::2], x[..., 1::2].flip(-1)], dim=-1)
    return (torch.fft.fft(shuffled) * _twiddle(x.shape[-1], x)).real


def _idct(coefficients: Tensor) -> Tensor:
    size = coefficients.shape[-1]
    # V_k = exp(i pi k / 2n) (X_k - i X_{n-k}) with X_n = 0, on coefficients freed from their orthonormal scale.
    twiddle = _twiddle(size, coefficients)
    plain = coefficients / twiddle.abs()
    backward = torch.cat([torch.zeros_like(plain[..., :1]), plain[..., 1:].flip(-1)], dim=-1)
    shuffled = torch.fft.ifft(torch.complex(plain, -backward) * (twiddle / twiddle.abs()).conj()).real
    half = (size + 1) // 2
    x = torch.empty_like(shuffled)
    x[..., ::2] = shuffled[..., :half]
    x[..., 1::2] = shuffled[..., half:].flip(-1)
    return x
