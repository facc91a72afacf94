"""PSNR and SSIM by their definitions: of images on [-1, 1] what scikit-image says of their 8-bit pictures."""

import math

import numpy as np
import pytest
import skimage.data
import skimage.metrics
import torch

from inverse.imaging import images
from inverse.imaging.metrics import mean_psnr, psnr, ssim

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


def tensor(pixels):
    """(H, W, C) from 0 to 255 as an image (C, H, W) on [-1, 1]."""
    return torch.from_numpy(pixels.astype(np.float64)).permute(2, 0, 1) / 127.5 - 1


def of_pictures(x, truth):
    """PSNR and SSIM by scikit-image of the 8-bit pictures of two images."""
    a, b = (np.asarray(images.to_image(image[None].float())) for image in (truth, x))
    assert a.dtype == b.dtype == np.uint8
    return (
        skimage.metrics.peak_signal_noise_ratio(a, b),
        skimage.metrics.structural_similarity(a, b, channel_axis=-1, **WANG),
    )


def damaged(truth, how):
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(0), dtype=truth.dtype)
    return {
        "darker": truth - 5 / 127.5,
        "noisy": truth + 0.1 * noise,
        "soft": torch.nn.functional.avg_pool2d(truth, 5, 1, 2, count_include_pad=False),
        "beyond the range": 1.8 * truth + 0.3,
    }[how]


def image():
    return torch.rand(3, 24, 24, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8


def test_psnr_is_its_definition():
    x = image()
    y = x + 0.1 * torch.sign(image())
    mse = float(((x - y) ** 2).mean())
    assert abs(psnr(y, x) - 10 * math.log10(4 / mse)) < 1e-4
    assert psnr(x, x) == math.inf


def test_values_beyond_the_range_count_as_clipped():
    x = image()
    assert psnr(torch.full_like(x, 7.0), torch.ones_like(x)) == math.inf


@pytest.mark.parametrize("how", ["darker", "noisy", "soft", "beyond the range"])
@pytest.mark.parametrize("photo", PHOTOS)
def test_both_are_those_of_the_pictures_that_are_shown(photo, how):
    """To what rounding to 8 bits explains: errors of variance 1/12 in each picture.

    They add to the variances in SSIM's denominator, which is at least C2 = (0.03 * 255)^2; and at most their root mean
    square to the error that PSNR measures.
    """
    truth = tensor(getattr(skimage.data, photo)()[100:260, 150:310])
    x = damaged(truth, how)
    exact_psnr, exact_ssim = of_pictures(x, truth)
    assert abs(ssim(x, truth) - exact_ssim) <= (2 / 12) / (0.03 * 255) ** 2
    error = 255 * 10 ** (-exact_psnr / 20)
    assert abs(psnr(x, truth) - exact_psnr) <= 20 * math.log10(1 + (1 / 12) ** 0.5 / error)


def test_ssim_forgives_a_brightness_that_hardly_differs():
    """By its luminance term alone, (2 a b + C1) / (a^2 + b^2 + C1): 0.9992 for mid-grey and 5 levels darker."""
    grey, darker = (torch.full((3, 32, 32), level / 127.5 - 1, dtype=torch.float64) for level in (128, 123))
    c1 = (0.01 * 255) ** 2
    assert ssim(darker, grey) == pytest.approx((2 * 128 * 123 + c1) / (128**2 + 123**2 + c1), abs=1e-9)
    assert round(ssim(darker, grey), 4) == 0.9992


@pytest.mark.parametrize("metric", [psnr, ssim, lambda x, truth: mean_psnr(x[None], truth[None])])
def test_neither_image_counts_beyond_what_can_be_shown(metric):
    x, truth = (tensor(skimage.data.coffee()[100:160, 150:210]) * factor for factor in (1.9, 2.5))
    assert metric(x, truth) == metric(x.clamp(-1, 1), truth.clamp(-1, 1))


def test_ssim_is_one_for_equal_images_and_less_for_noisy_ones():
    x = image()
    noisy = x + 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    assert abs(ssim(x, x) - 1) < 1e-9
    assert ssim(x + 0.05 * (noisy - x), x) > ssim(noisy, x)
    assert math.isnan(ssim(x[:, :8], x[:, :8]))


def test_the_mean_over_samples_is_that_of_each():
    truth = image()
    samples = torch.stack([truth + 0.1, truth * 1.5, truth.flip(1)])
    assert abs(mean_psnr(samples, truth[None]) - sum(psnr(x, truth) for x in samples) / 3) < 1e-4
