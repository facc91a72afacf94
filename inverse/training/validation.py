"""How well a prior removes noise from photographs that training did not see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.imaging import images, metrics
from inverse.training.photos import Photos

NOISE_LEVELS = (15, 25, 50, 100)
"""Standard deviations of the noise for pixels from 0 to 255, as the literature on denoising quotes them."""

_SEED, _PURPOSE = 0, 4


@dataclass(frozen=True)
class Validation:
    """PSNR on the photographs that were kept out.

    Attributes:
        psnr: mean PSNR in dB at each of `NOISE_LEVELS`, weighted like the photographs.
    """

    psnr: Mapping[int, float]

    @property
    def mean(self) -> float:
        """Over the noise levels, in dB: what the best weights are chosen by."""
        return sum(self.psnr.values()) / len(self.psnr)


@torch.inference_mode()
def validate(denoiser: Denoiser, photos: Photos, side: int) -> Validation:
    """Denoises the center of every photograph, with the same noise each time.

    Args:
        denoiser: the prior.
        photos: the photographs.
        side: of the center squares, in pixels; smaller photographs are taken as far as they go.
    """
    total: dict[int, float] = dict.fromkeys(NOISE_LEVELS, 0.0)
    for index, pixels in enumerate(photos.pixels):
        truth = center(torch.from_numpy(pixels).permute(2, 0, 1).float() / 127.5 - 1, side, denoiser.multiple)
        for level, value in denoising_psnr(denoiser, truth, NOISE_LEVELS, _SEED, index).items():
            total[level] += photos.weights[index] * value
    return Validation({level: value / sum(photos.weights) for level, value in total.items()})


def denoising_psnr(
    denoiser: Denoiser, truth: Tensor, levels: tuple[int, ...], seed: int, index: int
) -> dict[int, float]:
    """PSNR in dB of the denoised image at each noise level.

    Args:
        denoiser: the prior.
        truth: clean image (C, H, W) on [-1, 1].
        levels: standard deviations of the noise for pixels from 0 to 255.
        seed, index: of the noise.
    """
    sigma = torch.tensor([level / 127.5 for level in levels])
    noisy = noisy_versions(truth, levels, seed, index).to(denoiser.device)
    estimate = denoiser(noisy, sigma.to(denoiser.device)).cpu()
    return {level: metrics.psnr(x, truth) for level, x in zip(levels, estimate, strict=True)}


def noisy_versions(truth: Tensor, levels: tuple[int, ...], seed: int, index: int) -> Tensor:
    """One image (C, H, W) with noise of each level, (len(levels), C, H, W)."""
    generator = randomness.generator(seed, _PURPOSE, index)
    sigma = torch.tensor([level / 127.5 for level in levels])[:, None, None, None]
    return truth + sigma * torch.randn((len(levels), *truth.shape), generator=generator)


def center(image: Tensor, side: int, multiple: int) -> Tensor:
    """The middle of an image (..., H, W), of that side at most, its sides multiples of a number."""
    height, width = (min(side, n) // multiple * multiple for n in image.shape[-2:])
    top, left = (image.shape[-2] - height) // 2, (image.shape[-1] - width) // 2
    return image[..., top : top + height, left : left + width]


def whole(pixels: np.ndarray, side: int, multiple: int) -> Tensor:
    """The center square of a photograph, (H, W, 3) uint8, shrunk to that side, (1, 3, side, side) on [-1, 1]."""
    photo = Image.fromarray(pixels)
    return images.to_tensor(images.fit(photo, min(side, *photo.size), multiple, square=True))
