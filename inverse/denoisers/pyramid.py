"""Much noise is answered at a coarse scale, where a network sees further and costs less."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.denoisers.base import Denoiser, pad_to_multiple


class Pyramid(Denoiser):
    """D(x, sigma) by the prior on means over 2^k x 2^k pixels, whose noise is sigma / 2^k, where sigma is large.

    Above some noise level nothing of what is smaller than such a block can be told from the noise, and E[x0 | x] is
    smooth; a prior that was trained on photographs at several scales knows the means of blocks as well. There it sees
    2^k times as far, for 4^k times less. The estimate is enlarged by a cubic spline; what only the full size has is
    estimated as 0, to which every denoiser shrinks it as sigma grows.

    Args:
        inner: D, of pictures of any size.
        thresholds: the noise levels from which on means over 2, 4, 8, ... pixels are used, rising.

    Raises:
        ValueError: the thresholds do not rise, or are not positive.
    """

    def __init__(self, inner: Denoiser, thresholds: Sequence[float]) -> None:
        if any(low >= high for low, high in zip([0.0, *thresholds], thresholds, strict=False)):
            raise ValueError(f"the thresholds {tuple(thresholds)} must be positive and rise")
        self.inner, self.thresholds = inner, tuple(thresholds)
        self.kind, self.channels, self.multiple = inner.kind, inner.channels, inner.multiple
        self.sigma_min, self.sigma_max, self.data_std = inner.sigma_min, inner.sigma_max, inner.data_std
        self.passes, self.bfloat16 = inner.passes, inner.bfloat16
        self.device, self.dtype = inner.device, inner.dtype

    @property
    def batches(self) -> bool:
        return self.inner.batches

    def scale(self, sigma: float) -> int:
        """Over how many pixels a side means are taken at that noise level."""
        return 2 ** sum(sigma >= threshold for threshold in self.thresholds)

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        scales = [self.scale(float(level)) for level in sigma]
        if len(set(scales)) == 1:
            return self._at(scales[0], x, sigma)
        parts, places = [], []
        for scale in sorted(set(scales)):
            chosen = [index for index, each in enumerate(scales) if each == scale]
            parts.append(self._at(scale, x[chosen], sigma[chosen]))
            places += chosen
        return torch.cat(parts)[torch.tensor(places, device=x.device).argsort()]

    def _at(self, scale: int, x: Tensor, sigma: Tensor) -> Tensor:
        if scale == 1:
            return self.inner.denoise(x, sigma)
        height, width = x.shape[-2:]
        coarse = F.avg_pool2d(pad_to_multiple(x, scale * self.inner.multiple), scale)
        x0_hat = self.inner.denoise(coarse, sigma / scale)
        return F.interpolate(x0_hat, scale_factor=scale, mode="bicubic", align_corners=False)[..., :height, :width]
