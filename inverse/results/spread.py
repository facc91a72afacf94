"""Several restorations of one measurement: their mean, and how much they differ at every pixel.

Samples of the posterior agree where the measurement and the prior decide what the image shows, and differ where they
do not: the spread shows which parts of a restoration to trust.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from inverse.imaging import heat, images


@dataclass(frozen=True)
class Spread:
    """Samples seen together.

    Attributes:
        mean: (C, H, W) on [-1, 1].
        deviation: standard deviation across the samples, (H, W), root mean square over the colours, in grey levels:
            steps of 1/255 of the way from black to white.
    """

    mean: Tensor
    deviation: Tensor

    @classmethod
    def of(cls, samples: Tensor) -> Spread:
        """Of samples (B, C, H, W) on [-1, 1], B >= 2; what lies outside counts as black or white.

        The variance is divided by B - 1, and so unbiased.
        """
        samples = torch.nan_to_num(samples.detach()).float().clamp(-1, 1)
        variance, mean = torch.var_mean(samples, dim=0)
        return cls(mean, variance.mean(0).sqrt() * 127.5)

    @property
    def top(self) -> float:
        """Where the scale of the picture ends, a round number: all but one pixel in two hundred lie below."""
        stride = self.deviation.numel() // 2**16 + 1  # enough pixels for a percentile, and no sort of a million
        return max(2.0, heat.round_up(float(torch.quantile(self.deviation.flatten()[::stride], 0.995))))

    @property
    def typical(self) -> float:
        """Root mean square of the deviation over the picture."""
        return float(self.deviation.square().mean().sqrt())

    @property
    def mean_image(self) -> Image.Image:
        return images.to_image(self.mean)

    @property
    def image(self) -> Image.Image:
        """Heat from 0 to `top`."""
        return heat.picture(self.deviation, 0.0, self.top, heat.AMOUNT)

    @property
    def words(self) -> str:
        """What the picture shows, in one sentence."""
        words = (
            f"Standard deviation across the samples: {self.typical:.1f} grey levels (of 255) on the whole, "
            f"{float(self.deviation.max()):.0f} at most."
        )
        if self.typical >= 1:
            return words
        return f"{words} They hardly differ: the measurement decides, or the solver seeks one best image."
