"""Noise has the mean and the variance that it claims, where something is measured and nowhere else."""

import math

import pytest
import torch

from inverse import noise
from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS

SHAPE = (3, 64, 64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def operator_of(name, **parameters):
    return TASKS[name](**parameters).operator(SHAPE, generator(), None)


def ramp():
    return torch.linspace(-0.9, 0.9, 64).expand(1, *SHAPE)


def test_gaussian_noise():
    operator = operator_of("inpaint-box")
    y = operator(ramp())
    noisy = noise.add_gaussian(y, 0.2, operator, generator())
    known = operator.mask.expand(1, *SHAPE) == 1
    assert float((noisy - y)[known].std()) == pytest.approx(0.2, rel=0.03)
    assert (noisy[~known] == 0).all()
    torch.testing.assert_close(noise.add_gaussian(y, 0.0, operator, generator()), y)


def test_noise_is_decided_by_the_seed():
    operator = operator_of("denoise")
    for add in (noise.add_gaussian, noise.add_poisson):
        first, again, other = (add(ramp(), 0.5, operator, generator(seed)) for seed in (1, 1, 2))
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert (first - other).abs().max() > 0.1


@pytest.mark.parametrize("photons", [1.0, 30.0, 1e6])
def test_poisson_noise(photons):
    """Mean y and variance 4 u / photons at u = (y + 1) / 2, in steps of one photon."""
    operator, y = operator_of("denoise"), ramp().double()
    noisy = torch.cat([noise.add_poisson(y, photons, operator, generator(seed)) for seed in range(8)])
    light = (y + 1) / 2
    z = (noisy - y) / (4 * light / photons).sqrt()
    assert float(z.mean()) == pytest.approx(0, abs=0.02)
    assert float(z.square().mean()) == pytest.approx(1, abs=0.03)
    counts = (noisy + 1) / 2 * photons
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-6)
    assert (counts >= 0).all()


def test_poisson_noise_of_black_is_none():
    operator = operator_of("denoise")
    noisy = noise.add_poisson(torch.full((1, *SHAPE), -1.5), 10.0, operator, generator())
    assert (noisy == -1).all()


@pytest.mark.parametrize("name", ["denoise", "inpaint-random", "demosaic"])
def test_the_equivalent_sigma_is_the_noise_in_what_is_measured(name):
    operator = operator_of(name)
    y = operator(ramp())
    noisy = noise.add_poisson(y, 50.0, operator, generator())
    real = math.sqrt(float((noisy - y).double().square().sum()) / operator.entries)
    assert noise.equivalent_sigma_y(noisy, 50.0, operator) == pytest.approx(real, rel=0.05)


def test_the_equivalent_sigma_is_never_zero():
    operator = operator_of("denoise")
    assert 0 < noise.equivalent_sigma_y(torch.full((1, *SHAPE), -1.0), 1e6, operator) < 1e-3


def test_photons_need_light():
    operator = operator_of("phase-retrieval")
    y = operator(ramp())
    for call in (
        lambda: noise.add_poisson(y, 10.0, operator, generator()),
        lambda: noise.equivalent_sigma_y(y, 10.0, operator),
    ):
        with pytest.raises(ProblemError, match="Gaussian"):
            call()
    with pytest.raises(ParameterError, match="photons"):
        noise.PHOTONS.check("photons", 0)


@pytest.mark.parametrize("sigma", [0.02, 0.1, 0.4])
def test_estimate(sigma):
    smooth = torch.sin(torch.linspace(0, 6, 128))[:, None] * torch.cos(torch.linspace(0, 5, 128))
    y = 0.5 * smooth.expand(1, 3, 128, 128)
    noisy = y + sigma * torch.randn(y.shape, generator=generator())
    assert noise.estimate(noisy) == pytest.approx(sigma, rel=0.1)
    assert noise.estimate(noisy[:, :1]) == pytest.approx(sigma, rel=0.15)
    assert noise.estimate(y) == 0.01
    assert noise.estimate(noisy[..., :3, :3]) == 0.01


@pytest.mark.parametrize("task", ["denoise", "demosaic", "inpaint-box", "inpaint-half", "inpaint-random"])
@pytest.mark.parametrize("sigma", [0.05, 0.2])
def test_neither_holes_nor_a_mosaic_are_noise(task, sigma):
    smooth = torch.sin(torch.linspace(0, 6, 128))[:, None] * torch.cos(torch.linspace(0, 5, 128))
    x = torch.stack([0.5 * smooth, 0.3 - 0.2 * smooth, -0.5 * smooth])[None]
    operator = TASKS[task]().operator((3, 128, 128), generator(), None)
    y = noise.add_gaussian(operator(x), sigma, operator, generator())
    assert noise.estimate(y, operator) == pytest.approx(sigma, rel=0.25)


def test_where_too_little_is_known_ordinary_noise_is_assumed():
    operator = TASKS["inpaint-periodic"]().operator((3, 64, 64), generator(), None)
    y = noise.add_gaussian(operator(torch.zeros(1, 3, 64, 64)), 0.4, operator, generator())
    assert noise.estimate(y, operator) == noise.UNKNOWN


@pytest.mark.parametrize("task", ["jpeg", "bit-depth", "hdr"])
def test_noise_is_recorded_as_the_measurement_is(task):
    """A file that rounds rounds its noise: what it holds, it could have made of some image."""
    operator = TASKS[task](**({"subsampling": "4:4:4"} if task == "jpeg" else {})).operator(
        (3, 32, 32), generator(), None
    )
    x = 0.5 * torch.rand(1, 3, 32, 32, generator=generator()) - 0.25
    y = noise.add_gaussian(operator(x), 0.3, operator, generator())
    assert not torch.equal(y, operator(x))
    # Rounding what was rounded, or clipping what was clipped, changes nothing any more.
    again = operator.restrict(y) if task == "hdr" else operator(y)
    assert (again - y).abs().mean() < 0.01


def test_one_pixel_of_the_smallest_image_is_known():
    for seed in range(20):
        random = torch.Generator().manual_seed(seed)
        assert TASKS["inpaint-random"](missing=0.99).operator((3, 8, 8), random, None).entries >= 3
