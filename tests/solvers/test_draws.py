"""What single solvers draw, where its distribution is known, and limits in which two of them are one."""

import pytest
import torch
from toys import SIGMA_Y, Certain, Wrapped, quick, run, setup

from inverse.denoisers.exact import GaussianField
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.solvers import SOLVERS
from inverse.solvers.ddrm import spectral_step
from inverse.solvers.dps import misfit_step_size
from inverse.solvers.reverse import ancestral, ddim, on_sphere
from inverse.solvers.run import Run


def test_langevin_agrees_with_the_exact_draw_on_a_linear_task():
    """The same measurement, said to be linear and not, gives samples as close to it, of the same spread, to 15 %."""
    prior, operator, y = setup("deblur-gaussian", shape=(1, 8, 8))
    solver = SOLVERS["daps"](steps=12, stochasticity=1.0, gradient_steps=100, step_size=0.1)
    exact = run(solver, prior, operator, y, seeds=range(16))[-1]
    operator.linear = False
    langevin = run(solver, prior, operator, y, seeds=range(16))[-1]
    assert 0.85 <= langevin.x0_hat.var(0).mean().sqrt() / exact.x0_hat.var(0).mean().sqrt() <= 1.15
    assert 0.85 <= langevin.residual.mean() / exact.residual.mean() <= 1.15


def test_ancestral_steps_keep_the_marginal_of_a_gaussian():
    """x0 ~ N(0, v): an exact step from sigma leads to variance v + sigma_next^2."""
    v, sigma, sigma_next = 0.3, 2.0, 0.7
    x = torch.full((1, 1, 1, 1), (v + sigma**2) ** 0.5, dtype=torch.float64)
    x0_hat = v / (v + sigma**2) * x
    for eta in (1.0, 0.5, 0.0):
        mean, sigma_up = ddim(x, x0_hat, sigma, sigma_next, eta)
        if eta == 1.0:
            same, same_up = ancestral(x, x0_hat, sigma, sigma_next)
            torch.testing.assert_close(mean, same)
            assert sigma_up == pytest.approx(same_up)
            # The variance of x0 given x is what the mean misses.
            missed = (1 - (sigma_next / sigma) ** 2) ** 2 * v * sigma**2 / (v + sigma**2)
            assert (mean.square() + sigma_up**2 + missed).item() == pytest.approx(v + sigma_next**2)
        # eps_hat, if it had unit variance, would be mixed with new noise to variance sigma_next^2.
        slope = ((mean - x0_hat) / (x - x0_hat)).item() * sigma
        assert slope**2 + sigma_up**2 == pytest.approx(sigma_next**2)


def test_on_sphere_projects_each_sample():
    center, z = torch.zeros(3, 1, 2, 2), torch.randn(3, 1, 2, 2, generator=generator(0))
    z[1] = 0
    projected = on_sphere(z, center, 0.5)
    torch.testing.assert_close(projected.flatten(1).norm(dim=1), torch.tensor([1.0, 0.0, 1.0]))
    torch.testing.assert_close(projected[0] / projected[0].norm(), z[0] / z[0].norm())
    assert torch.equal(on_sphere(z, z, 0.0), z)


PIXELS = 3 * 256 * 256


def test_a_step_size_belongs_to_a_number_of_steps_and_pixels():
    assert misfit_step_size(0.3, 100, PIXELS, "ve", 2.0, 1.0) == pytest.approx(3.0)
    assert misfit_step_size(0.3, 1000, PIXELS // 4, "ve", 2.0, 1.0) == pytest.approx(0.15)
    # Constant in x / sqrt(1 + sigma^2): the step taken there does not depend on the noise level.
    in_vp = [
        misfit_step_size(1, 1000, PIXELS, "vp", s, t) / ((1 + s**2) * (1 + t**2)) ** 0.5
        for s, t in [(9, 8), (0.2, 0.1)]
    ]
    assert in_vp == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("index", [0, 1])
@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("inpaint-box", {}),
        ("super-resolution", {"factor": 2}),
        *(("deblur-gaussian", {"std": 0.5, "edges": e}) for e in ("circular", "reflect")),
    ],
)
def test_daps_draws_from_the_gaussian_posterior(task, settings, index):
    """p(x0 | x) = N(0.3, r^2 I): mean and pooled variance of 500 draws against closed forms, to six standard errors."""
    _, operator, y = setup(task, shape=(1, 8, 8), settings=settings)
    estimate, sigma_y = torch.full((1, 1, 8, 8), 0.3, dtype=torch.float64), 0.3
    solver = SOLVERS["daps"](steps=2, sigma_max=0.5, sigma_min=0.4, spread="official", stochasticity=1.0)
    steps = list(solver.solve(Certain(estimate), operator, y, sigma_y, [generator(0, i) for i in range(500)]))
    assert [step.sigma for step in steps] == pytest.approx([0.4, 0.0])
    drawn, variance, sigma_next = steps[index].x, [0.5, 0.4][index] ** 2, steps[index].sigma
    s = operator.singular_values.square().expand(1, 1, 8, 8)
    expected = variance * sigma_y**2 / (s * variance + sigma_y**2) + sigma_next**2
    found = operator.to_spectral(drawn).var(0)
    torch.testing.assert_close(found.mean(), expected.mean(), rtol=6 * (2 / 500 / 64) ** 0.5, atol=0)
    for case in (s[0] > s.mean(), s[0] <= s.mean()):
        if case.any():
            error = 6 * (2 / 500 / case.sum().item()) ** 0.5
            assert (found / expected[0])[case].mean().item() == pytest.approx(1, abs=error)
    mean = estimate + operator.regularized_pinv(y - operator(estimate), sigma_y**2 / variance)
    assert (drawn.mean(0) - mean[0]).abs().max() <= 6 * (float(expected.max()) / 500) ** 0.5


def test_daps_is_exact_for_white_data_even_in_two_steps():
    prior = GaussianField((1, 8, 8), variance=0.16, corner=1e3)
    operator = TASKS["denoise"]().operator((1, 8, 8), generator(0), None)
    y = prior.sample(generator(1))
    solver = SOLVERS["daps"](steps=2, sigma_max=1.0, sigma_min=0.5, stochasticity=1.0)
    *_, last = solver.solve(prior, operator, y, 0.3, [generator(0, i) for i in range(400)])
    mean, variance = y[0] * 0.16 / (0.16 + 0.09), 0.16 * 0.09 / (0.16 + 0.09)
    assert last.x0_hat.var(0).mean() == pytest.approx(variance, rel=6 * (2 / 400 / 64) ** 0.5)
    assert (last.x0_hat.mean(0) - mean).abs().max() <= 6 * (variance / 400) ** 0.5


@pytest.mark.parametrize("task", ["inpaint-box", "deblur-gaussian", "super-resolution"])
@pytest.mark.parametrize("sigma_next", [0.5, 0.15])
def test_ddrm_draws_every_coefficient_with_the_variance_of_its_case(task, sigma_next):
    """Known ones: sigma_next^2 less the measurement's own; the others: the share eta^2 of sigma_next^2."""
    prior, operator, y = setup(task, shape=(1, 8, 8))
    run = Run(prior, operator, y, SIGMA_Y, [generator(0, i) for i in range(500)])
    z, x0_hat = torch.ones(500, 1, 8, 8, dtype=torch.float64), torch.zeros(500, 1, 8, 8, dtype=torch.float64)
    drawn = spectral_step(run, z, x0_hat, 1.0, sigma_next, 0.85, 1.0, 0.03)
    s = operator.singular_values.expand(1, 1, 8, 8)[0]
    clear = (s > 0.03 * s.max()) & (SIGMA_Y / s.clamp_min(1e-9) <= sigma_next)
    variance = torch.where(
        clear, sigma_next**2 - SIGMA_Y**2 / s.clamp_min(1e-9).square(), (0.85 * sigma_next) ** 2
    ).double()
    found = drawn.var(0)
    for case in (clear, ~clear):
        if case.any():
            error = 6 * (2 / 500 / case.sum().item()) ** 0.5
            assert (found / variance)[case].mean().item() == pytest.approx(1, abs=error)
    ybar = (operator.measurement_to_spectral(y) / s.clamp_min(1e-9))[0]
    assert (drawn.mean(0) - ybar)[clear].abs().max() <= 6 * (sigma_next**2 / 500) ** 0.5
    unseen = s <= 0.03 * s.max()  # eps = 1 there
    if unseen.any():
        expected = (1 - 0.85**2) ** 0.5 * sigma_next
        assert (drawn.mean(0)[unseen] - expected).abs().max() <= 6 * (sigma_next**2 / 500) ** 0.5


def test_ddnm_without_time_travel_is_ddrm():
    problem = setup("deblur-gaussian")
    solvers = SOLVERS["ddrm"](steps=20), SOLVERS["ddnm"](steps=20, repeats=1)
    ddrm, ddnm = (run(solver, *problem)[-1].x0_hat for solver in solvers)
    assert torch.equal(ddrm, ddnm)


def test_time_travel_returns_to_the_noise_that_the_prior_is_told():
    """Every visit of a level meets as much noise as the first one."""
    prior, operator, y = setup("inpaint-box")
    seen = {}
    wrapped = Wrapped(prior)
    wrapped.denoise = lambda x, sigma: seen.setdefault(sigma[0].item(), []).append(x) or prior(x, sigma)
    run(SOLVERS["ddnm"](steps=10, repeats=3), wrapped, operator, y, seeds=range(8))
    visits = torch.tensor([[x.std().item() for x in states] for states in list(seen.values())[:-1]])
    assert visits.shape == (9, 3)
    torch.testing.assert_close(visits, visits[:, :1].expand(-1, 3), rtol=0.15, atol=0)


def test_preconditioning_changes_nothing_where_all_singular_values_are_equal():
    for task in ("inpaint-box", "super-resolution"):
        problem = setup(task)
        plain, preconditioned = (
            run(quick(name), *problem)[-1].x0_hat for name in ("vml-map-published", "vml-map-preconditioned")
        )
        torch.testing.assert_close(preconditioned, plain)


def test_fewer_steps_of_dsg_leave_the_same_share_of_noise():
    problem = setup("deblur-gaussian")
    few, many = (run(SOLVERS["dsg"](steps=steps), *problem, seeds=range(4))[-1] for steps in (50, 200))
    assert few.residual.mean() == pytest.approx(many.residual.mean().item(), rel=0.25)
