"""The one entry: problems are what they say, runs repeat, and every refusal is a sentence."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from inverse import degrade, measured, restore, stream
from inverse.denoisers import catalog
from inverse.denoisers.catalog import EMBEDDED, load_prior
from inverse.denoisers.embedded import EDMDenoiser, load_network
from inverse.denoisers.exact import GaussianField
from inverse.errors import ImageError, InverseError, ParameterError, ProblemError
from inverse.imaging.metrics import psnr
from inverse.operators import TASKS, transforms
from inverse.solvers import SOLVERS, Step
from inverse.solvers.defaults import GENERAL
from inverse.solvers.presets import make_solver

QUICK = {"steps": 3, "gradient_steps": 1}


@pytest.fixture(scope="module")
def prior():
    return load_prior("embedded", "cpu", "float32")


@pytest.fixture(scope="module")
def precise_prior():
    """In float64: over the steps of a run a network magnifies the rounding that depends on the batch."""
    denoiser = EDMDenoiser(load_network(EMBEDDED).double(), "cpu", "float32")
    denoiser.dtype = torch.float64
    return denoiser


@pytest.fixture(scope="module")
def mask(photo):
    pixels = np.zeros((56, 72), np.uint8)
    pixels[20:30, 25:50] = 255
    return Image.fromarray(pixels)


def test_degraded_photo_is_operator_plus_noise_of_the_stated_strength(photo):
    problem = degrade(photo, "denoise", sigma_y=0.2)
    noise = problem.y - problem.truth
    assert abs(float(noise.std()) / 0.2 - 1) < 0.03 and abs(float(noise.mean())) < 0.01
    assert degrade(photo, "super-resolution", sigma_y=0.0).y.shape == (1, 3, 14, 18)


def test_missing_pixels_carry_no_noise_and_other_seeds_miss_others(photo):
    a, b = (degrade(photo, "inpaint-random", seed=seed) for seed in (0, 1))
    missing = (a.operator.mask == 0).expand_as(a.y)
    assert not a.y[missing].any() and abs(float(missing.float().mean()) - 0.7) < 0.03
    assert not torch.equal(a.operator.mask, b.operator.mask)
    assert torch.equal(a.y, degrade(photo, "inpaint-random", seed=0).y)


def test_photon_noise_counts_in_sigma_y(photo):
    problem = degrade(photo, "denoise", sigma_y=0.1, photons=50.0)
    spread = float((problem.y - problem.truth).square().mean().sqrt())
    assert abs(problem.sigma_y / spread - 1) < 0.05 and spread > 0.15


@pytest.mark.parametrize("solver", SOLVERS)
def test_same_seed_same_result_alone_and_in_company(photo, precise_prior, solver):
    problem = degrade(photo, "inpaint-random", size=24)
    few = {name: value for name, value in QUICK.items() if name in SOLVERS[solver].specs()}
    few["steps"] = max(few["steps"], SOLVERS[solver].specs()["steps"].low)
    *_, one = stream(problem, solver, precise_prior, solver_parameters=few, seed=5)
    *_, again = stream(problem, solver, precise_prior, solver_parameters=few, seed=5)
    *_, three = stream(problem, solver, precise_prior, solver_parameters=few, seed=5, samples=3)
    assert torch.equal(one.x0_hat, again.x0_hat)
    assert torch.equal(three.x0_hat[:1], one.x0_hat)
    *_, other = stream(problem, solver, precise_prior, solver_parameters=few, seed=6)
    assert not torch.equal(one.x0_hat, other.x0_hat)


# No prior can know the colours of a grey photo, and a Fourier magnitude is no picture to compare with.
GUESSED = {"colorize", "phase-retrieval"}


@pytest.mark.parametrize("task", [name for name, kind in TASKS.items() if not kind.auxiliary and name not in GUESSED])
def test_default_solver_improves_every_task(photo, prior, task):
    """A preset that gives garbage is a bug: better than the pseudo-inverse or the damaged photo itself."""
    result = restore(photo, task, denoiser=prior)
    problem = result.problem
    simple = problem.operator.pinv(problem.y) if problem.operator.linear else problem.y
    assert result.psnr[0] > psnr(simple[0], problem.truth[0])
    assert result.image.size == photo.size or TASKS[task]().multiple > 1


def test_the_default_solver_gives_colours_back(prior):
    """A mean of what the colours may be is grey, and so is a mode. Which colours is a guess, so photos are averaged."""
    amounts = {"truth": [], "own": [], "general": []}
    for name in ("chelsea", "astronaut"):
        with Image.open(Path(__file__).parents[1] / "assets" / "examples" / f"{name}.jpg") as photo:
            problem = degrade(photo.convert("RGB"), "colorize", size=64)
        (*_, own), (*_, general) = (stream(problem, solver, prior, samples=2) for solver in (None, GENERAL))
        for key, x in (("truth", problem.truth), ("own", own.x0_hat), ("general", general.x0_hat)):
            amounts[key].append(float((x - x.mean(1, keepdim=True)).abs().mean()))
    truth, own, general = (sum(found) for found in amounts.values())
    assert truth / 5 < own < 2 * truth and general < own / 4


def test_own_mask(photo, mask, prior):
    result = restore(photo, "inpaint-mask", auxiliary=mask, sigma_y=0.01, denoiser=prior)
    hole = result.problem.operator.mask == 0
    assert hole.sum() == 250
    known = (~hole).expand_as(result.problem.truth)
    error = (result.step.x0_hat - result.problem.truth)[known]
    assert error.square().mean().sqrt() < 0.02  # 40 dB where nothing was missing


def test_already_degraded_photo_is_the_measurement(photo, prior):
    small = photo.resize((18, 14))
    problem = measured(small, "super-resolution", sigma_y=0.02)
    assert problem.truth is None and problem.operator.image_shape == (3, 56, 72)
    result = restore(small, "super-resolution", degraded=True, denoiser=prior, solver_parameters=QUICK)
    assert result.image.size == (72, 56) and result.psnr == [] and result.ssim == []


@pytest.mark.parametrize("sigma_y", [0.05, 0.2])
def test_noise_of_a_degraded_photo_is_estimated(sigma_y):
    smooth = Image.linear_gradient("L").convert("RGB")
    noisy = degrade(smooth, "denoise", sigma_y=sigma_y).measurement
    assert abs(measured(noisy, "denoise").sigma_y / sigma_y - 1) < 0.2


def test_degrading_and_restoring_meet_over_a_saved_picture(photo, prior, tmp_path):
    """The same task and seed name the same random mask."""
    degrade(photo, "inpaint-random", seed=3).measurement.save(tmp_path / "y.png")
    again = measured(tmp_path / "y.png", "inpaint-random", seed=3, sigma_y=0.05)
    original = degrade(photo, "inpaint-random", seed=3)
    assert torch.equal(again.operator.mask, original.operator.mask)
    assert (again.y - original.y.clamp(-1, 1)).abs().max() <= 1 / 255


@pytest.mark.parametrize("sigma_y", [0.02, 0.2])
@pytest.mark.parametrize(
    ("task", "parameters"),
    [
        *((task, {}) for task in ("inpaint-box", "deblur-gaussian", "phase-retrieval", "hdr", "bit-depth")),
        ("jpeg", {"quality": 80}),  # so many levels that chance evens out in a small photo
    ],
)
def test_the_truth_fits_as_well_as_its_noise_says(photo, task, parameters, sigma_y):
    """Also where the noisy measurement is rounded or clipped."""
    problem = degrade(photo, task, task_parameters=parameters, sigma_y=sigma_y, seed=5)
    square = (problem.y - problem.operator(problem.truth)).square().sum() / problem.operator.entries
    step = Step(1, 1, 0.0, problem.truth, problem.truth, 1, 0, lambda _: square.sqrt()[None])
    assert problem.relative_residual(step) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (61, 43)])
@pytest.mark.parametrize("task", ["inpaint-random", "deblur-gaussian", "super-resolution", "denoise"])
def test_any_size(prior, size, task):
    result = restore(Image.new("RGB", size, "teal"), task, denoiser=prior, solver_parameters=QUICK)
    assert torch.isfinite(result.step.x0_hat).all()


def test_closing_the_stream_stops_the_solver(photo, prior):
    calls = []

    class Counting(type(prior)):
        def __init__(self):
            self.__dict__.update(vars(prior))

        def denoise(self, x, sigma):
            calls.append(1)
            return super().denoise(x, sigma)

    steps = stream(degrade(photo, "denoise", size=24), "vml-map", Counting())
    next(steps)
    steps.close()
    assert len(calls) == 1
    assert torch.is_grad_enabled()


def test_solver_and_task_may_be_instances(photo, prior):
    task = TASKS["deblur-gaussian"](std=1.0)
    result = restore(photo, task, SOLVERS[GENERAL](**QUICK), denoiser=prior)
    assert result.problem.task is task or result.problem.task == task
    assert result.step.total == 6


def test_default_prior_is_the_embedded_one(photo):
    assert restore(photo, size=16, solver_parameters=QUICK).step.index == 7


def test_a_prior_of_other_channels_is_refused(photo):
    with pytest.raises(ProblemError, match="1 channels"):
        restore(photo, denoiser=GaussianField((1, 56, 72)), solver_parameters=QUICK)


HOSTILE = [
    ({"sigma_y": float("nan")}, ParameterError, "sigma_y must be a number from 0 to 1"),
    ({"sigma_y": True}, ParameterError, "sigma_y"),
    ({"sigma_y": "0.1"}, ParameterError, "sigma_y"),
    ({"sigma_y": 1e308}, ParameterError, "sigma_y"),
    ({"seed": -1}, ParameterError, "seed must be a whole number"),
    ({"seed": 2**32}, ParameterError, "seed"),
    ({"seed": 0.5}, ParameterError, "seed"),
    ({"samples": 0}, ParameterError, "samples"),
    ({"samples": 10**6}, ParameterError, "samples"),
    ({"size": 4}, ParameterError, "size"),
    ({"size": [5]}, ParameterError, "size"),
    ({"task": "inpaint-bx"}, ParameterError, "Did you mean 'inpaint-box'"),
    ({"task": 3}, ParameterError, "not a task"),
    ({"solver": "DPS!"}, ParameterError, "not a solver"),
    ({"task_parameters": {"missing": 2.0}}, ParameterError, "missing must be a number from 0 to 0.99"),
    ({"task_parameters": {"std": 2.0}}, ParameterError, "'std' is not a parameter of inpaint-random"),
    ({"solver_parameters": {"step_size": float("inf")}}, ParameterError, "step_size must be"),
    ({"solver_parameters": {"stepsize": 1.0}}, ParameterError, "Did you mean 'step_size'"),
    ({"photo": b"text"}, ImageError, "not a picture"),
    ({"task": "inpaint-mask"}, ProblemError, "needs a mask"),
    ({"task": "inpaint-mask", "auxiliary": Image.new("L", (36, 28), 255)}, ProblemError, "covers the whole image"),
    ({"task": "inpaint-mask", "auxiliary": b"x"}, ImageError, "not a picture"),
    ({"auxiliary": Image.new("L", (36, 28), 255)}, ProblemError, "takes no mask or kernel"),
]


@pytest.mark.parametrize(("wrong", "kind", "said"), HOSTILE, ids=[str(list(h[0].items())[-1])[:40] for h in HOSTILE])
@pytest.mark.parametrize("degraded", [False, True])
def test_bad_input_ends_in_a_sentence(photo, wrong, kind, said, degraded):
    with pytest.raises(kind, match=said) as caught:
        task = {"task": "inpaint-random"}
        restore(**{"photo": photo, **task, "solver_parameters": QUICK, "degraded": degraded, **wrong})
    assert isinstance(caught.value, InverseError) and str(caught.value).endswith((".", "'.", "?"))


@pytest.mark.parametrize(("sigma_y", "last"), [(0.01, 0.02), (0.2, 0.1)])
def test_the_last_noise_level_follows_a_cleaner_measurement(photo, prior, sigma_y, last):
    """A level far above the measurement's noise would smooth what the measurement knows, in every solver."""
    problem = degrade(photo, "inpaint-box", size=24, sigma_y=sigma_y)
    solver = SOLVERS[GENERAL](sigma_min=0.1, **QUICK)
    levels = [step.sigma for step in stream(problem, solver, prior)]
    assert min(level for level in levels if level) == pytest.approx(last)


def test_a_degraded_photo_loses_nothing_unless_a_task_says_so(photo):
    assert restore(photo, degraded=True, solver_parameters=QUICK, sigma_y=0.1).problem.task.name == "denoise"
    assert restore(photo, solver_parameters=QUICK).problem.task.name == "inpaint-random"


def test_photons_of_a_degraded_photo_are_refused(photo):
    with pytest.raises(ParameterError, match="photons"):
        restore(photo, "denoise", degraded=True, photons=10, solver_parameters=QUICK)


@pytest.mark.parametrize("solver", ["vml-map", "dps"])
def test_the_mode_of_inference_changes_nothing(photo, solver):
    """Not even for whoever loads the same prior later."""
    catalog.forget()
    transforms.dct_matrix.cache_clear()
    settings = {"solver_parameters": {"steps": 10}, "size": 32}
    with torch.inference_mode():
        inside = restore(photo, "deblur-gaussian", solver, **settings)
    outside = restore(photo, "deblur-gaussian", solver, **settings)
    torch.testing.assert_close(inside.step.x0_hat, outside.step.x0_hat, rtol=0, atol=0)


def test_a_prior_may_be_named(photo):
    settings = {"solver_parameters": {"steps": 2}, "size": 16}
    named, usual = (restore(photo, "denoise", denoiser=prior, **settings) for prior in ("embedded", None))
    assert named.image.tobytes() == usual.image.tobytes()
    with pytest.raises(ParameterError, match="nowhere"):
        restore(photo, "denoise", denoiser="nowhere", **settings)


@pytest.mark.parametrize("task", ["inpaint-box", "denoise"])
def test_a_clean_measurement_is_followed(photo, prior, task):
    """What is known exactly stays as it is, within half a grey level, with the solver that is taken by default."""
    last = restore(photo, task, denoiser=prior, sigma_y=0.0, size=64).step
    assert float(last.residual) < 1 / 255


def test_a_prior_of_another_kind_has_no_preset_of_this_one_however_a_run_is_asked_for(photo):
    class Field(GaussianField):
        kind, dtype = "", torch.float64

    prior = Field((3, 32, 41))
    asked = {"task": "deblur-gaussian", "size": 32}
    result = restore(photo, **asked, solver="vml-map", denoiser=prior)
    *_, last = stream(degrade(photo, **asked), "vml-map", prior)
    own = make_solver("vml-map", TASKS["deblur-gaussian"](), kind="")
    assert own == SOLVERS["vml-map"]() != make_solver("vml-map", TASKS["deblur-gaussian"]())
    *_, wanted = stream(degrade(photo, **asked), own, prior)
    assert torch.equal(result.step.x0_hat, last.x0_hat) and torch.equal(last.x0_hat, wanted.x0_hat)
