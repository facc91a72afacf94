"""The measurement is followed as far as its noise allows: the discrepancy principle."""

from functools import cache

import pytest
import torch
from toys import SHAPE, Wrapped, asked, setup

from inverse.denoisers.exact import GaussianField
from inverse.evaluation import judge
from inverse.operators import TASKS, noise
from inverse.randomness import generator
from inverse.solvers import SOLVERS
from inverse.solvers.run import Run

STOPPING = [name for name, kind in SOLVERS.items() if "stop_at_noise" in kind.specs()]
FIELDS = ("inpainting", "blur")


@cache
def restored(name, task, sigma_y, steps, stop):
    """The residual over sigma_y, the bias in standard deviations of the posterior, and the ratio of the spreads."""
    known = judge.case(task, sigma_y, seed=11, size=48, measurements=1)
    mean, std = known.means, known.std
    given = {} if name == "red-diff" else {"sigma_max": 80.0}
    solver = SOLVERS[name](steps=steps, stop_at_noise=stop, **given)
    sources = [generator(7, seed) for seed in range(8)]
    *_, last = solver.solve(known.prior, known.operator, known.y, sigma_y, sources)
    bias = (last.x0_hat.mean(0) - mean[0]).square().mean().sqrt().item()
    spread = last.x0_hat.var(0).mean().sqrt().item()
    return last.residual.square().mean().sqrt().item() / sigma_y, bias / std, spread / std


@pytest.mark.parametrize("sigma_y", [0.05, 0.2, 0.5])
@pytest.mark.parametrize("task", FIELDS)
@pytest.mark.parametrize("name", STOPPING)
def test_the_measurement_is_followed_as_far_as_its_noise_allows(name, task, sigma_y):
    """The discrepancy principle. Eight exact samples have a bias of 0.35; half as much more is allowed."""
    residual, bias, spread = restored(name, task, sigma_y, 100 if name in ("dps", "dsg") else 50, True)
    assert 0.9 <= residual <= 1.15
    assert bias <= (0.8 if name == "red-diff" else 0.53)
    assert name == "red-diff" or 0.8 <= spread <= 1.15


@pytest.mark.parametrize("name", [name for name in STOPPING if name != "red-diff"])
def test_how_closely_hardly_depends_on_the_number_of_steps(name):
    """From 20 to 150 steps; without the stop, 20 of DPS leave 0.83 sigma_y and 100 a tenth of it."""
    residuals = [restored(name, task, 0.2, steps, True)[0] for task in FIELDS for steps in (20, 50, 150)]
    assert 0.95 <= min(residuals) <= max(residuals) <= 1.05


@pytest.mark.parametrize("name", STOPPING)
def test_without_the_stop_strong_noise_is_fitted(name):
    """What the paper's form does, and why it is not the default."""
    steps = 100 if name in ("dps", "dsg") else 50
    residual, bias, _ = restored(name, "inpainting", 0.5, steps, False)
    assert residual <= 0.5 and bias >= 1.3 * restored(name, "inpainting", 0.5, steps, True)[1]


@pytest.mark.parametrize("task", ["hdr", "bit-depth"])
@pytest.mark.parametrize("name", STOPPING)
def test_where_the_measurement_rounds_or_clips_its_own_noise_is_the_measure(name, task):
    """Noise that is rounded away, or makes a whole level, is not sigma_y."""
    shape, sigma_y = (3, 32, 32), 0.1
    prior = GaussianField(shape).to(torch.float32)
    truth = prior.sample(generator(1)).float()
    operator = TASKS[task]().operator(shape, generator(3), None)
    y = noise.measure(truth, operator, sigma_y, None, generator(2))
    *_, last = SOLVERS[name](steps=100).solve(prior, operator, y, sigma_y, [generator(7, seed) for seed in range(2)])
    assert (last.residual >= 0.7 * noise.left_by(last.x0_hat, operator, sigma_y)).all()
    assert (last.residual <= 1.6 * noise.left_by(truth, operator, sigma_y)).all()


def test_what_noise_leaves_does_not_depend_on_the_images_beside():
    shape = (3, 16, 16)
    x = GaussianField(shape).sample(generator(1), 3).float()
    for task in ("bit-depth", "denoise"):
        operator = TASKS[task]().operator(shape, generator(3), None)
        several = noise.left_by(x, operator, 0.2)
        torch.testing.assert_close(several[1:2], noise.left_by(x[1:2], operator, 0.2))
        torch.testing.assert_close(several, torch.full((3,), 0.2), rtol=0.0 if task == "denoise" else 0.5, atol=0)


def test_a_step_that_leads_to_the_noise_does_so_exactly_along_a_line():
    """For D = x and A = 1 the misfit falls by the length of the step: f - t = f*."""
    prior = Wrapped(GaussianField(SHAPE))
    prior.denoise = lambda x, sigma: 1.0 * x
    operator = TASKS["denoise"]().operator(SHAPE, generator(0), None)
    y, x = (torch.randn(2, *SHAPE, generator=generator(i), dtype=torch.float64) for i in (1, 2))
    work = Run(prior, operator, y, 0.3, [generator(3), generator(4)])
    x0_hat, gradient, enough = asked(work.denoise_misfit(x, 1.0), prior)
    misfit = (y - (x0_hat - enough * gradient)).flatten(1).norm(dim=1)
    torch.testing.assert_close(misfit, torch.full((2,), 0.3 * 16, dtype=torch.float64))
    _, _, enough = asked(work.denoise_misfit(y + 0.01, 1.0), prior)  # closer than the noise: no step at all
    assert torch.equal(enough, torch.zeros(2, 1, 1, 1, dtype=torch.float64))


@pytest.mark.parametrize("sigma_y", [0.2, 0.5])
def test_red_diff_starts_where_adam_can_come_back_from(sigma_y):
    """Motion blur with strong noise: the pseudo-inverse is 2 to 6 away from a truth of standard deviation 0.4."""
    shape = (1, 32, 32)
    prior, operator, _ = setup("deblur-motion", shape=shape, settings={"edges": "circular"})
    truth = prior.sample(generator(1))
    y = operator(truth) + sigma_y * torch.randn(1, *shape, generator=generator(2), dtype=torch.float64)

    def error(**settings):
        *_, last = SOLVERS["red-diff"](steps=100, **settings).solve(prior, operator, y, sigma_y, [generator(0)])
        return (last.x0_hat - truth).square().mean().sqrt()

    assert error() <= 0.9 * (y - truth).square().mean().sqrt()
    assert error() <= 0.5 * error(start="pseudo-inverse")
