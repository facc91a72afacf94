"""Blur, then fewer pixels: decimation folds the spectrum, so that H H^T is diagonal among the few pixels' frequencies.

What makes one pixel of several is a filter that is symmetric about its middle, w, and then every s-th value is taken.
Of an image of N = s M pixels along an axis, frequency k becomes frequency k' of M pixels, and with it all others that
look alike there (aliases). So with the transfer function h of the blur and t of w,

    (H H^T)(k') = sum over aliases k of |g(k)|^2,    g = h t / sqrt(s) for each axis,

as in Zhao et al. 2016, Fast single image super-resolution, IEEE TIP 25, equation 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from inverse.operators.base import LinearOperator
from inverse.operators.bicubic import Bicubic
from inverse.operators.blur import SymmetricBlur
from inverse.operators.convolution import UNBLURRED, CircularBlur
from inverse.operators.super_resolution import BlockMean
from inverse.operators.transforms import dct, idct

Decimation = BlockMean | Bicubic


def folded(blur: LinearOperator, decimation: LinearOperator) -> LinearOperator | None:
    """Decimation after a blur in closed form; None where the two are of other kinds, or differ at the edges."""
    if not isinstance(blur, SymmetricBlur | CircularBlur) or not isinstance(decimation, BlockMean | Bicubic):
        return None
    mirrored = blur if isinstance(blur, SymmetricBlur) and blur.reflect else None
    if isinstance(decimation, Bicubic) and decimation.reflect != (mirrored is not None):
        return None
    return FourierFolding(blur, decimation) if mirrored is None else CosineFolding(mirrored, decimation)


class Folding(LinearOperator):
    """What both transforms share: frequencies (H, W) are weighed by `weights` and summed over aliases, to (h, w).

    Singular values below cut * norm count as zero in `pinv`.
    """

    channelwise = True

    def __init__(self, weights: Tensor, targets: tuple[Tensor, Tensor], decimation: Decimation, cut: float) -> None:
        self.image_shape, self.measurement_shape = decimation.image_shape, decimation.measurement_shape
        self.weights, (self.rows, self.columns) = weights, targets
        self.values = self._folded(weights.abs().square()).sqrt()
        self.norm = float(self.values.max())
        self.values = self.values.masked_fill(self.values < 1e-12 * self.norm, 0)
        self.cut = cut * self.norm

    def _folded(self, spectrum: Tensor) -> Tensor:
        """The sum over aliases, (..., H, W) -> (..., h, w)."""
        height, width = self.measurement_shape[-2:]
        rows = spectrum.new_zeros(*spectrum.shape[:-2], height, spectrum.shape[-1]).index_add(-2, self.rows, spectrum)
        return rows.new_zeros(*rows.shape[:-1], width).index_add(-1, self.columns, rows)

    def _unfolded(self, spectrum: Tensor) -> Tensor:
        """What every alias has of it, (..., h, w) -> (..., H, W)."""
        return spectrum.index_select(-2, self.rows).index_select(-1, self.columns)

    def _shared(self, response: Callable[[Tensor], Tensor]) -> Tensor:
        """f(s) / s, (h, w), 0 where s is 0."""
        some = self.values > 0
        return torch.where(some, response(self.values) / torch.where(some, self.values, 1), 0)


class CosineFolding(Folding):
    """At reflecting edges, in the cosine domain, where aliases differ by their sign at most.

    V is the cosine transform, then among the aliases of every k' the reflection that turns the first of them into
    -+ g / |g| (Householder's), so that one coefficient is measured and the others are not.
    """

    def __init__(self, blur: SymmetricBlur, decimation: Decimation) -> None:
        sides = decimation.image_shape[-2:]
        (row_signs, rows), (column_signs, columns) = (_cosines(side, decimation.factor) for side in sides)
        transfers = [_transfer(decimation, side, 2 * side) for side in sides]
        along = transfers[0] * row_signs, transfers[1] * column_signs
        weights = blur.eigenvalues * along[0][:, None] * along[1][None, :]
        super().__init__(weights, (rows, columns), decimation, cut=blur.cut / blur.norm)
        height, width = self.measurement_shape[-2:]
        direction = torch.where(
            self._unfolded(self.values) > 0, weights / self._unfolded(self.values).clamp_min(1e-300), 0
        )
        first = direction[:height, :width]
        self.sign = torch.where(first < 0, -1.0, 1.0).to(first)
        direction[:height, :width] += torch.where(self.values > 0, self.sign, 0)
        self.mirror = direction
        self.length = self._folded(direction.square()).clamp_min(1e-300)

    def __call__(self, x: Tensor) -> Tensor:
        return idct(self._folded(self.weights.to(x.dtype) * dct(x)))

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        shared = self._shared(response).to(y.dtype) * dct(y)
        return idct(self.weights.to(y.dtype) * self._unfolded(shared))

    def _reflected(self, coefficients: Tensor) -> Tensor:
        mirror, length = self.mirror.to(coefficients.dtype), self.length.to(coefficients.dtype)
        length = length.clamp_min(1)  # where anything is reflected it is 2 at least
        return coefficients - mirror * self._unfolded(2 * self._folded(mirror * coefficients) / length)

    def to_spectral(self, x: Tensor) -> Tensor:
        return self._reflected(dct(x))

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return idct(self._reflected(coefficients))

    @property
    def singular_values(self) -> Tensor:
        return self._padded(self.values)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self._padded(torch.where(self.values > 0, -self.sign.to(y.dtype) * dct(y), 0))

    def _padded(self, values: Tensor) -> Tensor:
        height, width = self.image_shape[-2:]
        return torch.nn.functional.pad(values, (0, width - values.shape[-1], 0, height - values.shape[-2]))


class FourierFolding(Folding):
    """At circular edges, in the Fourier domain. Its decomposition in real numbers is not written down here."""

    def __init__(self, blur: SymmetricBlur | CircularBlur, decimation: Decimation) -> None:
        sides, factor = decimation.image_shape[-2:], decimation.factor
        shape = decimation.image_shape[-2:]
        transfer = torch.fft.fft2(blur(_impulse(shape))[0, 0])
        rows, columns = (torch.fft.fftfreq(side, 1 / side, dtype=torch.float64) for side in sides)
        along = [
            _transfer(decimation, side, side, frequency) * torch.exp(1j * math.pi * (factor - 1) / side * frequency)
            for side, frequency in zip(sides, (rows, columns), strict=True)
        ]
        weights = transfer * along[0][:, None] * along[1][None, :]
        targets = tuple((each.long() % (side // factor)) for each, side in zip((rows, columns), sides, strict=True))
        super().__init__(weights, (targets[0], targets[1]), decimation, cut=blur.cut / blur.norm)
        kept = getattr(blur, "tapering", None)
        self.tapering = None if kept is None else torch.nn.functional.avg_pool2d(kept[None, None], factor)[0, 0]
        baseband = [torch.fft.fftfreq(side // factor, factor / side).long() % side for side in sides]
        self.baseband = transfer[baseband[0]][:, baseband[1]]

    def __call__(self, x: Tensor) -> Tensor:
        return _inverse(self._folded(self._weights(x) * torch.fft.fft2(x, norm="ortho")))

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        shared = self._shared(response).to(y.dtype) * torch.fft.fft2(y, norm="ortho")
        return _inverse(self._weights(y).conj() * self._unfolded(shared))

    def _weights(self, x: Tensor) -> Tensor:
        return self.weights.to(x.dtype.to_complex())

    def as_pictures(self, y: Tensor) -> Tensor:
        """As `CircularBlur.as_pictures`."""
        return y if self.tapering is None else y.masked_fill(self.tapering.to(y.device) < UNBLURRED, float("nan"))

    def _read(self, picture: Tensor) -> Tensor:
        """The photo, its frame blended with its own circular blur, as `CircularBlur` does."""
        if self.tapering is None:
            return picture
        blurred = _inverse(self.baseband.to(picture.dtype.to_complex()) * torch.fft.fft2(picture, norm="ortho"))
        return blurred.lerp(picture, self.tapering.to(picture))


def _inverse(spectrum: Tensor) -> Tensor:
    return torch.fft.ifft2(spectrum, norm="ortho").real


def _impulse(size: tuple[int, ...]) -> Tensor:
    picture = torch.zeros(1, 1, *size, dtype=torch.float64)
    picture[..., 0, 0] = 1
    return picture


def _transfer(decimation: Decimation, side: int, period: int, frequency: Tensor | None = None) -> Tensor:
    """sum_d w(d) cos(2 pi k d / period) / sqrt(s) for frequencies k, all of an axis when None, (N,)."""
    places, weights = decimation.taps
    k = torch.arange(side, dtype=torch.float64) if frequency is None else frequency
    return (torch.cos(2 * math.pi / period * k[:, None] * places) @ weights) / math.sqrt(decimation.factor)


def _cosines(side: int, factor: int) -> tuple[Tensor, Tensor]:
    """By what each of `side` cosines is multiplied when it is seen at every s-th middle only, and as which it is seen.

    For M = side / s, frequency 2 M m +- k' is (-1)^m times frequency k'; an odd multiple of M vanishes. The constant
    one is shorter than the others by sqrt(2) where all are orthonormal.
    """
    few = side // factor
    k = torch.arange(side)
    turns = (k + few) // (2 * few)
    target = (k - 2 * few * turns).abs()
    signs = torch.where(turns % 2 == 0, 1.0, -1.0).double()
    signs = torch.where(target == few, 0.0, signs)
    signs = torch.where((target == 0) & (k > 0), signs * math.sqrt(2), signs)
    return signs, target.clamp_max(few - 1)
