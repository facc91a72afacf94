from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from inverse.solvers.schedule import SCHEDULES, noise_levels


@settings(deadline=None)
@given(st.sampled_from(SCHEDULES), st.integers(1, 200), st.floats(1e-4, 200), st.floats(1e-4, 200))
def test_levels_fall_from_the_largest_to_the_smallest_and_never_leave_the_range(name, steps, a, b):
    low, high = sorted((a, b))
    levels = noise_levels(name, steps, high, low)
    assert len(levels) == steps and levels[0] == high
    assert steps == 1 or levels[-1] == low
    assert all(low <= later <= earlier for earlier, later in pairwise(levels))


@pytest.mark.parametrize("name", SCHEDULES)
def test_levels_are_distinct_when_the_range_is_wide(name):
    levels = noise_levels(name, 1000, 80.0, 0.002)
    assert len(set(levels)) == 1000


def test_log_linear_has_equal_factors():
    levels = torch.tensor(noise_levels("log-linear", 7, 64.0, 1.0), dtype=torch.float64)
    torch.testing.assert_close(levels[:-1] / levels[1:], torch.full((6,), 2.0, dtype=torch.float64))


def test_karras_has_equal_steps_in_the_seventh_root():
    root = torch.tensor(noise_levels("karras", 11, 80.0, 0.01), dtype=torch.float64) ** (1 / 7)
    torch.testing.assert_close(root.diff(), root.diff().mean().expand(10))


def test_vp_follows_the_table_of_ddpm():
    """1000 betas from 1e-4 to 0.02: sigma^2 = 1 / abar - 1, to the 3 % between sums and the integral we use."""
    abar = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64).sub(1).neg().cumprod(0)
    sigma = (1 / abar - 1).sqrt().flip(0)
    levels = torch.tensor(noise_levels("vp", 1000, sigma[0].item(), sigma[-1].item()), dtype=torch.float64)
    torch.testing.assert_close(levels, sigma, rtol=0.03, atol=0)


def test_an_unknown_schedule_is_refused():
    with pytest.raises(ValueError, match="cosine"):
        noise_levels("cosine", 3, 1.0, 0.1)
