"""Blur with a symmetric kernel: diagonal in the Fourier domain, or in the cosine domain at reflecting edges."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator, Shape
from inverse.operators.kernels import wrapped
from inverse.operators.task import TASKS, Task
from inverse.operators.transforms import dct, hartley, idct
from inverse.parameters import choice, real


class SymmetricBlur(LinearOperator):
    """Convolution with a kernel that is symmetric under both flips, so that its transfer function h is real.

    With circular edges H = F^-1 diag(h) F. With reflecting edges the image is continued by its mirror image,
    where convolution is circular again and H = C^T diag(h) C for the orthogonal cosine transform C (Ng, Chan and
    Tang, SIAM J. Sci. Comput. 1999). Either way H is symmetric, so that its adjoint is itself.

    Args:
        kernel: (k, k) with odd k, symmetric under both flips, summing to 1.
        reflect: continue the image by its mirror image, as for a real photo, not by itself.
        cut: singular values below cut * norm count as zero in `pinv`.
    """

    channelwise = True

    def __init__(self, kernel: Tensor, image_shape: Shape, reflect: bool, cut: float = 0.03) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.reflect = self.spectral = reflect
        height, width = image_shape[-2:]
        domain = (2 * height, 2 * width) if reflect else (height, width)
        # Frequency k of the cosine transform of n pixels is frequency k of the Fourier transform of their 2n mirrored
        # ones; without mirrors, frequency -k equals k.
        transfer = torch.fft.rfft2(wrapped(kernel.to(torch.float64), domain)).real
        self.transfer = transfer[:height, :width].clone()
        column = torch.arange(width)
        self.eigenvalues = self.transfer[:, column if reflect else torch.minimum(column, width - column)]
        self.norm = float(self.transfer.abs().max())
        self.cut = cut * self.norm

    def _multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        factor = factor.to(x.dtype)
        if self.reflect:
            return idct(dct(x) * factor)
        return torch.fft.irfft2(torch.fft.rfft2(x) * factor, s=x.shape[-2:])

    def __call__(self, x: Tensor) -> Tensor:
        return self._multiply(x, self.transfer)

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        return self._multiply(y, self.transfer.sign() * response(self.transfer.abs()))

    def to_spectral(self, x: Tensor) -> Tensor:
        return dct(x) if self.reflect else hartley(x)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return idct(coefficients) if self.reflect else hartley(coefficients)

    @property
    def singular_values(self) -> Tensor:
        return self.eigenvalues.abs()

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.to_spectral(y) * self.eigenvalues.sign().to(y.dtype)


def gaussian_kernel(std: float) -> Tensor:
    """A Gaussian sampled at whole pixels out to 4 standard deviations, (k, k), summing to 1."""
    radius = max(1, math.ceil(4 * std))
    profile = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / std) ** 2)
    kernel = profile[:, None] * profile[None, :]
    return kernel / kernel.sum()


def edges_field(slanted: bool = False) -> Any:
    """What lies beyond the frame; `slanted` for kernels that need not be symmetric, which mirrors cannot do exactly."""
    return choice(
        "reflect", "reflect", "circular", advanced=True,
        help="How the image goes on beyond its frame: as its mirror image, as real photos nearly do, "
        "or as itself, which is what papers compute."
        + (" A slanted blur is circular either way; reflect then blends the frame of a real photo to fit." * slanted),
        effect="The wrong one leaves stripes along the frame.",
    )  # fmt: skip


@TASKS.register
@dataclass(frozen=True)
class DeblurGaussian(Task):
    name = "deblur-gaussian"
    title = "Deblurring: Gaussian"
    group = "Blur"
    summary = "The image was blurred by a Gaussian."
    lengths = ("std",)

    std: float = real(
        2.0, 0.3, 20.0, unit="pixels", help="Standard deviation of the blur.",
        effect="Too small leaves the image soft; too large leaves rings around edges.",
    )  # fmt: skip
    edges: str = edges_field()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> SymmetricBlur:
        return SymmetricBlur(gaussian_kernel(self.std), image_shape, reflect=self.edges == "reflect")
