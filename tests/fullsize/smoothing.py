"""A prior for tests of full size: quick, of small reach, and the same wherever it looks."""

import torch
import torch.nn.functional as F

from inverse.denoisers.base import Denoiser


class Smoothing(Denoiser):
    """Neighbouring pixels are alike: a small blur, the stronger the noisier."""

    sigma_min, sigma_max, data_std, multiple = 1e-3, 1e3, 0.5, 4

    def __init__(self):
        self.asked = []

    def denoise(self, x, sigma):
        self.asked.append(tuple(x.shape))
        kernel = torch.tensor([1.0, 4, 6, 4, 1])
        kernel = (kernel[:, None] * kernel / 256).expand(x.shape[1], 1, 5, 5)
        smooth = F.conv2d(F.pad(x, (2, 2, 2, 2), mode="replicate"), kernel, groups=x.shape[1])
        share = (sigma / (sigma + 0.05))[:, None, None, None]
        return (1 - share) * x + share * smooth
