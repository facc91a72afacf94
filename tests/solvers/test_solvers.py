"""The contract that every registered solver keeps; a new one is tested here without a change."""

import itertools
import math
import pickle
import weakref
from functools import cache

import pytest
import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.exact import GaussianField
from inverse.errors import DivergenceError, ProblemError
from inverse.evaluation import judge
from inverse.operators import TASKS, Operator, noise
from inverse.parameters import Choice, Flag, Integer, Real
from inverse.randomness import generator
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.calls import Pause, answer
from inverse.solvers.ddrm import spectral_step
from inverse.solvers.dps import misfit_step_size
from inverse.solvers.reverse import ancestral, ddim, on_sphere
from inverse.solvers.run import Run

SHAPE = (1, 16, 16)
SIGMA_Y = 0.05
LINEAR = {
    "inpaint-box": {},
    "deblur-gaussian": {"std": 1.0, "edges": "circular"},
    "super-resolution": {"factor": 2},
}
NONLINEAR = [name for name, solver in SOLVERS.items() if not solver.linear_only]
STEPPED = [name for name, solver in SOLVERS.items() if solver.unstable]


class Saturation(Operator):
    """A(x) = tanh(x): smooth, of slope 1 at most."""

    norm = 1.0

    def __init__(self, image_shape):
        self.image_shape = self.measurement_shape = tuple(image_shape)

    def __call__(self, x):
        return x.tanh()


class Wrapped(Denoiser):
    """A prior that records the noise levels it is asked for, and can be spoilt from some call on."""

    batches = True

    def __init__(self, prior, spoil_at=None, spoilt=float("nan"), sigma_min=0.0, sigma_max=math.inf):
        self.prior, self.spoil_at, self.spoilt = prior, spoil_at, spoilt
        self.channels, self.dtype, self.data_std = prior.channels, prior.dtype, prior.data_std
        self.sigma_min, self.sigma_max = max(sigma_min, prior.sigma_min), min(sigma_max, prior.sigma_max)
        self.sigmas = []

    def denoise(self, x, sigma):
        self.sigmas.append(sigma.max().item())
        x0_hat = self.prior(x, sigma)
        return x0_hat if self.spoil_at is None or len(self.sigmas) < self.spoil_at else x0_hat + self.spoilt


def quick(name, **settings):
    """The solver with few steps."""
    kind = SOLVERS[name]
    few = {"steps": max(kind.specs()["steps"].low, 10)}
    if "gradient_steps" in kind.specs():
        few["gradient_steps"] = 2
    return kind.create({**few, **settings})


def setup(task="inpaint-box", dtype=torch.float64, shape=SHAPE, settings=None):
    prior = GaussianField(shape).to(dtype)
    if task == "saturation":
        operator = Saturation(shape)
    else:
        operator = TASKS[task].create(settings or LINEAR[task]).operator(shape, generator(3), None)
    operator = operator.to("cpu", dtype)
    clean = operator(prior.sample(generator(1)).to(dtype))
    y = clean + SIGMA_Y * torch.randn(clean.shape, generator=generator(2), dtype=torch.float64).to(dtype)
    return prior, operator, operator.project(y)


def run(solver, prior, operator, y, seeds=(0,)):
    return list(solver.solve(prior, operator, y, SIGMA_Y, [generator(7, seed) for seed in seeds]))


def pairs():
    return [(name, task) for name in SOLVERS for task in LINEAR] + [(name, "saturation") for name in NONLINEAR]


@pytest.mark.parametrize(("name", "task"), list(pairs()))
def test_steps_keep_their_promises(name, task):
    solver, (prior, operator, y) = quick(name), setup(task)
    prior = Wrapped(prior)
    steps = run(solver, prior, operator, y, seeds=(0, 1))
    assert [step.index for step in steps] == list(range(1, solver.total + 1))
    assert all(step.total == solver.total for step in steps)
    assert (steps[-1].nfe, steps[-1].vjp) == solver.cost
    assert steps[-1].nfe == len(prior.sigmas)
    for step in steps:
        assert step.x.shape == step.x0_hat.shape == (2, *SHAPE)
        assert step.x.dtype == step.x0_hat.dtype == torch.float64
        assert not step.x.requires_grad and not step.x0_hat.requires_grad
        square = (y - operator(step.x0_hat)).flatten(1).square().sum(1) / operator.entries
        torch.testing.assert_close(step.residual, square.sqrt())
    assert steps[-1].sigma == 0
    assert torch.equal(steps[-1].x, steps[-1].x0_hat)
    counts = [(step.nfe, step.vjp) for step in steps]
    assert counts == sorted(counts)


def variations():
    for name, kind in SOLVERS.items():
        for field, spec in kind.specs().items():
            default = kind.defaults()[field]
            if isinstance(spec, Choice):
                values = [value for value in spec.options if value != default]
            elif isinstance(spec, Flag):
                values = [not default]
            elif isinstance(spec, Integer):
                values = [spec.low, max(spec.low, 10) + 1] if field == "steps" else [spec.low, 3]
            elif isinstance(spec, Real):
                values = [] if field == "step_size" else [spec.low, spec.high]
            yield from ((name, field, value) for value in values)


@pytest.mark.parametrize(("name", "field", "value"), list(variations()))
def test_total_and_cost_hold_for_every_setting_and_none_crashes(name, field, value):
    solver, (prior, operator, y) = quick(name, **{field: value}), setup("deblur-gaussian")
    prior = Wrapped(prior)
    try:
        steps = run(solver, prior, operator, y)
    except DivergenceError:  # an extreme value may; it is said, and nothing else goes wrong
        assert isinstance(SOLVERS[name].specs()[field], Real)
        return
    assert len(steps) == solver.total
    assert (steps[-1].nfe, steps[-1].vjp) == solver.cost
    assert len(prior.sigmas) == steps[-1].nfe


@pytest.mark.parametrize("task", ["deblur-gaussian", "saturation"])
@pytest.mark.parametrize("name", SOLVERS)
def test_a_sample_does_not_depend_on_its_batch(name, task):
    if task == "saturation" and name not in NONLINEAR:
        pytest.skip("linear tasks only")
    solver, (prior, operator, y) = quick(name), setup(task, torch.float32)
    together = run(solver, prior, operator, y, seeds=(0, 1, 2))[-1].x0_hat
    torch.testing.assert_close(together[1:2], run(solver, prior, operator, y, seeds=(1,))[-1].x0_hat, rtol=0, atol=1e-5)
    # Nor on the measurements beside its own.
    several = torch.cat([1 - y, y, 3 * y])
    mixed = run(solver, prior, operator, several, seeds=(0, 1, 2))[-1].x0_hat
    torch.testing.assert_close(mixed[1], together[1], rtol=0, atol=1e-5)
    assert (mixed[0] - together[0]).abs().max() > 0.1


@pytest.mark.parametrize("name", SOLVERS)
def test_the_seed_decides(name):
    solver, problem = quick(name), setup()
    first, again = run(solver, *problem)[-1].x0_hat, run(solver, *problem)[-1].x0_hat
    assert torch.equal(first, again)
    if solver.defaults().get("guidance_scale") != 20.0:  # RED-diff's noise averages out
        other = run(solver, *problem, seeds=(1,))[-1].x0_hat
        assert not torch.equal(first, other)


@pytest.mark.parametrize("task", ["deblur-gaussian", "saturation"])
@pytest.mark.parametrize("name", SOLVERS)
def test_float32_comes_close_to_float64_from_sigma_80(name, task):
    if task == "saturation" and name not in NONLINEAR:
        pytest.skip("linear tasks only")
    solver = quick(name, steps=50, sigma_max=80.0)
    exact, single = (run(solver, *setup(task, dtype))[-1].x0_hat for dtype in (torch.float64, torch.float32))
    torch.testing.assert_close(single.double(), exact, rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", SOLVERS)
def test_the_prior_is_asked_within_its_range_only(name):
    prior, operator, y = setup()
    prior = Wrapped(prior, sigma_min=0.2, sigma_max=3.0)
    run(quick(name, sigma_max=80.0, sigma_min=0.001), prior, operator, y)
    assert min(prior.sigmas) >= 0.2 and max(prior.sigmas) == 3.0


@pytest.mark.parametrize("name", SOLVERS)
def test_a_run_that_starts_below_where_it_ends_still_ends(name):
    steps = run(quick(name, sigma_max=0.5, sigma_min=0.5), *setup())
    assert torch.isfinite(steps[-1].x0_hat).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_noiseless_measurements_are_no_special_case(name):
    prior, operator, _ = setup("deblur-gaussian", torch.float32)
    y = operator(prior.sample(generator(1)).float())
    *_, last = quick(name).solve(prior, operator, y, 0.0, [generator(0)])
    assert torch.isfinite(last.x0_hat).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_closing_the_run_frees_its_tensors_at_once(name):
    steps = quick(name).solve(*setup(), SIGMA_Y, [generator(0)])
    step = [next(steps) for _ in range(3)][-1]
    held = [weakref.ref(step.x), weakref.ref(step.x0_hat), weakref.ref(steps)]
    del step
    steps.close()
    assert list(steps) == []
    del steps
    assert [ref() for ref in held] == [None] * 3


@pytest.mark.parametrize("name", SOLVERS)
def test_grad_mode_does_not_leak(name):
    steps = quick(name).solve(*setup(), SIGMA_Y, [generator(0)])
    for mode in (True, False, True):
        with torch.set_grad_enabled(mode):
            next(steps)
            assert torch.is_grad_enabled() == mode
    steps.close()
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("name", SOLVERS)
def test_a_broken_prior_is_named_within_the_step(name):
    prior, operator, y = setup()
    before = run(quick(name), prior, operator, y)
    at = max(SOLVERS[name].specs()["steps"].low // 2, 6)
    failing = next(step.index for step in before if step.nfe >= at)
    for spoilt in (float("nan"), float("inf")):
        with pytest.raises(DivergenceError, match=rf"at step {failing} of {len(before)}: the prior") as caught:
            run(quick(name), Wrapped(prior, at, spoilt), operator, y)
        assert caught.value.last.index == failing - 1
        assert torch.equal(caught.value.last.x0_hat, before[failing - 2].x0_hat)


@pytest.mark.parametrize("name", SOLVERS)
def test_a_prior_that_is_broken_from_the_start_leaves_no_step(name):
    prior, operator, y = setup()
    with pytest.raises(DivergenceError, match="at step 1 of") as caught:
        run(quick(name), Wrapped(prior, 1), operator, y)
    assert caught.value.last is None


def test_a_single_pixel_of_a_broken_prior_is_blamed_on_it():
    prior, operator, y = setup()
    spoilt = torch.zeros(SHAPE, dtype=torch.float64)
    spoilt[..., 3, 5] = float("nan")
    with pytest.raises(DivergenceError, match=r"at step 1 of \d+: the prior returned"):
        run(quick("ddnm"), Wrapped(prior, 1, spoilt), operator, y)


@pytest.mark.parametrize("name", STEPPED)
def test_divergence_is_caught_with_step_knob_and_last_good_step(name):
    """The knob is pushed far beyond its range; a solver that projects, or solves exactly, withstands that."""
    free = {"stop_at_noise": False} if "stop_at_noise" in SOLVERS[name].specs() else {}
    solver, (prior, operator, y) = quick(name, **free), setup("saturation" if name == "daps" else "deblur-gaussian")
    object.__setattr__(solver, solver.unstable, 1.0 if name == "dsg" else 1e9)
    if name in ("dmap", "dsg", "diffpir"):
        assert run(solver, prior, operator, y)[-1].x0_hat.abs().max() < 1e3
        return
    knob = rf"at step \d+ of {solver.total}: it diverged.*Lower {solver.unstable}, which is 1e\+09"
    with pytest.raises(DivergenceError, match=knob) as caught:
        run(solver, prior, operator, y)
    last = caught.value.last
    assert last is None or torch.isfinite(last.x0_hat).all()
    assert f"at step {last.index + 1 if last else 1} of" in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_a_state_beyond_every_bound_is_told_though_its_estimate_is_sound(value):
    class Runaway(Solver):
        title = "Runaway"
        unstable = ""

        def frames(self, run, sigmas):
            x0_hat = yield from run.denoise(run.noise(), sigmas[0])
            yield sigmas[0], x0_hat, x0_hat
            yield sigmas[1], x0_hat + value, x0_hat

    with pytest.raises(DivergenceError, match="at step 2 of") as caught:
        run(Runaway(), *setup())
    assert caught.value.last.index == 1


@pytest.mark.parametrize("name", ["dps", "dmap"])
def test_the_largest_step_size_that_is_allowed_is_caught_or_bounded(name):
    settings = {"step_size": 100.0, "coordinates": "vp", "sigma_max": 80.0, "stop_at_noise": False}
    solver, problem = quick(name, **settings), setup("deblur-gaussian")
    try:
        last = run(solver, *problem)[-1]
    except DivergenceError as error:
        assert "step_size, which is 100" in str(error)
    else:
        assert last.x0_hat.abs().max() < 1e6


def test_an_impossible_pair_is_refused_with_those_that_can():
    prior, operator, y = setup("saturation")
    for name, kind in SOLVERS.items():
        if kind.linear_only:
            with pytest.raises(ProblemError, match=r"needs a linear task.*" + ", ".join(NONLINEAR)):
                run(quick(name), prior, operator, y)


def test_the_solvers_that_can_deal_with_nonlinear_tasks():
    assert {"dps", "dmap", "dsg", "red-diff", "daps", "vml-map-published"} <= set(NONLINEAR)


@pytest.mark.parametrize("name", NONLINEAR)
def test_a_nonlinear_measurement_is_followed(name):
    """Half of the error that the prior's mean has is gone, and the residual is of the size of the noise."""
    prior, operator, y = setup("saturation")
    settings = {"vml-map-published": {"steps": 10}, "daps": {"steps": 50}}.get(name, {})
    last = run(SOLVERS[name](**settings), prior, operator, y, seeds=(0, 1))[-1]
    truth = prior.sample(generator(1))
    assert (last.residual <= 1.6 * SIGMA_Y).all()
    assert (last.x0_hat - truth).square().mean().sqrt() <= 0.5 * truth.square().mean().sqrt()


def test_langevin_agrees_with_the_exact_draw_on_a_linear_task():
    """The same measurement, said to be linear and not, gives samples as close to it, of the same spread, to 15 %."""
    prior, operator, y = setup("deblur-gaussian", shape=(1, 8, 8))
    solver = SOLVERS["daps"](steps=12, stochasticity=1.0, gradient_steps=100, step_size=0.1)
    exact = run(solver, prior, operator, y, seeds=range(16))[-1]
    operator.linear = False
    langevin = run(solver, prior, operator, y, seeds=range(16))[-1]
    assert 0.85 <= langevin.x0_hat.var(0).mean().sqrt() / exact.x0_hat.var(0).mean().sqrt() <= 1.15
    assert 0.85 <= langevin.residual.mean() / exact.residual.mean() <= 1.15


def test_a_copied_step_has_its_residual_and_not_the_run():
    step = run(quick("diffpir"), *setup())[0]
    copied = pickle.loads(pickle.dumps(step))
    torch.testing.assert_close(copied.residual, step.residual)
    torch.testing.assert_close(copied.x0_hat, step.x0_hat)
    assert copied.measure is None


# --- parts that several solvers share


def asked(asking, prior):
    """What a part that calls the network comes to."""
    reply = None
    while True:
        try:
            call = asking.send(reply)
        except StopIteration as end:
            return end.value
        (reply,) = answer(prior, [call])


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
    gradient = run.misfit_gradient(x)

    def misfit(z):
        return (run.y - run.operator(z)).flatten(1).norm(dim=1)

    h = 1e-5
    slope = (misfit(x + h * direction) - misfit(x - h * direction)) / (2 * h)
    torch.testing.assert_close((gradient * direction).sum((1, 2, 3)), slope, rtol=1e-6, atol=1e-8)


def test_misfit_gradient_is_zero_where_the_misfit_is():
    run = make_run("inpaint-box")
    assert torch.equal(run.misfit_gradient(run.y), torch.zeros_like(run.y))


@pytest.mark.parametrize("shape", [(1, 1, 16, 15), (2, 1, 16, 16), (1, 16, 16)])
def test_a_measurement_that_does_not_fit_is_refused(shape):
    prior, operator, _ = setup()
    with pytest.raises(ProblemError, match="measurement of shape"):
        run(quick("dps"), prior, operator, torch.zeros(shape), seeds=(0, 1, 2))


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


# --- draws of single solvers, where their distribution is known


class Certain(Denoiser):
    """A prior whose estimate is one picture, whatever it is asked."""

    dtype, batches = torch.float64, True
    sigma_min, sigma_max, data_std = 1e-4, 1e4, 0.4

    def __init__(self, estimate):
        self.estimate, self.channels = estimate, estimate.shape[1]

    def denoise(self, x, sigma):
        return self.estimate.expand_as(x)


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


# --- relations between solvers


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


# --- where a solver that follows a gradient of the misfit stops


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


# --- what can be ended within a step


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


# --- what people read


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_says_whether_the_noise_level_matters(name):
    prior, operator, y = setup("inpaint-box")
    kind = SOLVERS[name]
    ends = [list(quick(name).solve(prior, operator, y, level, [generator(0)]))[-1].x0_hat for level in (0.2, 0.6)]
    assert torch.equal(*ends) != kind.uses_sigma_y
    assert ("noise level" in kind.remark()) != kind.uses_sigma_y


@pytest.mark.parametrize("name", SOLVERS)
def test_every_parameter_explains_itself(name):
    kind = SOLVERS[name]
    assert kind.title and kind.summary.endswith(".") and kind.source and kind.__doc__
    assert not kind.unstable or isinstance(kind.specs()[kind.unstable], Real)
    shown = [field for field, spec in kind.specs().items() if not spec.advanced]
    assert 1 <= len(shown) <= 5
    for field, spec in kind.specs().items():
        assert spec.help.endswith("."), field
        assert spec.advanced or spec.effect.endswith("."), field


def test_shared_knobs_are_of_one_kind():
    kinds = {"gradient_steps": Integer, "step_size": Real, "guidance_scale": Real}
    for kind, (field, expected) in itertools.product(SOLVERS.values(), kinds.items()):
        assert field not in kind.specs() or isinstance(kind.specs()[field], expected)


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
