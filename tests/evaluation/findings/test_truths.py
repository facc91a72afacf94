"""What the lab calls true agrees with quadrature, and with the library's own exact estimator."""

import pytest
import torch

from inverse.errors import ParameterError
from inverse.estimators.exact import ExactEstimator
from inverse.evaluation.findings.truths import TRUTHS, truth
from inverse.randomness import generator

KINDS = [(kind, task) for kind, made in TRUTHS.items() for task in made.tasks if kind != "embedded"]  # which is learned


@pytest.fixture(scope="module")
def grid():
    """Points of the plane and how much of it each stands for."""
    places = torch.linspace(-1.6, 1.6, 641, dtype=torch.float64)
    points = torch.stack(torch.meshgrid(places, places, indexing="xy"), -1).reshape(-1, 1, 1, 2)
    return points, (places[1] - places[0]) ** 2


@pytest.fixture(params=TRUTHS["modes"].tasks)
def plane(request, grid):
    """The 2-D mixture, and its posterior on the grid by Bayes' rule alone."""
    known = truth("modes", request.param)
    points, cell = grid
    problem = known.problem
    misfit = (problem.operator(points) - problem.y).flatten(1).square().sum(1)
    weight = (known.prior.log_density(points) - misfit / (2 * problem.sigma_y**2)).exp()
    return known, points, weight / weight.sum(), cell


@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_the_conditional_score_is_that_of_quadrature(plane, sigma):
    known, points, mass, _ = plane
    x = known.draw(generator(0), 40) + sigma * torch.randn(40, 1, 1, 2, generator=generator(1), dtype=torch.float64)
    square = (x - points[:, None]).flatten(2).square().sum(2)  # points by x
    kernel = mass[:, None] * (-0.5 * square / sigma**2).exp()
    expected = torch.einsum("pi,pd->id", kernel, points.flatten(1)) / kernel.sum(0)[:, None]
    found = known.reference(x, sigma, [()] * len(x))
    torch.testing.assert_close(found.flatten(1), expected, rtol=0, atol=1e-3)
    torch.testing.assert_close(
        (found - x) / sigma**2, (expected.reshape(x.shape) - x) / sigma**2, rtol=1e-3, atol=1e-3 / sigma
    )


def test_mean_spread_and_weights_are_those_of_quadrature(plane):
    known, points, mass, cell = plane
    posterior, flat = known.posterior, points.flatten(1)
    mean = mass @ flat
    torch.testing.assert_close(posterior.mean.flatten(), mean, rtol=0, atol=1e-3)
    torch.testing.assert_close(posterior.std.flatten(), (mass @ (flat - mean).square()).sqrt(), rtol=0, atol=1e-3)
    # Each component owns what it explains: p(k | x0) is the same before and after the measurement.
    owned = mass @ known.prior.responsibilities(points)
    torch.testing.assert_close(posterior.weights, owned, rtol=0, atol=1e-3)
    density = posterior.mixture.log_density(points).exp() * cell
    torch.testing.assert_close(density, mass, rtol=0, atol=1e-6)
    below = mass @ (points.flatten(1) <= 0.05).double()
    torch.testing.assert_close(
        posterior.cdf(torch.full((1, 1, 1, 2), 0.05, dtype=torch.float64)).flatten(), below, rtol=0, atol=1e-2
    )


def test_modes_are_the_peaks_of_the_grid(plane):
    known, points, mass, _ = plane
    side = round(len(points) ** 0.5)
    heights = mass.reshape(1, 1, side, side)
    peaks = heights == torch.nn.functional.max_pool2d(heights, 41, 1, 20)
    peaks = peaks.flatten() & (mass > 1e-3 * mass.max())
    tops = points[peaks].flatten(1)
    found = known.posterior.modes.flatten(1)
    for top in tops:
        assert (found - top).square().sum(1).min().sqrt() < 0.01


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_the_reference_is_the_exact_estimator(kind, task):
    known = truth(kind, task)
    problem, estimator = known.problem, ExactEstimator(known.prior)
    condition = estimator.condition(problem.operator, problem.y, problem.sigma_y)
    for sigma in (0.05, 1.0):
        x = known.draw(generator(0), 3) + sigma
        torch.testing.assert_close(
            known.reference(x, sigma, [()] * 3), estimator(x, sigma, [condition] * 3), rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize(("kind", "task"), KINDS)
def test_draws_are_those_of_the_posterior(kind, task):
    known = truth(kind, task)
    x = known.draw(generator(0), 4000)
    error = known.posterior.std / 4000**0.5
    assert ((x.mean(0) - known.posterior.mean).abs() < 6 * error + 1e-9).all()
    assert abs(float(x.std(0).square().mean().sqrt() / known.posterior.std.square().mean().sqrt()) - 1) < 0.05
    inside = known.posterior.cdf(x)
    assert abs(float(inside.mean()) - 0.5) < 0.02 and abs(float(inside.std()) - 12**-0.5) < 0.02
    shares = known.posterior.shares(x)
    assert ((shares - known.posterior.weights).abs() < 0.05).all()


def test_the_plane_has_modes_that_one_can_see():
    weights = truth("modes", "inpainting").posterior.weights
    assert float(weights.sort().values[-2]) > 0.15 and float(weights.max()) < 0.8


@pytest.mark.parametrize(("kind", "task"), [("nothing", "inpainting"), ("modes", "nothing")])
def test_an_unknown_truth_is_refused_in_a_sentence(kind, task):
    with pytest.raises(ParameterError, match=r"'nothing' is no .*\. Available: "):
        truth(kind, task)
