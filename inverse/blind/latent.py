"""The image step: the sharp picture with few edges that a kernel and a blurred picture mean."""

from __future__ import annotations

import math

import cv2
import torch
from torch import Tensor

from inverse.operators.kernels import wrapped

GROWTH, LAST = 4.0, 1e5
"""Factor by which the coupling of edges and picture grows, and where it ends."""
EDGES = 0.15
"""Edge pixels that count, in units of the kernel's side times the root of the number of pixels, in each direction."""


def periodic(picture: Tensor, reach: int) -> Tensor:
    """(h, w) continued below and on the right by `reach` pixels at least, so that it fits its own beginning.

    There its two mirror images fade into each other: a convolution that wraps around meets no edge.
    """
    for _ in range(2):
        picture = picture.T
        length = len(picture)
        more = min(cv2.getOptimalDFTSize(length + reach) - length, length - 1)
        t = torch.linspace(0, 1, more + 2, dtype=picture.dtype)[1:-1, None]
        fading = t * t * (3 - 2 * t)
        after, before = picture[length - 1 - more : length - 1].flip(0), picture[1 : more + 1].flip(0)
        picture = torch.cat([picture, torch.lerp(after, before, fading)])
    return picture


def gradients(picture: Tensor) -> Tensor:
    """Differences to the next pixel along columns and rows, (2, H, W) of (H, W), which is periodic."""
    return torch.stack([picture.roll(-1, 0) - picture, picture.roll(-1, 1) - picture])


def sharpened(picture: Tensor, kernel: Tensor, price: float) -> Tensor:
    """argmin_x ||k * x - y||^2 + price ||grad x||_0, by half-quadratic splitting.

    Xu, Zheng and Jia 2013, Unnatural L0 sparse representation for natural image deblurring, CVPR, eq. 7-11. Given the
    edges, the picture is known in closed form in the Fourier domain; given the picture, an edge stays where its square
    exceeds price / beta.

    Args:
        picture: y, (H, W), periodic, on [0, 1].
        kernel: k, (n, n), odd n.
        price: of a pixel that is an edge.
    """
    size = (picture.shape[0], picture.shape[1])
    transfer = torch.fft.rfft2(wrapped(kernel, size).to(picture))
    impulse = torch.zeros_like(picture)
    impulse[0, 0] = 1
    of_edges = torch.fft.rfft2(gradients(impulse)).abs().square().sum(0)
    of_picture, data = transfer.abs().square(), transfer.conj() * torch.fft.rfft2(picture)
    x, beta = picture, 2 * price
    while beta < LAST:
        edges = gradients(x)
        edges = edges * (edges.square().sum(0) > price / beta)
        wanted = data + beta * torch.fft.rfft2(_divergence(edges))
        x = torch.fft.irfft2(wanted / (of_picture + beta * of_edges), s=size)
        beta *= GROWTH
    return x


def strongest(edges: Tensor, side: int) -> Tensor:
    """Edges (2, H, W) without the weak ones, which tell noise and not the kernel; enough stay in each direction.

    Cho and Lee 2009, Fast motion deblurring, ACM Trans. Graphics 28, section 4: as many for each quarter of the
    directions, in proportion to the kernel's side.
    """
    strength = edges.square().sum(0).sqrt()
    quarter = (torch.atan2(edges[1], edges[0]) % math.pi / (math.pi / 4)).long() % 4
    count, least = math.ceil(EDGES * side * math.sqrt(strength.numel())), math.inf
    for each in range(4):
        found = strength[(quarter == each) & (strength > 0)]
        least = min(least, float(found.topk(count).values[-1]) if len(found) > count else 0.0)
    return edges * (strength >= least)


def _divergence(edges: Tensor) -> Tensor:
    """The adjoint of `gradients`."""
    return edges[0].roll(1, 0) - edges[0] + edges[1].roll(1, 1) - edges[1]
