"""The combined statistic is the posterior mean of the Gaussian field, and says how wrong it is."""

import math

import pytest
import torch

from inverse.estimators import systems
from inverse.estimators.field import Field
from inverse.estimators.statistic import FIRST_LEVEL, Statistic
from inverse.operators import TASKS
from inverse.randomness import generator

SIDE, SIGMA_Y = 16, 0.05
LINEAR = [name for name, kind in TASKS.items() if kind.linear and not kind.auxiliary]


def told_by_x(sigma):
    return 0.0 if sigma >= FIRST_LEVEL else 1 / sigma**2


class Dense:
    """The same field and measurement by dense algebra in float64."""

    def __init__(self, task, sigma=None):
        self.field = Field()
        shape = (3, SIDE, SIDE)
        self.operator = TASKS[task]().operator(shape, generator(0, 1), None).to("cpu", torch.float64)
        self.spectrum = self.field.spectrum((SIDE, SIDE), torch.zeros(1, dtype=torch.float64))
        draw = torch.randn(1, *shape, generator=generator(0, 2), dtype=torch.float64)
        self.truth = self.field.from_coefficients(self.spectrum.sqrt() * draw)
        clean = self.operator(self.truth)
        noise = torch.randn(clean.shape, generator=generator(0, 3), dtype=torch.float64)
        self.y = self.operator.project(clean + SIGMA_Y * noise)
        self.statistic = Statistic(self.field, self.operator, self.y, SIGMA_Y)

    def precision(self, sigma, spectrum):
        """Of p(x0 | x, y), (d, d)."""
        size = 3 * SIDE * SIDE
        basis = torch.eye(size, dtype=torch.float64).reshape(size, 3, SIDE, SIDE)
        measured = self.operator.adjoint(self.operator(basis)).flatten(1)
        own = self.field.from_coefficients(self.field.to_coefficients(basis) / spectrum).flatten(1)
        return measured / SIGMA_Y**2 + own + torch.eye(size, dtype=torch.float64) * told_by_x(sigma)

    def lifted(self, sigma):
        precision = torch.full((1, 1, 1, 1), told_by_x(sigma), dtype=torch.float64)
        return self.field.lifted(self.spectrum, precision, self.statistic.scattered)[0]

    def noisy(self, sigma):
        return self.truth + sigma * torch.randn(self.truth.shape, generator=generator(0, 4), dtype=torch.float64)


USUAL = systems.TOLERANCE


@pytest.fixture(params=[USUAL, 1e-8])
def tolerance(request, monkeypatch):
    if request.param != USUAL:
        monkeypatch.setattr(systems, "TOLERANCE", request.param)
        monkeypatch.setattr(systems, "ITERATIONS", 1000)
    return request.param


@pytest.mark.parametrize("sigma", [0.1, 1.0, 9.0, FIRST_LEVEL])
@pytest.mark.parametrize("task", LINEAR)
@torch.no_grad()
def test_it_is_the_exact_posterior_mean_to_the_solvers_tolerance(task, sigma, tolerance):
    dense, level = Dense(task), torch.tensor([sigma], dtype=torch.float64)
    precision, x = dense.precision(sigma, dense.lifted(sigma)), dense.noisy(sigma)
    pull = dense.operator.adjoint(dense.y) / SIGMA_Y**2 + x * told_by_x(sigma)
    exact = torch.linalg.solve(precision, pull.flatten())
    std = torch.linalg.inv(precision).diagonal().mean().sqrt()
    error = (dense.statistic(x, level).flatten() - exact).square().mean().sqrt()
    assert error < (0.15 if tolerance == USUAL else 1e-3) * std, (error / std).item()


@pytest.mark.parametrize("task", LINEAR)
@torch.no_grad()
def test_it_says_how_wrong_it_is(task):
    """At the highest level, where the lift is small: what it is told is the posterior's own standard deviation."""
    dense, level = Dense(task), torch.tensor([10.0], dtype=torch.float64)
    std = torch.linalg.inv(dense.precision(10.0, dense.spectrum)).diagonal().mean().sqrt()
    told = dense.statistic.told(level)
    assert float(told.level.square().mean().sqrt()) == pytest.approx(float(std), rel=0.4)
    assert told.low <= told.high <= 10
    assert dense.statistic.told(level.expand(3)).low.shape == (3,)


@torch.no_grad()
def test_known_pixels_are_told_to_be_nearer_than_missing_ones():
    told = Dense("inpaint-half").statistic.told(torch.tensor([10.0], dtype=torch.float64))
    level = told.level.expand(1, 1, SIDE, SIDE)
    assert level[..., : SIDE // 4].mean() < level[..., -SIDE // 4 :].mean() / 2


@pytest.mark.parametrize("task", ["inpaint-random", "deblur-motion", "super-resolution"])
def test_gradients_go_through_it_as_through_the_solution(task, monkeypatch):
    """x_G is linear in x, with the symmetric matrix M^-1 / sigma^2."""
    monkeypatch.setattr(systems, "TOLERANCE", 1e-8)
    monkeypatch.setattr(systems, "ITERATIONS", 1000)
    dense, level = Dense(task), torch.tensor([1.0], dtype=torch.float64)
    x = dense.noisy(1.0).requires_grad_()
    v = torch.randn(x.shape, generator=generator(0, 5), dtype=torch.float64)
    (found,) = torch.autograd.grad(dense.statistic(x, level), x, v)
    with torch.no_grad():
        precision = dense.precision(1.0, dense.lifted(1.0))
    expected = torch.linalg.solve(precision, v.flatten()).reshape(v.shape)
    assert (found - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.parametrize(
    "task", ["inpaint-random", "inpaint-periodic", "inpaint-box", "deblur-motion", "compressed-sensing"]
)
@torch.no_grad()
def test_it_has_converged_where_there_is_hardly_any_noise(task, monkeypatch):
    size, noise = 48, 5e-3
    operator = TASKS[task]().operator((3, size, size), generator(0, 1), None).to("cpu", torch.float64)
    field = Field()
    spectrum = field.spectrum((size, size), torch.zeros(1, dtype=torch.float64))
    draw = torch.randn(1, 3, size, size, generator=generator(0, 2), dtype=torch.float64)
    truth = field.from_coefficients(spectrum.sqrt() * draw)
    y = operator.measure(truth, lambda clean: clean + noise * torch.randn(clean.shape, generator=generator(0, 3)))
    found = Statistic(field, operator, y, noise)
    level = found.told(torch.tensor([FIRST_LEVEL], dtype=torch.float64)).level.square().mean().sqrt()
    monkeypatch.setattr(systems, "TOLERANCE", 1e-6)
    monkeypatch.setattr(systems, "ITERATIONS", 3000)
    exact = Statistic(field, operator, y, noise).y0
    assert (found.y0 - exact).square().mean().sqrt() < 0.15 * level


@torch.no_grad()
def test_where_sampling_begins_only_the_measurement_counts():
    dense, level = Dense("inpaint-half"), torch.tensor([FIRST_LEVEL], dtype=torch.float64)
    for x in (dense.noisy(FIRST_LEVEL), dense.noisy(FIRST_LEVEL) - dense.truth, torch.full_like(dense.truth, 100)):
        torch.testing.assert_close(dense.statistic(x, level), dense.statistic.y0, rtol=0, atol=1e-12)


@torch.no_grad()
def test_an_image_is_solved_as_it_is_alone():
    dense = Dense("inpaint-box")
    x, levels = torch.cat([dense.noisy(0.3), dense.noisy(5.0)]), torch.tensor([0.3, 5.0], dtype=torch.float64)
    together = dense.statistic(x, levels)
    for index in range(2):
        one = slice(index, index + 1)
        torch.testing.assert_close(together[one], dense.statistic(x[one], levels[one]), rtol=0, atol=1e-12)


def test_the_field_is_orthonormal_and_falls_with_the_frequency():
    field = Field()
    x = torch.randn(2, 3, 12, 20, generator=generator(0, 6), dtype=torch.float64)
    torch.testing.assert_close(field.from_coefficients(field.to_coefficients(x)), x, rtol=0, atol=1e-12)
    assert float(field.to_coefficients(x).norm()) == pytest.approx(float(x.norm()))
    spectrum = field.spectrum((12, 20), x)
    assert (spectrum.diff(dim=1) < 0).all() and (spectrum.diff(dim=2) < 0).all()
    grey = torch.full((1, 3, 8, 8), 0.5, dtype=torch.float64)
    coefficients = field.to_coefficients(grey)
    assert float(coefficients[0, 0, 0, 0]) == pytest.approx(0.5 * math.sqrt(3 * 64))
    assert coefficients[0, 1:].abs().max() < 1e-12, "a grey picture has no colour"
