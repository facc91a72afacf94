"""Ripples along edges, and the width of a blur: what tells that another blur was undone than the photo has."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.fft import dctn

REACH = 5
"""Widths of the blur to both sides of an edge that are looked at."""
PARTS = 2
"""Points a width."""
FEW = 12
"""Edges below which nothing is said."""
STRONG = 0.8
"""Quantile of the gradient above which a pixel may be an edge."""
STEP = 4.0
"""Grey levels that an edge rises at least."""
MOST = 3000
"""Edges that tell as much as all others would."""
BINS = 24
"""Of frequency, by equal factors."""
WIDTHS = np.geomspace(0.2, 20.0, 60)
SLOPES = np.arange(1.6, 3.3, 0.2)
USUAL_SLOPE, SLOPE_SPREAD = 2.3, 3.0
"""Natural pictures have power f^-b with b about 2.3 (Burton and Moorhead 1987), and how lightly that is insisted on."""
UNNATURAL = 0.22
"""Mean squared difference of logarithms, with what the slope adds: 0.04 to 0.18 for photos, 0.27 to 0.85 for stars."""
OUTLIER = 1.0
"""Squared difference of logarithms above which a bin counts no more."""


def ripples(luma: np.ndarray, measured: np.ndarray, width: float) -> float | None:
    """How many times the swing beyond edges is that of the measured photo; None where there are too few edges.

    Where a blur was undone that is wider than the real one, frequencies between the two are raised, and every edge gets
    ripples about as wide as the blur that was assumed. They repeat from edge to edge and texture does not: so the
    profiles across many edges of the photo, each scaled to its step, are averaged, and what the mean then falls again,
    beyond the edge, is added up. Of the same photo before, the same sum is what thin lines and the choice of strong
    edges make of it.

    Args:
        luma: the restoration, (H, W) on [0, 255].
        measured: the photo, of the same size.
        width: standard deviation in pixels of the blur that was assumed.
    """
    base = cv2.GaussianBlur(measured, (0, 0), max(1.0, 0.7 * width))
    x, y = (cv2.Sobel(base, cv2.CV_32F, *order, ksize=3) / 8 for order in ((1, 0), (0, 1)))
    gradient = np.hypot(x, y)
    apart, margin = 2 * (int(2 * width) + 1) + 1, int(REACH * width) + 2
    peak = gradient >= cv2.dilate(gradient, np.ones((apart, apart), np.uint8)) - 1e-6
    peak &= gradient > np.quantile(gradient[:: 1 + gradient.shape[0] // 256], STRONG)
    peak[:margin], peak[-margin:], peak[:, :margin], peak[:, -margin:] = False, False, False, False
    rows, columns = np.nonzero(peak)
    chosen = slice(None, None, 1 + len(rows) // MOST)
    rows, columns = rows[chosen, None], columns[chosen, None]
    if len(rows) < FEW:
        return None
    size = gradient[rows, columns]
    along = np.arange(-REACH * PARTS, REACH * PARTS + 1, dtype=np.float32) * (width / PARTS)
    at = (
        (columns + x[rows, columns] / size * along).astype(np.float32),
        (rows + y[rows, columns] / size * along).astype(np.float32),
    )
    before, after, smooth = (cv2.remap(each, *at, cv2.INTER_LINEAR) for each in (measured, luma, base))
    middle = REACH * PARTS
    rise = smooth[:, middle + 2 * PARTS] - smooth[:, middle - 2 * PARTS]
    steps = rise > STEP
    if steps.sum() < FEW:
        return None
    swings = [
        _swing(((each[steps] - smooth[steps, middle, None]) / rise[steps, None]).mean(0)) for each in (after, before)
    ]
    return swings[0] / max(swings[1], 0.2)


def _swing(profile: np.ndarray) -> float:
    """What a rising profile falls, apart from its middle."""
    falls = np.maximum(-np.diff(profile), 0)
    middle = len(falls) // 2
    return float(falls[: middle - 1].sum() + falls[middle + 1 :].sum())


def blur_width(luma: np.ndarray, noise: float) -> float | None:
    """Standard deviation in pixels of the Gaussian that blurred a photo, by its spectrum; 0.2 to 0.6 for a sharp one.

    None where the spectrum is not that of a natural picture, as of stars, whose blur it would take for a smaller one.

    A natural picture has the power A f^-b, a blurred and noisy one A f^-b exp(-(2 pi f s)^2) + n^2; s is what fits the
    logarithms best. Fitting few numbers and no picture is what makes it sure (Levin, Weiss, Durand and Freeman 2009,
    Understanding and evaluating blind deconvolution algorithms).

    Args:
        luma: (H, W) on [0, 255].
        noise: standard deviation of its noise, in the same units.
    """
    frequency, power = _spectrum(luma)
    seen = np.log(power)
    shape = (-1, 1, 1, 1, 1)
    slopes, levels = SLOPES[None, :, None, None, None], np.array([0.7, 1.0, 1.4])[None, None, :, None, None]
    blur = np.exp(-((2 * np.pi * frequency * WIDTHS.reshape(shape)) ** 2))
    start = np.median((seen + slopes * np.log(frequency))[..., : BINS // 4], -1, keepdims=True)
    start = start + np.array([-0.3, 0.0, 0.3])[:, None]
    model = np.exp(start) * blur * frequency**-slopes + (levels * max(noise, 0.5)) ** 2
    apart = np.minimum((seen - np.log(model)) ** 2, OUTLIER).mean(-1)
    apart += ((slopes - USUAL_SLOPE)[..., 0] / SLOPE_SPREAD) ** 2 + (np.log(levels)[..., 0] / 3) ** 2
    return float(WIDTHS[np.unravel_index(apart.argmin(), apart.shape)[0]]) if apart.min() < UNNATURAL else None


def _spectrum(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequency, in cycles a pixel, and mean power in rings of the cosine transform."""
    coefficients = np.asarray(dctn(luma, norm="ortho")) ** 2
    height, width = luma.shape
    frequency = np.hypot(np.arange(height)[:, None] / (2 * height), np.arange(width)[None] / (2 * width))
    edges = np.geomspace(2 / min(height, width), 0.5, BINS + 1)
    ring = np.digitize(frequency, edges) - 1
    inside = (ring >= 0) & (ring < BINS)
    count, power, place = (
        np.bincount(ring[inside], weights, BINS) for weights in (None, coefficients[inside], frequency[inside])
    )
    some = count > 0
    return place[some] / count[some], np.maximum(power[some] / count[some], 1e-12)
