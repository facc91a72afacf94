"""How close a restoration is to the truth, by scikit-image's definitions, on what a picture would show.

Images on [-1, 1] are clipped to that range, as every picture file clips them, and mapped to [0, 1]. They are not
rounded to 8 bits: a file's rounding alone changes SSIM by less than 0.003, and a PSNR of 40 dB by 0.06 dB.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import skimage.metrics
from torch import Tensor


def psnr(x: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of one image (C, H, W) on [-1, 1]; both are clipped to that range first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # equal images: infinity is the right answer
        return float(skimage.metrics.peak_signal_noise_ratio(_pixels(truth), _pixels(x), data_range=1.0))


def mean_psnr(samples: Tensor, truth: Tensor) -> float:
    """The mean of `psnr` over samples (B, C, H, W), to float32: wanted often, it stays on the device."""
    errors = (samples.clamp(-1, 1) - truth.to(samples).clamp(-1, 1)).square().mean(dim=(1, 2, 3))
    return float((10 * (4 / errors).log10()).mean())


def ssim(x: Tensor, truth: Tensor) -> float:
    """Structural similarity of one image (C, H, W) on [-1, 1], the mean over pixels and channels.

    Wang, Bovik, Sheikh and Simoncelli 2004 (IEEE Trans. Image Processing 13, 600-612), eq. 13 with the settings of
    their section III.C: pixels that are 0 at black with a dynamic range L (here 1), K1 = 0.01, K2 = 0.03, and local
    statistics by a Gaussian window of std 1.5 whose weights sum to 1, which scikit-image calls gaussian_weights=True,
    sigma=1.5, use_sample_covariance=False. Its luminance term compares means with C1 = (K1 L)^2, so that the position
    of black matters.

    NaN for images below 11 pixels a side, where the window does not fit.
    """
    if min(x.shape[-2:]) < 11:
        return float("nan")
    mean: Any = skimage.metrics.structural_similarity(  # and its gradient or its map, for those who ask
        _pixels(truth),
        _pixels(x),
        data_range=1.0,
        channel_axis=-1,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    return float(mean)


def _pixels(x: Tensor) -> np.ndarray:
    """(H, W, C) on [0, 1]."""
    return (x.detach().clamp(-1, 1).permute(1, 2, 0).cpu().double().numpy() + 1) / 2
