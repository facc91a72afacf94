"""One call that is told the measurement, and then none; where no estimator is, the solver that does without."""

import pytest
import torch
from toys import LINEAR, SIGMA_Y, Wrapped, run, setup

from inverse.denoisers.cards import PRIORS
from inverse.denoisers.exact import GaussianField
from inverse.estimators.estimator import COST
from inverse.estimators.exact import ExactEstimator
from inverse.estimators.statistic import FIRST_LEVEL
from inverse.operators import TASKS
from inverse.restoration import degrade, restore, stream
from inverse.settings import Settings
from inverse.settings.another_prior import with_prior
from inverse.solvers import SOLVERS, cse
from inverse.solvers.defaults import GENERAL, LEARNED, default_solver
from inverse.solvers.presets import make_solver

SOLVER = SOLVERS[LEARNED]


class Told(Wrapped):
    """Remembers which calls were told the measurement."""

    def __init__(self, inner):
        super().__init__(inner)
        self.told = []

    def condition(self, operator, y, sigma_y):
        return self.prior.condition(operator, y, sigma_y)

    def denoise(self, x, sigma):
        self.told.append(False)
        return super().denoise(x, sigma)

    def denoise_given(self, x, sigma, conditions):
        self.told.append(True)
        return self.prior.denoise_given(x, sigma, conditions)


def posterior_mean(prior, operator, y):
    exact = ExactEstimator(prior)
    return exact.condition(operator, y, SIGMA_Y).mean


@pytest.mark.parametrize("task", LINEAR)
def test_the_first_frame_is_the_posterior_mean_and_the_last_one_stays_there(task):
    """Of a Gaussian field, whose mean and mode are one: the steps after the first call have nothing left to mend."""
    prior, operator, y = setup(task)
    mean = posterior_mean(prior, operator, y)
    first, *_, last = run(
        SOLVER(guidance_scale=1.0, sigma_max=0.5, steps=6, renoise_above=200.0), ExactEstimator(prior), operator, y
    )
    scale = float(mean.square().mean().sqrt())
    assert float((first.x0_hat - mean).square().mean().sqrt()) < 0.02 * scale, "x says a little at that level"
    assert float((last.x0_hat - mean).square().mean().sqrt()) < 0.05 * scale


def test_the_first_call_alone_is_told_the_measurement():
    prior, operator, y = setup()
    told = Told(ExactEstimator(prior))
    run(SOLVER(), told, operator, y)
    assert told.told == [True] + [False] * (SOLVER().total - 1)


def test_its_first_level_is_the_estimators():
    assert cse.FIRST_LEVEL == FIRST_LEVEL


def test_only_the_first_call_costs_what_an_estimate_of_the_estimator_does():
    settings = Settings.create(task="super-resolution", solver=LEARNED)
    assert settings.passes == pytest.approx(settings.solver.total - 1 + COST)
    both = Settings.create(task="super-resolution", solver=LEARNED, estimator_scale=2.0)
    assert both.passes == pytest.approx(settings.passes + 1), "D and D_y, once"


def test_no_level_is_below_the_noise_of_the_measurement():
    prior, operator, _ = setup()
    wrapped = Told(ExactEstimator(prior))
    y = operator(torch.zeros(1, *operator.image_shape, dtype=torch.float64))
    list(SOLVER(sigma_min=0.01).solve(wrapped, operator, y, 0.3, [torch.Generator().manual_seed(0)]))
    assert min(float(sigma.min()) for sigma in map(torch.as_tensor, wrapped.sigmas)) >= 0.3


@pytest.mark.parametrize("task", TASKS)
def test_a_prior_without_an_estimator_has_another_default(task):
    learned = default_solver(task)
    assert default_solver(task, estimator=False) == (GENERAL if learned == LEARNED else learned)
    other = next(name for name, card in PRIORS.items() if card.repository)
    assert not Settings.create(task=task, prior=PRIORS[other].identity).solver.needs_estimator
    data = {"schema": 2, "task": task, "solver": {}, "prior": PRIORS[other].identity}
    assert not Settings.from_dict(data)[0].solver.needs_estimator
    assert not make_solver(None, TASKS[task](), estimator=False).needs_estimator


def test_with_another_prior_it_is_the_solver_that_does_without():
    settings = Settings.create(task="super-resolution", solver=LEARNED)
    other = with_prior(settings, PRIORS["ddpm-cat-256"].identity)
    assert (
        other.solver == make_solver(GENERAL, other.task, kind="ddpm") and with_prior(settings, "embedded") == settings
    )


def test_a_prior_of_ones_own_is_restored_with_by_default(photo):
    class Field(GaussianField):
        kind = "embedded"

    small, prior = photo.resize((24, 24)), Field((3, 24, 24)).to(torch.float32)
    *_, last = stream(degrade(small, "super-resolution"), None, prior, solver_parameters={"steps": 2})
    assert last.total == 2 * 3
    assert restore(small, "super-resolution", denoiser=prior).step.x0_hat.isfinite().all()
