"""Blur with any kernel: diagonal in the Fourier domain at circular edges."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator, Shape
from inverse.operators.blur import SymmetricBlur
from inverse.operators.kernels import wrapped
from inverse.operators.transforms import hartley

UNBLURRED = 0.95
"""Part of a pixel that is the photo's own, from which its noise counts as that of the photo."""


def blur_operator(kernel: Tensor, image_shape: Shape, edges: str) -> LinearOperator:
    """Convolution with a kernel (k, k), odd k, summing to 1, at edges that are "reflect" or "circular"."""
    reflect = edges == "reflect"
    mirrored = (kernel.flip(0), kernel.flip(1))
    if all(torch.allclose(kernel, other, rtol=0, atol=1e-12) for other in mirrored):
        return SymmetricBlur(kernel, image_shape, reflect=reflect)
    return CircularBlur(kernel, image_shape, taper=reflect)


class CircularBlur(LinearOperator):
    """Circular convolution with any kernel: H = F^-1 diag(h) F with complex h.

    Reflecting edges have no closed form here. A mirror image is blurred by the mirrored kernel; on cosine
    coefficients the part of the kernel that is odd under a flip then gives a sine series, which is dense in cosines.
    So a photo from a real camera, whose edges are not circular, is made to fit this operator instead: near the frame
    it is blended with its own circular blur (`taper`, as MATLAB's edgetaper does). That changes pixels within
    the kernel's reach of the frame only, and the restoration is less sure there. A photo degraded here is circular.

    With h = |h| p, the singular values are |h|, V is the Hartley transform, and U is V followed by convolution with
    the all-pass p.

    Args:
        kernel: (k, k) with odd k, summing to 1.
        taper: blend the frame of a photo that is taken as a measurement.
        cut: singular values below cut * norm count as zero in `pinv`.
    """

    channelwise = True

    def __init__(self, kernel: Tensor, image_shape: Shape, taper: bool, cut: float = 0.03) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        size = image_shape[-2], image_shape[-1]
        spectrum = torch.fft.fft2(wrapped(kernel.to(torch.float64), size))
        magnitude = spectrum.abs()
        self.norm = float(magnitude.max())
        self.cut = cut * self.norm
        # What is only rounding has no phase to rely on.
        vanishing = magnitude < 1e-12 * self.norm
        self.magnitude = magnitude.masked_fill(vanishing, 0)
        half = size[1] // 2 + 1
        self.transfer = spectrum.masked_fill(vanishing, 0)[:, :half]
        self.phase = self.transfer / self.magnitude[:, :half].clamp_min(1e-300)
        self.tapering = _tapering(kernel.to(torch.float64), size) if taper else None

    def _multiply(self, x: Tensor, factor: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) * factor.to(x.dtype.to_complex()), s=x.shape[-2:])

    def __call__(self, x: Tensor) -> Tensor:
        return self._multiply(x, self.transfer)

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        return self._multiply(y, self.phase.conj() * response(self.transfer.abs()))

    def to_spectral(self, x: Tensor) -> Tensor:
        return hartley(x)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return hartley(coefficients)

    @property
    def singular_values(self) -> Tensor:
        return self.magnitude

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return hartley(self._multiply(y, self.phase.conj()))

    def as_pictures(self, y: Tensor) -> Tensor:
        """y without the frame that `_read` blurs, where the noise is blurred too."""
        return y if self.tapering is None else y.masked_fill(self.tapering.to(y.device) < UNBLURRED, float("nan"))

    def _read(self, picture: Tensor) -> Tensor:
        return picture if self.tapering is None else self(picture).lerp(picture, self.tapering.to(picture))


def _tapering(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """How much of the photo is kept, (H, W): 0 on the frame, 1 beyond the kernel's reach of it.

    Along each axis it is 1 minus the autocorrelation of the kernel's projection, at the distance from the frame.
    """
    rows, columns = (_kept(kernel.sum(axis), n) for axis, n in ((1, size[0]), (0, size[1])))
    return rows[:, None] * columns[None, :]


def _kept(profile: Tensor, size: int) -> Tensor:
    length = len(profile)
    power = torch.fft.rfft(profile, n=2 * length).abs() ** 2
    correlation = torch.fft.irfft(power, n=2 * length)[:length]
    position = torch.arange(size)
    distance = torch.minimum(position, size - 1 - position)
    return 1 - (correlation / correlation[0])[distance.clamp_max(length - 1)] * (distance < length)
