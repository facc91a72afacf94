"""Coarse scales at high noise: against a Gaussian field that is known at every scale, and what must not change."""

import gc
import weakref

import pytest
import torch

from inverse.denoisers import pyramid, scales
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.pyramid import Pyramid, coarse, scale
from inverse.denoisers.tiled import Tiled
from inverse.fullsize.blocks import prior_for
from inverse.fullsize.windows import Box

SIDE, CORNER = 32, 0.02


class Field(Denoiser):
    """A stationary Gaussian field of SIDE pixels, and the means of its blocks, which are such fields too."""

    channels, dtype, batches = 1, torch.float64, True
    sigma_min, sigma_max = 0.01, 100.0

    def __init__(self):
        f = torch.fft.fftfreq(SIDE, dtype=torch.float64)
        self.spectrum = 1e-3 / (f[:, None] ** 2 + f**2 + CORNER**2)

    def at(self, side):
        """The spectrum of means over SIDE / side pixels: filtered, and what is beyond the new range folded into it."""
        k = SIDE // side
        mean = torch.zeros(SIDE, dtype=torch.float64)
        mean[:k] = 1 / k
        square = torch.fft.fft(mean).abs().square()
        filtered = square[:, None] * square * self.spectrum
        return filtered.reshape(k, side, k, side).sum((0, 2)) / k**2

    def denoise(self, x, sigma):
        spectrum = self.at(x.shape[-1])
        gain = spectrum / (spectrum + sigma[:, None, None, None].square())
        return torch.fft.ifft2(gain * torch.fft.fft2(x)).real

    def sample(self, count, generator):
        white = torch.randn(count, 1, SIDE, SIDE, generator=generator, dtype=torch.float64)
        return torch.fft.ifft2(self.spectrum.sqrt() * torch.fft.fft2(white)).real


@pytest.fixture
def small(monkeypatch):
    """Pictures as small as SIDE have coarse scales too."""
    monkeypatch.setattr(pyramid, "LEAST_SIDE", 1)


def noisy(sigma, count=16):
    field, generator = Field(), torch.Generator().manual_seed(0)
    x0 = field.sample(count, generator)
    return field, x0, x0 + sigma * torch.randn(x0.shape, generator=generator, dtype=torch.float64)


def rms(x):
    return float(x.square().mean().sqrt())


@pytest.mark.parametrize("k", [2, 4])
def test_block_means_of_the_field_are_the_field_of_that_scale(k):
    """What the other tests rest on: the spectrum of a coarser field is that of its samples."""
    x0 = Field().sample(4000, torch.Generator().manual_seed(1))
    means = torch.nn.functional.avg_pool2d(x0, k)
    found = torch.fft.fft2(means).abs().square().mean((0, 1)) / means[0].numel()
    assert ((found / Field().at(SIDE // k) - 1).abs() < 0.15).all()


@pytest.mark.parametrize("k", [2, 4])
def test_the_more_noise_the_nearer_to_the_exact_estimate(k, small):
    lost = []
    for sigma in (0.3, 1.0, 3.0):
        field, x0, x = noisy(sigma)
        exact, found = field(x, sigma), Pyramid(field, (0.01,) if k == 2 else (0.001, 0.01))(x, sigma)
        lost.append((rms(found - x0) / rms(exact - x0) - 1, rms(found - exact) / rms(exact)))
    assert lost[0] > lost[1] > lost[2] and lost[2][0] < 0.01 * k / 2, lost


def test_below_the_thresholds_it_is_the_prior(small):
    field, _, x = noisy(0.5)
    assert torch.equal(Pyramid(field, (0.6, 2.0))(x, 0.5), field(x, 0.5))


def test_an_estimate_does_not_depend_on_the_levels_beside_it(small):
    field, _, x = noisy(1.0, 4)
    found, sigma = Pyramid(field, (0.6, 2.0)), torch.tensor([3.0, 0.1, 1.0, 0.5], dtype=torch.float64)
    alone = torch.cat([found(x[i : i + 1], sigma[i]) for i in range(4)])
    torch.testing.assert_close(found(x, sigma), alone, rtol=0, atol=1e-12)
    assert [scale(found.thresholds, float(level), SIDE) for level in sigma] == [4, 1, 2, 1]


def test_the_gradient_is_that_of_differences(small):
    field, _, x = noisy(1.0, 2)
    found = Pyramid(field, (0.6,))
    generator = torch.Generator().manual_seed(2)
    v, d = (torch.randn(x.shape, generator=generator, dtype=torch.float64) for _ in range(2))
    x.requires_grad_()
    (product,) = torch.autograd.grad(found(x, 1.0), x, v)
    with torch.no_grad():
        difference = (found(x + 1e-4 * d, 1.0) - found(x - 1e-4 * d, 1.0)) / 2e-4
    torch.testing.assert_close((product * d).sum(), (difference * v).sum(), rtol=1e-8, atol=0)


@pytest.mark.parametrize("size", [(40, 56), (37, 51), (16, 16)])
def test_any_size(size, small):
    prior = load_prior("embedded", "cpu", "float32")
    x = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(3))
    for sigma in (0.5, 1.5, 3.0, 8.0):
        assert Pyramid(prior, (1.0, 2.0, 4.0))(x, sigma).shape == x.shape


@pytest.mark.parametrize("thresholds", [(0.0,), (2.0, 1.0), (1.0, 1.0), (-1.0,)])
def test_thresholds_rise(thresholds):
    with pytest.raises(ValueError, match="must be positive and rise"):
        Pyramid(Field(), thresholds)


def test_a_coarse_picture_is_never_smaller_than_a_prior_can_read():
    assert [scale((1.0, 2.0, 3.0), 5.0, side) for side in (127, 128, 255, 256, 512)] == [1, 2, 2, 4, 8]


def test_what_an_estimate_costs_is_what_the_network_is_given(small):
    seen = []

    class Counted(Field):
        def denoise(self, x, sigma):
            seen.append(x.shape[-2] * x.shape[-1] / SIDE**2)
            return super().denoise(x, sigma)

    found = Pyramid(Counted(), (0.6, 2.0, 8.0))
    _, _, x = noisy(1.0, 1)
    levels = (0.1, 1.0, 3.0, 9.0)
    for sigma in levels:
        found(x, sigma)
    assert seen == [found.cost(sigma, (SIDE, SIDE)) for sigma in levels] == [1, 1 / 4, 1 / 16, 1 / 64]


class Told(Field):
    """It looks at the measurement, and says so."""

    def condition(self, operator, y, sigma_y):
        return "what it knows"

    def denoise_given(self, x, sigma, conditions):
        assert list(conditions) == ["what it knows"] * len(x)
        return torch.full_like(x, 7)


def test_an_estimate_that_is_told_the_measurement_is_the_priors_own(small):
    found = Pyramid(Told(), (0.1,))
    _, _, x = noisy(1.0, 2)
    assert found.conditional and not Pyramid(Field(), (0.1,)).conditional
    assert (found(x, 5.0, [found.condition(None, None, 0.1)] * 2) == 7).all()  # pyright: ignore
    assert found.cost(5.0, (SIDE, SIDE), told=True) == 1 > found.cost(5.0, (SIDE, SIDE))


def test_runs_of_one_prior_share_its_pyramid_and_one_without_thresholds_has_none():
    prior = load_prior("embedded", "cpu", "float32")
    assert prior.thresholds and coarse(prior) is coarse(prior) and coarse(coarse(prior)) is coarse(prior)
    field = Field()
    assert coarse(field) is field


def test_a_prior_that_nobody_uses_leaves_the_memory():
    prior = Field()
    prior.thresholds = (2.0,)
    one, gone = coarse(prior), weakref.ref(prior)
    assert coarse(prior) is one
    del prior, one
    gc.collect()
    assert gone() is None


def test_a_large_photo_is_asked_by_tiles_inside_the_pyramid_so_that_it_sees_beyond_them():
    found = prior_for(coarse(load_prior("embedded", "cpu", "float32")), Box(0, 0, 1536, 1024))
    assert isinstance(found, Pyramid) and isinstance(found.prior, Tiled)


def test_thresholds_are_the_lowest_levels_at_which_a_scale_is_as_good_and_stays_so():
    rows = [(1, 30, 29, 28), (2, 25, 25.1, 24), (4, 22, 21.9, 22), (8, 19, 19.2, 19), (16, 15, 15.3, 15.4)]
    levels = [scales.Level(sigma, dict(zip((1, 2, 4), psnr, strict=True))) for sigma, *psnr in rows]
    assert scales.thresholds(levels) == (8, 16)
    assert scales.thresholds(levels[:1]) == ()


def test_what_is_measured_on_samples_of_the_field_is_what_coarse_scales_lose(small, monkeypatch):
    """The exact prior can be asked at every scale: coarse ones catch up as the noise grows, and are never better."""
    monkeypatch.setattr(scales, "LEAST_SIDE", 1)
    field = Field()
    pictures = [each.float() for each in field.sample(6, torch.Generator().manual_seed(4))]
    found = list(scales.measured(field, pictures, (0.1, 1.0, 10.0)))
    lost = [level.psnr[1] - level.psnr[4] for level in found]
    assert lost[0] > lost[1] > lost[2] > -0.01
