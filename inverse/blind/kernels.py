"""The kernel step: the kernel that leads from the edges of a sharp picture to those of a blurred one."""

from __future__ import annotations

import math

import cv2
import torch
from torch import Tensor

SMOOTHNESS = 0.15
"""Price of the kernel's energy, in units of that of the edges: against kernels of one pixel, which explain noise."""
ITERATIONS = 60
FAINT = 0.02
"""Share of the brightest pixel below which a pixel of a kernel is nothing."""


def fitted(sharp: Tensor, blurred: Tensor, kernel: Tensor) -> Tensor:
    """argmin_k ||k * sharp - blurred||^2 + SMOOTHNESS ||sharp||^2 ||k||^2 over k >= 0 with sum 1, (n, n), float64.

    All that the photo says of it is the autocorrelation of the sharp edges and their correlation with the blurred ones,
    up to the kernel's side; so it is a small convex problem, which accelerated projected gradients solve (Beck and
    Teboulle 2009, FISTA).

    Args:
        sharp, blurred: edges, (2, H, W), periodic.
        kernel: where to start, (n, n), odd n.
    """
    side, size = len(kernel), (sharp.shape[-2], sharp.shape[-1])
    x, y = torch.fft.rfft2(sharp.double()), torch.fft.rfft2(blurred.double())
    alike = torch.fft.irfft2(x.abs().square().sum(0), s=size)
    target = torch.fft.irfft2((x.conj() * y).sum(0), s=size)
    lags, inner = torch.arange(1 - side, side), torch.arange(side) - side // 2
    energy = alike[0, 0].clone()
    if energy <= 0:
        return kernel
    target = target[inner[:, None] % size[0], inner % size[1]] / energy
    padded = cv2.getOptimalDFTSize(3 * side)
    response = torch.zeros(padded, padded, dtype=torch.float64)
    response[lags[:, None] % padded, lags % padded] = alike[lags[:, None] % size[0], lags % size[1]] / energy
    spectrum = torch.fft.rfft2(response)
    step = 1 / (float(spectrum.abs().max()) + SMOOTHNESS)

    def slope(k: Tensor) -> Tensor:
        product = torch.fft.irfft2(torch.fft.rfft2(k, s=(padded, padded)) * spectrum, s=(padded, padded))
        return product[:side, :side] + SMOOTHNESS * k - target

    k = ahead = kernel.double()
    pace = 1.0
    for _ in range(ITERATIONS):
        following = on_simplex(ahead - step * slope(ahead))
        faster = (1 + math.sqrt(1 + 4 * pace**2)) / 2
        ahead = following + (pace - 1) / faster * (following - k)
        k, pace = following, faster
    return k


def on_simplex(values: Tensor) -> Tensor:
    """The nearest point that is non-negative and sums to 1 (Duchi et al. 2008, ICML, figure 1)."""
    falling = values.flatten().sort(descending=True).values
    excess = (falling.cumsum(0) - 1) / torch.arange(1, len(falling) + 1, dtype=values.dtype)
    last = int((falling > excess).sum()) - 1
    return (values - excess[last]).clamp_min(0)


def cleaned(kernel: Tensor) -> Tensor:
    """Without what is faint, and with its centre of mass in the middle, as far as whole pixels go."""
    kernel = kernel * (kernel >= FAINT * kernel.max())
    kernel = kernel / kernel.sum()
    place = torch.arange(len(kernel), dtype=kernel.dtype) - len(kernel) // 2
    down, right = (round(float((kernel.sum(axis) * place).sum())) for axis in (1, 0))
    return kernel.roll((-down, -right), (0, 1))


def resized(kernel: Tensor, side: int) -> Tensor:
    """The same kernel for a picture of another scale, (side, side), summing to 1."""
    larger = torch.from_numpy(cv2.resize(kernel.numpy(), (side, side), interpolation=cv2.INTER_LINEAR))
    return larger / larger.sum()


def similarity(one: Tensor, other: Tensor) -> float:
    """The largest normalised cross-correlation over all shifts, from 0 to 1: a kernel is known up to a shift only."""
    side = 2 * max(*one.shape, *other.shape)
    product = torch.fft.rfft2(one.double(), s=(side, side)).conj() * torch.fft.rfft2(other.double(), s=(side, side))
    return float(torch.fft.irfft2(product, s=(side, side)).max() / (one.norm() * other.norm()))
