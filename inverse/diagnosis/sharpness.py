"""How blurred a photo is: by how much another blur weakens its edges.

An edge that a Gaussian of std s has softened has the gradient 1 / s in its middle, and after another blur of std t the
gradient 1 / sqrt(s^2 + t^2); so that with their ratio R, s = t / sqrt(R^2 - 1) (Zhuo and Sim 2011, Defocus map
estimation from a single image, Pattern Recognition 44).
"""

from __future__ import annotations

import cv2
import numpy as np

FEW = 60
"""Edges below which nothing is said."""
SHARPEST = 0.25
"""Quantile of the edges that counts: soft ones, as of shadows, are in sharp photos too."""


def blur_std(luma: np.ndarray, noise: float) -> float | None:
    """The std in pixels of the Gaussian that blurred a picture all over, about 0.7 for a sharp one; None without edges.

    Args:
        luma: (H, W) on [0, 255].
        noise: standard deviation of its noise, in the same units.
    """
    luma = luma.astype(np.float32)
    # Noise is an edge a pixel wide everywhere: where there is any, both blurs begin from a smoother picture.
    first = 0.0 if noise < 2 else min(0.5 + noise / 10, 2.0)
    base = cv2.GaussianBlur(luma, (0, 0), first) if first else luma
    again = 1.0 + first
    one, other = _gradient(base), _gradient(cv2.GaussianBlur(base, (0, 0), again))
    strong = one > max(4.0, 6 * noise, float(np.quantile(one, 0.9)) / 2)
    peak = one >= cv2.dilate(one, np.ones((3, 3), np.uint8)) - 1e-6
    chosen = strong & peak
    chosen[:4], chosen[-4:], chosen[:, :4], chosen[:, -4:] = False, False, False, False
    if chosen.sum() < FEW:
        return None
    ratio = np.maximum(one[chosen] / np.maximum(other[chosen], 1e-6), 1.001)
    found = again / np.sqrt(ratio**2 - 1)
    return float(np.sqrt(max(np.quantile(found, SHARPEST) ** 2 - first**2, 0.01)))


def _gradient(luma: np.ndarray) -> np.ndarray:
    along = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3) / 8, cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3) / 8
    return np.hypot(*along)
