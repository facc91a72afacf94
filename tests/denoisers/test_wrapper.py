"""Priors around another one: its own space is left to it."""

import pytest
import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.pyramid import Pyramid
from inverse.denoisers.tiled import Tiled
from inverse.denoisers.wrapper import Wrapper


class Latent(Denoiser):
    """A prior whose space is its own: every hook says that it was asked."""

    kind, channels, multiple, factor, passes, thresholds = "toy", 2, 4, 8, 3, (2.0,)
    sigma_min, sigma_max, data_std = 0.02, 50.0, 0.7

    def denoise(self, x, sigma):
        return x

    def lift(self, operator):
        return ("lifted", operator)

    def lower(self, z):
        return z + 1

    def preview(self, z):
        return z + 2


class Plain(Wrapper):
    def denoise(self, x, sigma):
        return self.prior.denoise(x, sigma)


@pytest.mark.parametrize("around", [Plain, Tiled, Pyramid])
def test_what_it_does_not_change_is_the_others(around):
    prior, z = Latent(), torch.zeros(1, 2, 4, 4)
    found = around(prior)
    assert found.lift("A") == ("lifted", "A")
    assert (found.lower(z) == 1).all() and (found.preview(z) == 2).all()
    for name in Denoiser.__annotations__:
        assert getattr(found, name) == getattr(prior, name), name
