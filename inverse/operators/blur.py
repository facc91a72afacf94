"""Blur with a symmetric kernel: diagonal in the Fourier domain, or in the cosine domain at reflecting edges."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator, Shape
from inverse.operators.task import TASKS, Task
from inverse.parameters import choice, real


class SymmetricBlur(LinearOperator):
    """Convolution with a kernel that is symmetric under both flips, so that its transfer function h is real.

    With circular edges H = F^-1 diag(h) F. With reflecting edges the image is continued by its mirror image,
    where convolution is circular again and H = C^T diag(h) C for the orthogonal cosine transform C (Ng, Chan and
    Tang, SIAM J. Sci. Comput. 1999): every function f(H) is "mirror, multiply by f(h), crop". Either way H is
    symmetric, so that its adjoint is itself.

    Args:
        kernel: (k, k) with odd k, symmetric under both flips, summing to 1.
        image_shape: (C, H, W).
        reflect: continue the image by its mirror image, as for a real photo, not by itself.
        cut: singular values below cut * norm count as zero in `pinv`.
    """

    def __init__(self, kernel: Tensor, image_shape: Shape, reflect: bool, cut: float = 0.03) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.reflect = reflect
        height, width = image_shape[-2:]
        domain = (2 * height, 2 * width) if reflect else (height, width)
        # A kernel larger than the domain wraps around, as circular convolution says.
        rows = torch.arange(kernel.shape[0]) - kernel.shape[0] // 2
        columns = torch.arange(kernel.shape[1]) - kernel.shape[1] // 2
        index = (rows % domain[0])[:, None] * domain[1] + (columns % domain[1])
        impulse = torch.zeros(domain[0] * domain[1], dtype=torch.float64)
        impulse.index_add_(0, index.flatten(), kernel.to(torch.float64).flatten())
        self.transfer = torch.fft.rfft2(impulse.view(domain)).real
        self.norm = float(self.transfer.abs().max())
        self.cut = cut * self.norm

    def _multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        if self.reflect:
            x = torch.cat([x, x.flip(-1)], dim=-1)
            x = torch.cat([x, x.flip(-2)], dim=-2)
        product = torch.fft.irfft2(torch.fft.rfft2(x) * factor, s=x.shape[-2:])
        return product[..., :height, :width]

    def __call__(self, x: Tensor) -> Tensor:
        return self._multiply(x, self.transfer)

    def adjoint(self, y: Tensor) -> Tensor:
        return self._multiply(y, self.transfer)

    def pinv(self, y: Tensor) -> Tensor:
        kept = self.transfer.abs() >= self.cut
        return self._multiply(y, torch.where(kept, 1 / torch.where(kept, self.transfer, 1), 0))

    def gain(self, r: Tensor, c: float) -> Tensor:
        return self._multiply(r, self.transfer / (self.transfer**2 + c))


def gaussian_kernel(std: float) -> Tensor:
    """A Gaussian sampled at whole pixels out to 4 standard deviations, (k, k), summing to 1."""
    radius = max(1, math.ceil(4 * std))
    profile = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / std) ** 2)
    kernel = profile[:, None] * profile[None, :]
    return kernel / kernel.sum()


@TASKS.register
@dataclass(frozen=True)
class DeblurGaussian(Task):
    name = "deblur-gaussian"
    title = "Deblurring: Gaussian"
    summary = "The image was blurred by a Gaussian."

    std: float = real(
        2.0, 0.3, 20.0, unit="pixels", help="Standard deviation of the blur.",
        effect="Too small leaves the image soft; too large leaves rings around edges.",
    )  # fmt: skip
    edges: str = choice(
        "reflect", "reflect", "circular", advanced=True,
        help="How the image goes on beyond its frame: as its mirror image, as real photos nearly do, "
        "or as itself, which is what papers compute.",
        effect="The wrong one leaves stripes along the frame.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> SymmetricBlur:
        return SymmetricBlur(gaussian_kernel(self.std), image_shape, reflect=self.edges == "reflect")
