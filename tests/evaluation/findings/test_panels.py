"""The three panels let the exact conditional score pass, and one that is too long or shifted fail."""

from collections import deque

import pytest
import torch

from inverse.evaluation.findings.measuring import _trajectories
from inverse.evaluation.findings.posterior import Conditional
from inverse.evaluation.findings.samples import BINS, Exactly, diversity
from inverse.evaluation.findings.scores import score_error, score_mean
from inverse.evaluation.findings.sentences import allowed
from inverse.evaluation.findings.truths import truth
from inverse.randomness import generator
from inverse.solvers.cse import CSE

LEVELS = [4.0, 1.0, 0.5, 0.25, 0.12]


class Altered(Conditional):
    """D_y whose score is `scale` times as long, and the estimate moved by `shift`."""

    def __init__(self, mixture, scale, shift):
        super().__init__(mixture)
        self.scale, self.shift = scale, shift

    def denoise_given(self, x, sigma, conditions):
        exact = super().denoise_given(x, sigma, conditions)
        return x + self.scale * (exact - x) + self.shift


EXACT, LONG, SHIFTED = (1.0, 0.0), (1.2, 0.0), (1.0, 0.15)


@pytest.fixture(params=["modes", "field"], scope="module")
def known(request):
    return truth(request.param, "inpainting")


@pytest.fixture(scope="module")
def points(known):
    return dict(zip(LEVELS, _trajectories(known, LEVELS, 600, seed=5), strict=True))


def altered(known, change):
    return Altered(known.posterior.mixture, *change)


def errors(known, points, change):
    denoiser = altered(known, change)
    for sigma, (x, _) in points.items():
        conditions = [()] * len(x)
        yield score_error("", sigma, x, denoiser(x, sigma, conditions), known.reference(x, sigma, conditions))


def means(known, points, change):
    denoiser = altered(known, change)
    for sigma, (x, noise) in points.items():
        yield score_mean("", sigma, x, denoiser(x, sigma, [()] * len(x)), noise, generator(1))


def test_the_exact_score_has_no_error(known, points):
    assert all(row.error < 1e-20 and row.relative < 1e-10 for row in errors(known, points, EXACT))


def test_a_score_that_is_a_fifth_too_long_errs_by_a_fifth(known, points):
    for row in errors(known, points, LONG):
        assert row.relative == pytest.approx(0.2)
        assert row.error > 0


def test_a_shifted_score_errs_by_the_shift(known, points):
    for row in errors(known, points, SHIFTED):
        assert row.error == pytest.approx(0.15**2 / (1 + row.sigma**2))


def test_what_the_choice_of_noise_leaves_is_no_error(known, points):
    x, _ = points[0.5]
    exact = known.reference(x, 0.5, [()] * len(x))
    noisy = exact + 0.1 * torch.randn(x.shape, generator=generator(2), dtype=torch.float64)
    row = score_error("", 0.5, x, noisy, exact, torch.full_like(x, 0.01))
    assert row.error < 0.1 * score_error("", 0.5, x, noisy, exact).error


def test_the_mean_of_the_exact_score_is_within_chance_and_its_length_right(known, points):
    rows = list(means(known, points, EXACT))
    assert sum(not row.zero for row in rows) <= allowed(len(rows))
    assert sum(row.scaled for row in rows) <= allowed(len(rows))
    assert all(abs(row.scale - 1) < 0.1 for row in rows)


def test_the_length_of_a_score_that_is_too_long_is_found(known, points):
    rows = list(means(known, points, LONG))
    assert all(row.scaled and row.scale == pytest.approx(1 / 1.2, rel=0.1) for row in rows)


def test_the_mean_of_a_shifted_score_is_beyond_chance(known, points):
    # Where the noise is ten times the shift, it shows in ten thousand draws, and not in these.
    rows = [row for row in means(known, points, SHIFTED) if row.sigma < 1]
    assert rows and all(not row.zero and row.mean > 3 * row.null for row in rows)


def test_chance_is_what_the_bootstrap_says():
    """Of a score whose mean is 0, the share of levels that are called beyond chance is that of the quantile."""
    missed = sum(
        not score_mean("", 1.0, x, torch.zeros_like(x), x, generator(seed)).zero
        for seed in range(200)
        for x in [torch.randn(100, 1, 1, 4, generator=generator(seed, 9), dtype=torch.float64)]
    )
    assert missed <= 0.025 * 200 + 3 * (0.025 * 200) ** 0.5


@pytest.mark.parametrize(("levels", "most"), [(1, 1), (10, 2), (100, 7)])
def test_so_many_levels_may_be_beyond_chance(levels, most):
    assert allowed(levels) == most


def sampled(known, change, count=400, steps=800):
    solver = CSE(steps=steps, sigma_max=known.kind.sigma_max, sigma_min=0.01, stochasticity=1.0)
    (last,) = deque(known.problem.steps(solver, altered(known, change), 0, count), maxlen=1)
    return last.x0_hat


def measured(known, x):
    return diversity(known, Exactly.of(known, generator(3)), "", x)


def test_samples_of_the_exact_score_are_those_of_the_posterior(known):
    row = measured(known, sampled(known, EXACT))
    assert row.coverage(0.9) == pytest.approx(0.9, abs=0.03) and row.coverage(0.5) == pytest.approx(0.5, abs=0.05)
    assert row.std_ratio == pytest.approx(1, abs=0.06) and row.bias < 0.15
    assert row.to_mode == pytest.approx(1, abs=0.1) and row.strays < 0.01
    assert all(share == pytest.approx(1 / BINS, abs=0.02) for share in row.ranks)
    for share, weight in zip(row.shares, row.weights, strict=True):
        assert share == pytest.approx(weight, abs=3 * (weight * (1 - weight) / row.count) ** 0.5 + 0.01)


@pytest.mark.parametrize("change", [LONG, pytest.param(SHIFTED, marks=pytest.mark.thorough)])
def test_samples_of_an_altered_score_are_not(known, change):
    assert abs(measured(known, sampled(known, change)).coverage(0.9) - 0.9) > 0.03


def test_draws_of_the_posterior_pass_and_copies_of_its_mode_do_not(known):
    row = measured(known, known.draw(generator(4), 1000))
    assert row.coverage(0.9) == pytest.approx(0.9, abs=0.02) and row.to_mode == pytest.approx(1, abs=0.05)
    row = measured(known, known.posterior.modes[:1].expand(50, -1, -1, -1))
    assert row.std_ratio == row.to_mode == 0 and row.coverage(0.9) < 0.01
    assert row.residual < 1.2 and sum(row.ranks) == pytest.approx(1)
