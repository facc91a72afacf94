"""Classical restoration, without a learned prior: filling, demosaicing, enlarging, Wiener, total variation, Fienup.

OpenCV, SciPy and scikit-image do the work; here is what fits them to our tensors. An image is (1, C, H, W) on [-1, 1],
the red plane first, and so is what a method returns, within that range.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import torch
from scipy.interpolate import griddata
from skimage.restoration import denoise_tv_chambolle
from torch import Tensor

from inverse.operators import LinearOperator, Operator
from inverse.operators.blur import SymmetricBlur
from inverse.operators.demosaicing import Mosaic
from inverse.operators.inpainting import Mask
from inverse.operators.phase_retrieval import FourierMagnitude
from inverse.randomness import SOLVER, generator

Pixels = np.ndarray
"""A picture (H, W, C) of float64 on [0, 1]."""

NOISELESS = 1e-3
"""Least noise, on [-1, 1], that a trade-off reckons with: without any it would divide by 0."""
RADIUS = 3.0
"""Pixels around a hole that cv2.inpaint looks at."""
SIGNAL = 0.25
"""Variance of a photograph's pixels on [-1, 1], as `wiener` takes it."""
DENOISING, SOLVING = 0.5, 0.15
"""Weight of total variation in units of the noise, for denoising and for solving: what photographs want on average."""
SPLITTINGS = 100
"""Iterations of `total_variation`, after which more change nothing that PSNR sees."""
STRIDE = 0.1
"""Weight of total variation in each of them, on [-1, 1]: less would take as many times longer to fill a hole."""
ROUNDS, STARTS, RELAXATION = 1000, 4, 0.9
"""Iterations, random starts and beta of `hybrid_input_output`."""


# Noise


def bm3d(x: Tensor, sigma: float) -> Tensor:
    """x without its noise of standard deviation sigma (Dabov et al., IEEE Trans. Image Processing 2007).

    By its authors' package `bm3d`, which must be installed; its licence allows no commercial use.
    """
    import bm3d as package

    if sigma <= 0:
        return x
    if x.shape[1] != 3:  # only three channels are known to be alike
        planes = [package.bm3d(plane[..., None], sigma / 2) for plane in np.moveaxis(_pixels(x), -1, 0)]
        return _tensor(np.stack([plane.reshape(x.shape[-2:]) for plane in planes], -1), x)
    return _tensor(package.bm3d_rgb(_pixels(x), sigma / 2), x)


def chambolle(x: Tensor, sigma: float) -> Tensor:
    """x without its noise of standard deviation sigma, by least total variation (Chambolle 2004)."""
    return x if sigma <= 0 else _tensor(_less_variation(_pixels(x), DENOISING * sigma / 2), x)


def _less_variation(pixels: Pixels, weight: float) -> Pixels:
    return denoise_tv_chambolle(pixels, weight=weight, channel_axis=-1)


# Missing pixels


def telea(operator: Mask, y: Tensor) -> Tensor:
    """Fast marching into the holes (Telea 2004)."""
    return _filled(operator, y, lambda pixels, known: _inpainted(pixels, known, cv2.INPAINT_TELEA))


def navier_stokes(operator: Mask, y: Tensor) -> Tensor:
    """Lines of equal brightness continued as in a fluid (Bertalmio, Bertozzi and Sapiro 2001)."""
    return _filled(operator, y, lambda pixels, known: _inpainted(pixels, known, cv2.INPAINT_NS))


def interpolated(operator: Mask, y: Tensor) -> Tensor:
    """Linear over the triangles between known pixels, and the nearest one beyond them."""
    return _filled(operator, y, _triangulated)


def _filled(operator: Mask, y: Tensor, fill: Callable[[Pixels, np.ndarray], Pixels]) -> Tensor:
    known = operator.mask[0, 0].bool().cpu().numpy()
    return y.clamp(-1, 1) if known.all() else _tensor(fill(_pixels(y), known), y)


def _inpainted(pixels: Pixels, known: np.ndarray, method: int) -> Pixels:
    holes = (~known).astype(np.uint8)
    # OpenCV takes more than 8 bits in single planes only.
    planes = [cv2.inpaint(_in_16_bits(pixels[..., i]), holes, RADIUS, method) for i in range(pixels.shape[-1])]
    return np.where(known[..., None], pixels, np.stack(planes, -1) / 65535)


def _triangulated(pixels: Pixels, known: np.ndarray) -> Pixels:
    places, missing, filled = np.argwhere(known), np.argwhere(~known), pixels.copy()
    values = griddata(places, pixels[known], missing, method="nearest")
    if np.linalg.matrix_rank(places - places[0]) == 2:  # otherwise they make no triangle
        linear = griddata(places, pixels[known], missing, method="linear")
        values = np.where(np.isnan(linear), values, linear)
    filled[~known] = values
    return filled


def demosaiced(operator: Mosaic, y: Tensor) -> Tensor:
    """The missing colours interpolated along edges, by cv2.demosaicing."""
    pattern = "".join("RGB"[channel] for channel in operator.picked[:, :2, :2].argmax(0).flatten().tolist())
    code = getattr(cv2, f"COLOR_Bayer{pattern}2RGB_EA")
    return _tensor(cv2.demosaicing(_in_16_bits(_pixels(y)[..., 0]), code) / 65535, y)


def enlarged(operator: Operator, small: Tensor) -> Tensor:
    """A picture of the measurement's size at the image's, by bicubic interpolation."""
    height, width = operator.image_shape[-2:]
    large = cv2.resize(_pixels(small), (width, height), interpolation=cv2.INTER_CUBIC)
    return _tensor(large.reshape(height, width, -1), small)


# Any linear operator


def wiener(operator: LinearOperator, y: Tensor, sigma_y: float) -> Tensor:
    """Wiener's filter for blurred photographs y, (1, C, H, W), whose power falls with the square of frequency."""
    mean = y.mean((-2, -1), keepdim=True)
    frequency = _frequencies(operator).to(y)
    power = 1 / frequency.clamp_min(frequency[frequency > 0].min()) ** 2
    power = SIGNAL * power / power.mean()
    values = operator.singular_values.to(y)
    gain = values * power / (values**2 * power + max(sigma_y, NOISELESS) ** 2)
    return (operator.from_spectral(gain * operator.measurement_to_spectral(y - mean)) + mean).clamp(-1, 1)


def _frequencies(operator: LinearOperator) -> Tensor:
    """Of the coefficients of a blur, (H, W), in periods a pixel: of cosines where it reflects, elsewhere of waves."""
    sizes = operator.image_shape[-2:]
    if isinstance(operator, SymmetricBlur) and operator.reflect:
        rows, columns = (torch.arange(n, dtype=torch.float64) / (2 * n) for n in sizes)
    else:
        rows, columns = (torch.fft.fftfreq(n, dtype=torch.float64) for n in sizes)
    return torch.hypot(rows[:, None], columns[None, :])


def total_variation(operator: LinearOperator, y: Tensor, sigma_y: float) -> Tensor:
    """The image of least ||H x - y||^2 / 2 + w TV(x), y (1, *measurement_shape), with w in proportion to sigma_y.

    By splitting (ADMM, Boyd et al. 2011): scikit-image takes the step of total variation, the operator's own closed
    form that of the measurement. Holes begin interpolated.
    """
    weight = SOLVING * max(sigma_y, NOISELESS)
    penalty = weight / STRIDE
    measured = operator.adjoint(y)
    split = interpolated(operator, y) if isinstance(operator, Mask) else operator.pinv(y)
    dual = torch.zeros_like(split)
    for _ in range(SPLITTINGS):
        x = operator.solve(measured + penalty * (split - dual), 1.0, penalty)
        smooth = _less_variation(_pixels(x + dual, clip=False), STRIDE / 2)
        split = _tensor(smooth, x, clip=False)
        dual = dual + x - split
    return x.clamp(-1, 1)


# Phases


def hybrid_input_output(operator: FourierMagnitude, y: Tensor) -> Tensor:
    """The image within its frame whose Fourier magnitudes are nearest to y (Fienup, Applied Optics 1982).

    The first channel begins at random phases, several times, of which the one that explains y best counts; the others
    begin where it ended. Ends with as many steps of error reduction, which smooth what the measurement's noise left.
    """
    random = generator(0, SOLVER)
    inside = torch.zeros(operator.measurement_shape[-2:], dtype=torch.bool)
    inside[: operator.image_shape[-2], : operator.image_shape[-1]] = True
    starts = [2 * torch.rand(inside.shape, generator=random) * inside for _ in range(STARTS)]
    first, *others = y[0]
    ends = [_retrieved(first, start.to(y), inside) for start in starts]
    best = min(ends, key=lambda x: float((torch.fft.fft2(x, norm="ortho").abs() - first).square().sum()))
    planes = torch.stack([best, *(_retrieved(plane, best, inside) for plane in others)])
    return (planes[:, inside].reshape(1, *operator.image_shape) - 1).clamp(-1, 1)


def _retrieved(magnitude: Tensor, x: Tensor, inside: Tensor) -> Tensor:
    """Light (h, w) on [0, 2], 0 outside the frame, near the magnitudes."""
    for index in range(ROUNDS):
        spectrum = torch.fft.fft2(x, norm="ortho")
        fitted = torch.fft.ifft2(magnitude * torch.exp(1j * spectrum.angle()), norm="ortho").real
        allowed = inside & (fitted >= 0) & (fitted <= 2)
        outside = x - RELAXATION * fitted if index < ROUNDS // 2 else fitted.clamp(0, 2) * inside
        x = torch.where(allowed, fitted, outside)
    return x


# Between tensors and pictures


def _pixels(x: Tensor, clip: bool = True) -> Pixels:
    pixels = x[0].permute(1, 2, 0).double().cpu().numpy() / 2 + 0.5
    return pixels.clip(0, 1) if clip else pixels


def _tensor(pixels: Pixels, like: Tensor, clip: bool = True) -> Tensor:
    x = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].to(like) * 2 - 1
    return x.clamp(-1, 1) if clip else x


def _in_16_bits(plane: np.ndarray) -> np.ndarray:
    return (plane * 65535).round().astype(np.uint16)
