"""Noise has the mean and the variance that it claims, where something is measured and nowhere else."""

import math

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from inverse import restoration
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images, metrics
from inverse.operators import TASKS, noise

SHAPE = (3, 64, 64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def operator_of(name, **parameters):
    return TASKS[name](**parameters).operator(SHAPE, generator(), None)


def ramp():
    return torch.linspace(-0.9, 0.9, 64).expand(1, *SHAPE)


def test_gaussian_noise():
    operator = operator_of("inpaint-box")
    noisy = noise.measure(ramp(), operator, 0.2, None, generator())
    known = operator.mask.expand(1, *SHAPE) == 1
    assert float((noisy - operator(ramp()))[known].std()) == pytest.approx(0.2, rel=0.03)
    assert (noisy[~known] == 0).all()


def test_noise_is_decided_by_the_seed():
    for add in (noise.add_gaussian, noise.add_poisson):
        first, again, other = (add(ramp(), 0.5, generator(seed)) for seed in (1, 1, 2))
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert (first - other).abs().max() > 0.1


@pytest.mark.parametrize("photons", [1.0, 30.0, 1e6])
def test_poisson_noise(photons):
    """Mean y and variance 4 u / photons at u = (y + 1) / 2, in steps of one photon."""
    y = ramp().double()
    noisy = torch.cat([noise.add_poisson(y, photons, generator(seed)) for seed in range(8)])
    light = (y + 1) / 2
    z = (noisy - y) / (4 * light / photons).sqrt()
    assert float(z.mean()) == pytest.approx(0, abs=0.02)
    assert float(z.square().mean()) == pytest.approx(1, abs=0.03)
    counts = (noisy + 1) / 2 * photons
    torch.testing.assert_close(counts, counts.round(), rtol=0, atol=1e-6)
    assert (counts >= 0).all()


def test_poisson_noise_of_black_is_none():
    assert (noise.add_poisson(torch.full((1, *SHAPE), -1.5), 10.0, generator()) == -1).all()


@pytest.mark.parametrize("name", ["denoise", "inpaint-random", "demosaic"])
def test_the_equivalent_sigma_is_the_noise_in_what_is_measured(name):
    operator = operator_of(name)
    noisy = noise.measure(ramp(), operator, 0.0, 50.0, generator())
    real = math.sqrt(float((noisy - operator(ramp())).double().square().sum()) / operator.entries)
    assert noise.equivalent_sigma_y(noisy, 50.0, operator) == pytest.approx(real, rel=0.05)


def test_the_equivalent_sigma_is_never_zero():
    operator = operator_of("denoise")
    assert 0 < noise.equivalent_sigma_y(torch.full((1, *SHAPE), -1.0), 1e6, operator) < 1e-3


def test_photons_need_light():
    operator = operator_of("phase-retrieval")
    y = operator(ramp())
    for call in (
        lambda: noise.measure(ramp(), operator, 0.1, 10.0, generator()),
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
    y = noise.measure(x, operator, sigma, None, generator())
    assert noise.estimate(y, operator) == pytest.approx(sigma, rel=0.25)


def test_where_too_little_is_known_ordinary_noise_is_assumed():
    operator = TASKS["inpaint-periodic"]().operator((3, 64, 64), generator(), None)
    y = noise.measure(torch.zeros(1, 3, 64, 64), operator, 0.4, None, generator())
    assert noise.estimate(y, operator) == noise.UNKNOWN


@pytest.mark.parametrize("exposure", [1.5, 4.0])
@pytest.mark.parametrize("clipped", ["both", "highlights"])
def test_clipped_pixels_do_not_hide_the_noise_of_the_others(exposure, clipped):
    operator = TASKS["hdr"](exposure=exposure, clipped=clipped).operator((3, 128, 128), generator(), None)
    x = torch.sin(torch.linspace(0, 9, 128)).expand(1, 3, 128, 128)
    y = noise.measure(x, operator, 0.1, None, generator())
    assert (y.abs() == 1).float().mean() > 0.2
    assert noise.estimate(y, operator) == pytest.approx(0.1, rel=0.25)


def texture():
    """Stripes and dots of every size, as in cloth, over most of a picture; a quarter is smooth."""
    y, x = np.mgrid[0:256, 0:256] / 256
    waves = sum(np.sin(f * (x + 0.3 * y)) * np.cos(0.7 * f * y + f) for f in (20, 45, 90, 150))
    pixels = 0.5 + 0.1 * waves * ((x > 0.5) | (y > 0.5)) + 0.2 * (x - 0.5)
    return Image.fromarray((255 * np.stack([pixels, pixels**1.2, 0.8 * pixels], -1).clip(0, 1)).astype(np.uint8))


PHOTOS = {name: Image.fromarray(getattr(skimage.data, name)()) for name in ("astronaut", "chelsea", "coffee")}
PHOTOS["texture"] = texture()
HIDDEN = ("jpeg", "bit-depth")  # rounding leaves little of the noise, or none
FAR_APART = ("inpaint-periodic", "inpaint-random")  # no block is known as a whole


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.2, 0.4])
@pytest.mark.parametrize("task", [name for name, kind in TASKS.items() if not kind.auxiliary and name not in HIDDEN])
def test_the_estimate_is_near_the_noise_of_photos(task, sigma):
    """Of a file with eight bits, in which black and white are clipped; before that, the noise was sigma."""
    if task in FAR_APART or not operator_of(task).measures_pictures:
        pytest.skip("no estimate by blocks")
    for name, photo in PHOTOS.items():
        problem = restoration.degrade(photo, task, sigma_y=sigma, size=256, seed=1)
        y = problem.operator.measurement_of(images.to_tensor(problem.measurement))
        assert 0.7 < noise.estimate(y, problem.operator) / sigma < 1.35, name


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.4])
def test_few_known_pixels_tell_the_noise_less_well(sigma):
    for name, photo in PHOTOS.items():
        problem = restoration.degrade(photo, "inpaint-random", sigma_y=sigma, size=256, seed=1)
        y = problem.operator.measurement_of(images.to_tensor(problem.measurement))
        assert 0.7 < noise.estimate(y, problem.operator) / sigma < 1.6, name


@pytest.mark.parametrize("level", [-0.9, 0.0, 0.95])
@pytest.mark.parametrize("sigma", [0.1, 0.3])
def test_what_clipping_hides_is_put_back(level, sigma):
    y = (level + sigma * torch.randn(1, 3, 128, 128, generator=generator())).clamp(-1, 1)
    assert noise.estimate(y) == pytest.approx(sigma, rel=0.15)


def test_grain_that_depends_on_brightness_is_estimated_between_its_ends():
    y = noise.add_poisson(ramp(), 40.0, generator()).clamp(-1, 1)
    assert 2 * math.sqrt(0.05 / 40) < noise.estimate(y) < 2 * math.sqrt(0.95 / 40)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_noise_that_rounding_may_hide_is_assumed(bits):
    """Without it the steps are taken for measured, and stay: of 3 bits, that loses 4 dB."""
    task = {"task_parameters": {"bits": bits}, "seed": 1}
    problem = restoration.degrade(PHOTOS["chelsea"], "bit-depth", sigma_y=0.0, size=64, **task)
    restored = []
    for sigma_y in (None, noise.LEAST):
        found = restoration.measured(problem.measurement, "bit-depth", sigma_y=sigma_y, **task)
        assert sigma_y or found.sigma_y >= (2 / (2**bits - 1)) / 6.01
        (*_, last) = restoration.stream(found)
        restored.append(metrics.psnr(last.x0_hat[0], problem.truth[0]))
    assert restored[0] > restored[1] + 0.5 and restored[0] > metrics.psnr(problem.y[0], problem.truth[0]) + 0.5


@pytest.mark.parametrize("size", [(4, 4), (5, 7), (9, 23), (17, 100), (61, 83)])
def test_the_estimate_of_any_size_is_one(size):
    y = (0.2 * torch.randn(1, 3, *size, generator=generator())).clamp(-1, 1)
    assert 0.05 < noise.estimate(y) < 0.5
    assert noise.estimate(torch.ones_like(y)) == noise.LEAST
    assert noise.estimate(torch.full_like(y, math.nan)) == noise.UNKNOWN


@pytest.mark.parametrize("task", [name for name, kind in TASKS.items() if not kind.auxiliary])
def test_without_noise_a_measurement_is_what_the_operator_makes(task):
    """With every rounding once, as when a photo is saved once."""
    operator = operator_of(task)
    x = 0.9 * ramp()
    torch.testing.assert_close(noise.measure(x, operator, 0.0, None, generator()), operator.project(operator(x)))


@pytest.mark.parametrize("task", ["jpeg", "bit-depth", "hdr"])
def test_noise_comes_before_what_rounds_or_clips(task):
    """A file holds the noise of its sensor: it could have been made of some image, and has as much noise as that."""
    operator = operator_of(task, **({"subsampling": "4:4:4", "quality": 95} if task == "jpeg" else {}))
    x = 0.4 * ramp()
    y = noise.measure(x, operator, 0.3, None, generator())
    again = operator.project(y) if task == "hdr" else operator(y)
    assert (again - y).abs().mean() < 0.01
    assert float((y - operator(x)).std()) == pytest.approx(0.3, rel=0.1)


def test_one_pixel_of_the_smallest_image_is_known():
    for seed in range(20):
        random = torch.Generator().manual_seed(seed)
        assert TASKS["inpaint-random"](missing=0.99).operator((3, 8, 8), random, None).entries >= 3
