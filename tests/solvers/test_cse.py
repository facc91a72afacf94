"""Sampling with an estimator that is exact: where it begins, and that a picture's mean is kept."""

import pytest
import torch
from toys import run

from inverse.denoisers.base import Denoiser
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.solvers import SOLVERS

MEAN, STD = 5.0, 3.0


class White(Denoiser):
    """E[x0 | x] for numbers of one mean and one standard deviation, which is all that the measurement said."""

    channels, dtype = 1, torch.float64
    sigma_min, sigma_max = 1e-3, 100.0

    def denoise(self, x, sigma):
        share = STD**2 / (STD**2 + sigma[:, None, None, None].square())
        return MEAN + share * (x - MEAN)

    def condition(self, operator, y, sigma_y):
        return y

    def denoise_given(self, x, sigma, conditions):
        return self.denoise(x, sigma)


@pytest.mark.parametrize("steps", [1, 30])
def test_samples_have_the_mean_that_the_estimator_tells(steps):
    """From noise alone they would be drawn to 0: by 0.3 of the mean, for 30 levels and a spread of 3 at sigma 10."""
    operator = TASKS["denoise"]().operator((1, 64, 64), generator(0), None).to("cpu", torch.float64)
    y = torch.zeros(1, 1, 64, 64, dtype=torch.float64)
    *_, last = run(SOLVERS["cse"](steps=steps), White(), operator, y)
    sampled = 3 * STD / 64  # three standard errors of a mean over the picture
    assert abs(float(last.x0_hat.mean()) - MEAN) < 0.1 * MEAN + sampled
