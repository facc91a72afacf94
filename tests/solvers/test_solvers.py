"""The contract that every registered solver keeps; a new one is tested here without a change."""

import itertools
import pickle
import weakref

import pytest
import torch
from toys import LINEAR, NONLINEAR, SHAPE, SIGMA_Y, Wrapped, knowing, quick, run, setup

from inverse.errors import DivergenceError, ProblemError
from inverse.parameters import Choice, Flag, Integer, Real
from inverse.randomness import generator
from inverse.solvers import SOLVERS, Solver

STEPPED = [name for name, solver in SOLVERS.items() if solver.unstable]


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
    prior = knowing(name, prior)
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


def test_a_copied_step_has_its_residual_and_not_the_run():
    step = run(quick("diffpir"), *setup())[0]
    copied = pickle.loads(pickle.dumps(step))
    torch.testing.assert_close(copied.residual, step.residual)
    torch.testing.assert_close(copied.x0_hat, step.x0_hat)
    assert copied.measure is None


# --- what people read


@pytest.mark.parametrize("name", SOLVERS)
def test_a_solver_says_whether_the_noise_level_matters(name):
    prior, operator, y = setup("inpaint-box")
    kind, prior = SOLVERS[name], knowing(name, prior)
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
