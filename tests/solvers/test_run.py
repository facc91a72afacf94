"""What a solver's loop works with: gradients through the prior and through A, and what is counted."""

import pytest
import torch
from toys import LINEAR, SHAPE, SIGMA_Y, Saturation, Wrapped, asked, quick, run, setup

from inverse.denoisers.exact import GaussianField
from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.solvers import SOLVERS
from inverse.solvers.calls import Pause
from inverse.solvers.run import Run


def make_run(task="deblur-gaussian", samples=3):
    return Run(*setup(task), SIGMA_Y, [generator(0, i) for i in range(samples)])


@pytest.mark.parametrize("name", [name for name, kind in SOLVERS.items() if "jacobian" in kind.specs()])
def test_finite_differences_agree_with_the_backward_pass_of_an_exact_prior(name):
    problem = setup("deblur-gaussian")
    exact, difference = (
        run(quick(name, jacobian=kind), *problem)[-1] for kind in SOLVERS[name].specs()["jacobian"].options
    )
    torch.testing.assert_close(difference.x0_hat, exact.x0_hat, rtol=0, atol=1e-8)
    assert difference.vjp == 0 and difference.nfe == exact.nfe + exact.vjp


@pytest.mark.parametrize("sigma", [0.01, 1.0, 80.0])
def test_vjp_and_finite_differences_are_the_jacobian_in_float32(sigma):
    prior, operator, y = setup("deblur-gaussian", torch.float32)
    run = Run(prior, operator, y, SIGMA_Y, [generator(0, i) for i in range(2)])
    v = torch.randn(2, *SHAPE, generator=generator(1))
    x = sigma * run.noise()
    expected = prior.to(torch.float64)(v.double(), sigma)  # the prior is linear and symmetric: J v = D(v)
    prior.to(torch.float32)
    for jacobian in ("exact", "finite-difference"):
        x0_hat, product = asked(run.denoise_vjp(x, sigma, lambda _: v, jacobian), prior)
        torch.testing.assert_close(x0_hat, prior(x, sigma))
        error = (product - expected).square().mean().sqrt() / expected.square().mean().sqrt()
        assert error <= (1e-5 if jacobian == "exact" else 5e-3)


def test_finite_differences_of_nothing_are_nothing():
    run = make_run()
    _, product = asked(run.denoise_vjp(run.noise(), 1.0, torch.zeros_like, "finite-difference"), run.denoiser)
    assert torch.equal(product, torch.zeros_like(product))


def test_finite_differences_go_farther_in_bfloat16():
    run, seen = make_run(), []
    run.denoiser = Wrapped(run.denoiser)
    run.denoiser.denoise = lambda x, sigma: seen.append(x) or x
    for run.denoiser.bfloat16 in (False, True):
        asked(run.denoise_vjp(run.noise(), 2.0, lambda x: x, "finite-difference"), run.denoiser)
    distances = [(seen[i + 1] - seen[i]).square().mean().sqrt().item() for i in (0, 2)]
    assert distances == pytest.approx([0.02, 0.2])


@pytest.mark.parametrize("task", LINEAR)
def test_the_surrogate_of_the_adjoint_is_the_adjoint_where_there_is_one(task):
    run = make_run(task)
    x = run.noise()
    adjoint = run.adjoint_residual(x)
    run.operator.linear = False
    torch.testing.assert_close(run.adjoint_residual(x), adjoint)


@pytest.mark.parametrize("task", [*LINEAR, "saturation"])
def test_misfit_gradient_is_that_of_a_norm_of_each_sample(task):
    run = make_run(task)
    x, direction = run.noise(), run.noise()
    _, gradient = run.misfit_and_gradient(x)

    def misfit(z):
        return (run.y - run.operator(z)).flatten(1).norm(dim=1)

    h = 1e-5
    slope = (misfit(x + h * direction) - misfit(x - h * direction)) / (2 * h)
    torch.testing.assert_close((gradient * direction).sum((1, 2, 3)), slope, rtol=1e-6, atol=1e-8)


def test_misfit_gradient_is_zero_where_the_misfit_is():
    run = make_run("inpaint-box")
    _, gradient = run.misfit_and_gradient(run.y)
    assert torch.equal(gradient, torch.zeros_like(run.y))


@pytest.mark.parametrize("shape", [(1, 1, 16, 15), (2, 1, 16, 16), (1, 16, 16)])
def test_a_measurement_that_does_not_fit_is_refused(shape):
    prior, operator, _ = setup()
    with pytest.raises(ProblemError, match="measurement of shape"):
        run(quick("dps"), prior, operator, torch.zeros(shape), seeds=(0, 1, 2))


class Counted(Saturation):
    """Writes down every time that it is asked, copies of it too."""

    def __init__(self, image_shape):
        super().__init__(image_shape)
        self.asked = []

    def __call__(self, x):
        self.asked.append(tuple(x.shape))
        return super().__call__(x)


def counted(steps=4, gradient_steps=50):
    prior, _, y = setup("saturation")
    return SOLVERS["daps"](steps=steps, gradient_steps=gradient_steps), prior, Counted(SHAPE), y


def test_inner_work_ends_where_its_run_is_closed():
    solver, prior, operator, y = counted()
    steps = solver.solve(prior, operator, y, SIGMA_Y, [generator(0)], pauses=True)
    assert all(isinstance(next(steps), Pause) for _ in range(8))  # the network's call, and seven of fifty inner steps
    assert len(operator.asked) == 7
    steps.close()
    assert list(steps) == [] and len(operator.asked) == 7


def test_work_without_the_network_is_counted():
    solver, prior, operator, y = counted(steps=3, gradient_steps=20)
    items = list(solver.solve(prior, operator, y, SIGMA_Y, [generator(0)], pauses=True))
    steps = [item for item in items if not isinstance(item, Pause)]
    assert [step.operator_calls for step in steps] == [20, 40, 60] and solver.operator_calls == 60
    assert len(items) - len(steps) == 3 + 60  # calls of the network, and inner ones
    assert [step.index for step in solver.solve(prior, operator, y, SIGMA_Y, [generator(0)])] == [1, 2, 3]


@pytest.mark.parametrize("name", SOLVERS)
def test_a_run_can_be_ended_after_every_call_of_the_network(name):
    solver, problem = quick(name), setup()
    items = list(solver.solve(*problem, SIGMA_Y, [generator(0)], pauses=True))
    steps = [item for item in items if not isinstance(item, Pause)]
    assert len(items) - len(steps) == solver.cost[0]
    assert len(steps) == solver.total


@pytest.mark.parametrize("edges", ["reflect", "circular"])
@pytest.mark.parametrize("c", [1e-6, 0.1, 100.0])
def test_the_correction_is_the_gain_of_the_misfit(edges, c):
    operator = TASKS["deblur-gaussian"](edges=edges).operator(SHAPE, generator(0), None).to("cpu", torch.float64)
    y, x = (torch.randn(2, *SHAPE, generator=generator(i), dtype=torch.float64) for i in (1, 2))
    run = Run(GaussianField(SHAPE), operator, y, SIGMA_Y, [generator(3), generator(4)])
    torch.testing.assert_close(
        run.correction(x, c), operator.regularized_pinv(y - operator(x), c), rtol=1e-9, atol=1e-9
    )
    torch.testing.assert_close(run.adjoint_residual(x), operator.adjoint(y - operator(x)), rtol=1e-9, atol=1e-9)
    coefficients = operator.measurement_to_spectral(y - operator(x))
    torch.testing.assert_close(run.spectral_misfit(x), coefficients, rtol=1e-9, atol=1e-9)
