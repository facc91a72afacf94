"""A prior for tests of full size: quick, of small reach, and the same wherever it looks."""

import torch
import torch.nn.functional as F

from inverse.denoisers.base import Denoiser


class Smoothing(Denoiser):
    """Neighbouring pixels are alike: blurs of growing width, more for a noisier picture; 14 pixels of reach."""

    sigma_min, sigma_max, data_std, multiple = 1e-3, 1e3, 0.5, 4

    def __init__(self):
        self.asked = []

    def denoise(self, x, sigma):
        self.asked.append(tuple(x.shape))
        sigma, smooth = sigma[:, None, None, None], x
        for distance, left in ((1, 0.05), (2, 0.2), (4, 0.5)):
            share = sigma / (sigma + left)
            smooth = (1 - share) * smooth + share * _blurred(smooth, distance)
        return (smooth / (1 + 0.02 * sigma**2)).clamp(-1, 1)


def _blurred(x, distance):
    weights = torch.tensor([1.0, 4, 6, 4, 1], dtype=x.dtype)
    weights = (weights[:, None] * weights / 256).expand(x.shape[1], 1, 5, 5)
    padded = F.pad(x, [2 * distance] * 4, mode="replicate")
    return F.conv2d(padded, weights, dilation=distance, groups=x.shape[1])
