"""How close a restoration is to the truth, by scikit-image's definitions."""

from __future__ import annotations

import warnings

import numpy as np
import skimage.metrics
from torch import Tensor


def psnr(x: Tensor, truth: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of one image (C, H, W) on [-1, 1], clipped to that range first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # equal images: infinity is the right answer
        return float(skimage.metrics.peak_signal_noise_ratio(_pixels(truth), _pixels(x), data_range=2.0))


def mean_psnr(samples: Tensor, truth: Tensor) -> float:
    """The mean of `psnr` over samples (B, C, H, W), to float32: wanted several times a second, it copies nothing."""
    errors = (samples.clamp(-1, 1) - truth.to(samples)).square().mean(dim=(1, 2, 3))
    return float((10 * (4 / errors).log10()).mean())


def ssim(x: Tensor, truth: Tensor) -> float:
    """Structural similarity (Wang et al. 2004: Gaussian window of std 1.5) of one image (C, H, W) on [-1, 1].

    NaN for images below 11 pixels a side, where the window does not fit.
    """
    if min(x.shape[-2:]) < 11:
        return float("nan")
    return float(
        skimage.metrics.structural_similarity(
            _pixels(truth),
            _pixels(x),
            data_range=2.0,
            channel_axis=-1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _pixels(x: Tensor) -> np.ndarray:
    return x.detach().clamp(-1, 1).permute(1, 2, 0).cpu().double().numpy()
