"""Mean and spread of several samples."""

import numpy as np
import pytest
import torch

from inverse.imaging import heat
from inverse.results.spread import Spread


def test_the_spread_of_known_noise_is_that_noise_in_grey_levels():
    generator = torch.Generator().manual_seed(0)
    clean = torch.linspace(-0.5, 0.5, 64 * 48).reshape(1, 1, 48, 64).expand(400, 3, -1, -1)
    deviation = torch.where(torch.arange(64) < 32, 0.02, 0.1)
    spread = Spread.of(clean + deviation * torch.randn(clean.shape, generator=generator))
    assert spread.mean.shape == (3, 48, 64) and spread.deviation.shape == (48, 64)
    assert (spread.mean - clean[0]).abs().max() < 0.03
    assert spread.deviation[:, :32].mean() == pytest.approx(0.02 * 127.5, rel=0.01)
    assert spread.deviation[:, 32:].mean() == pytest.approx(0.1 * 127.5, rel=0.01)


def test_two_samples_are_enough_and_their_deviation_is_unbiased():
    pair = torch.stack([torch.full((3, 4, 4), -0.2), torch.full((3, 4, 4), 0.2)])
    assert Spread.of(pair).deviation.numpy() == pytest.approx(0.2 * 2**0.5 * 127.5)


def test_the_picture_is_bright_where_samples_differ_and_its_scale_holds_nearly_all():
    samples = torch.zeros(4, 3, 40, 40)
    samples[::2, :, :10] = 0.5
    spread = Spread.of(samples)
    grey = np.asarray(spread.image.convert("L"))
    assert spread.image.size == (40, 40) and grey[:10].min() > grey[10:].max()
    assert (spread.deviation <= spread.top).float().mean() > 0.99 and heat.round_up(spread.top) == spread.top
    assert f"{spread.typical:.1f} grey levels" in spread.words and "hardly" not in spread.words


def test_equal_samples_say_that_they_hardly_differ():
    spread = Spread.of(torch.zeros(3, 3, 8, 8))
    assert spread.typical == 0 and spread.top >= 2 and "hardly differ" in spread.words


def test_values_that_are_not_finite_still_give_a_picture():
    assert Spread.of(torch.full((2, 3, 4, 4), torch.nan)).image.size == (4, 4)
