"""Coarse scales at high noise: against a Gaussian field that is known at every scale, and what must not change."""

import pytest
import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.pyramid import Pyramid

SIDE, CORNER = 32, 0.02


class Field(Denoiser):
    """A stationary Gaussian field of SIDE pixels, and the means of its blocks, which are such fields too."""

    channels, dtype = 1, torch.float64
    sigma_min, sigma_max = 0.01, 100.0

    def __init__(self):
        f = torch.fft.fftfreq(SIDE, dtype=torch.float64)
        self.spectrum = 1e-3 / (f[:, None] ** 2 + f**2 + CORNER**2)

    def at(self, side):
        """The spectrum of means over SIDE / side pixels: filtered, and what is beyond the new range folded into it."""
        scale = SIDE // side
        mean = torch.zeros(SIDE, dtype=torch.float64)
        mean[:scale] = 1 / scale
        square = torch.fft.fft(mean).abs().square()
        filtered = square[:, None] * square * self.spectrum
        return filtered.reshape(scale, side, scale, side).sum((0, 2)) / scale**2

    def denoise(self, x, sigma):
        spectrum = self.at(x.shape[-1])
        gain = spectrum / (spectrum + sigma[:, None, None, None].square())
        return torch.fft.ifft2(gain * torch.fft.fft2(x)).real

    def sample(self, count, generator):
        white = torch.randn(count, 1, SIDE, SIDE, generator=generator, dtype=torch.float64)
        return torch.fft.ifft2(self.spectrum.sqrt() * torch.fft.fft2(white)).real


def noisy(sigma, count=16):
    field, generator = Field(), torch.Generator().manual_seed(0)
    x0 = field.sample(count, generator)
    return field, x0, x0 + sigma * torch.randn(x0.shape, generator=generator, dtype=torch.float64)


def rms(x):
    return float(x.square().mean().sqrt())


@pytest.mark.parametrize("scale", [2, 4])
def test_block_means_of_the_field_are_the_field_of_that_scale(scale):
    """What the other tests rest on: the spectrum of a coarser field is that of its samples."""
    x0 = Field().sample(4000, torch.Generator().manual_seed(1))
    means = torch.nn.functional.avg_pool2d(x0, scale)
    found = torch.fft.fft2(means).abs().square().mean((0, 1)) / means[0].numel()
    assert ((found / Field().at(SIDE // scale) - 1).abs() < 0.15).all()


@pytest.mark.parametrize("scale", [2, 4])
def test_the_more_noise_the_nearer_to_the_exact_estimate(scale):
    thresholds = (0.01,) if scale == 2 else (0.001, 0.01)
    lost = []
    for sigma in (0.3, 1.0, 3.0):
        field, x0, x = noisy(sigma)
        exact, coarse = field(x, sigma), Pyramid(field, thresholds)(x, sigma)
        lost.append((rms(coarse - x0) / rms(exact - x0) - 1, rms(coarse - exact) / rms(exact)))
    assert lost[0] > lost[1] > lost[2] and lost[2][0] < 0.01 * scale / 2, lost


def test_below_the_thresholds_it_is_the_prior():
    field, _, x = noisy(0.5)
    assert torch.equal(Pyramid(field, (0.6, 2.0))(x, 0.5), field(x, 0.5))


def test_an_estimate_does_not_depend_on_the_levels_beside_it():
    field, _, x = noisy(1.0, 4)
    pyramid, sigma = Pyramid(field, (0.6, 2.0)), torch.tensor([3.0, 0.1, 1.0, 0.5], dtype=torch.float64)
    alone = torch.cat([pyramid(x[i : i + 1], sigma[i]) for i in range(4)])
    torch.testing.assert_close(pyramid(x, sigma), alone, rtol=0, atol=1e-12)
    assert [pyramid.scale(float(level)) for level in sigma] == [4, 1, 2, 1]


def test_the_gradient_is_that_of_differences():
    field, _, x = noisy(1.0, 2)
    pyramid = Pyramid(field, (0.6,))
    generator = torch.Generator().manual_seed(2)
    v, d = (torch.randn(x.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    x.requires_grad_()
    (product,) = torch.autograd.grad(pyramid(x, 1.0), x, v)
    with torch.no_grad():
        difference = (pyramid(x + 1e-4 * d, 1.0) - pyramid(x - 1e-4 * d, 1.0)) / 2e-4
    torch.testing.assert_close((product * d).sum(), (difference * v).sum(), rtol=1e-8, atol=0)


@pytest.mark.parametrize("size", [(40, 56), (37, 51), (16, 16)])
def test_any_size(size):
    prior = load_prior("embedded", "cpu", "float32")
    x = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(3))
    pyramid = Pyramid(prior, (1.0, 2.0, 4.0))
    for sigma in (0.5, 1.5, 3.0, 8.0):
        assert pyramid(x, sigma).shape == x.shape


@pytest.mark.parametrize("thresholds", [(0.0,), (2.0, 1.0), (1.0, 1.0), (-1.0,)])
def test_thresholds_rise(thresholds):
    with pytest.raises(ValueError, match="must be positive and rise"):
        Pyramid(Field(), thresholds)
