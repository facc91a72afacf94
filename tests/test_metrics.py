"""PSNR and SSIM by their definitions, on the [-1, 1] scale."""

import math

import torch

from inverse.metrics import mean_psnr, psnr, ssim


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
