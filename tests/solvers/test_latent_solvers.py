"""Every solver on a latent prior that a test saved: residual, frames, Stop, and which way it meets a measurement."""

import latents
import pytest
import torch
from toys import NONLINEAR, SIGMA_Y

from inverse.denoisers.catalog import load_prior
from inverse.denoisers.exact import GaussianField
from inverse.errors import ProblemError
from inverse.operators import TASKS
from inverse.operators.composition import Autoencoded
from inverse.operators.denoising import Identity
from inverse.randomness import generator
from inverse.solvers import SOLVERS, presets, ways
from inverse.solvers.dps import misfit_step_size
from inverse.solvers.presets import preset

SHAPE = (3, 16, 16)
TASK = {"inpaint-random": {"missing": 0.3}, "deblur-gaussian": {"std": 1.0}, "jpeg": {}}
FEW = {
    "diffpir": {"steps": 60, "guidance_scale": 10.0}, "daps": {"steps": 6, "gradient_steps": 40},
    "red-diff": {"steps": 50}, "dps": {"steps": 40}, "ac-dc": {"steps": 60, "sigma_min": 0.01, "guidance_scale": 10.0},
}  # fmt: skip
BEHIND = [name for name, (linear, _) in ways.table().items() if linear]


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    return load_prior(str(latents.pipeline(tmp_path_factory.mktemp("latent"))), "cpu")


def problem(prior, task):
    """A measurement of a picture that the decoder can make."""
    operator = TASKS[task].create(TASK[task]).operator(SHAPE, generator(3), None)
    truth = prior.lower(prior.codec.encode(GaussianField(SHAPE).sample(generator(0)).float()))
    noise = torch.randn(operator(truth).shape, generator=generator(4))
    return operator, operator.measure(truth, lambda y: y + SIGMA_Y * noise), truth


def solver(name, **settings):
    few = {"steps": max(12, SOLVERS[name].step_range()[0]), **FEW.get(name, {})}
    few = {**few, "gradient_steps": 3} if name == "vml-map-published" else few
    return SOLVERS[name].create({**few, **settings})


def run(name, prior, operator, y, seeds=1, **settings):
    return list(solver(name, **settings).solve(prior, operator, y, SIGMA_Y, [generator(7, i) for i in range(seeds)]))


@pytest.mark.parametrize("task", TASK)
@pytest.mark.parametrize("name", BEHIND)
def test_it_ends_near_the_measurement(prior, name, task):
    operator, y, _ = problem(prior, task)
    if not presets.possible(task, name, prior.kind):
        pytest.skip("no way behind a decoder")
    steps = run(name, prior, operator, y)
    assert len(steps) == solver(name).total
    assert steps[-1].x0_hat.shape == (1, *SHAPE) and float(steps[-1].residual) < 1.5 * SIGMA_Y
    for frame in (steps[0].draft, steps[len(steps) // 2].draft):
        assert frame.x0_hat.shape == frame.x.shape == (1, *SHAPE) and torch.isfinite(frame.x0_hat).all()


@pytest.mark.parametrize("name", BEHIND)
def test_samples_do_not_depend_on_their_company(prior, name):
    operator, y, _ = problem(prior, "inpaint-random")
    few = {"steps": SOLVERS[name].step_range()[0]}
    together = run(name, prior, operator, y, 2, **few)[-1].x0_hat
    assert torch.equal(together[:1], run(name, prior, operator, y, 1, **few)[-1].x0_hat)


@pytest.mark.parametrize("name", BEHIND)
def test_it_can_be_stopped_within_a_step(prior, name, monkeypatch):
    """Closed at a pause between two calls, it makes no other, of the network or of the autoencoder."""
    operator, y, _ = problem(prior, "deblur-gaussian")
    calls, denoise = [], prior.inner.denoise
    monkeypatch.setattr(prior.inner, "denoise", lambda *given: calls.append(1) or denoise(*given))
    going = solver(name).solve(prior, operator, y, SIGMA_Y, [generator(7)], pauses=True)
    next(going)
    going.close()
    assert len(calls) == 1 and list(going) == []


# The table


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("task", ["inpaint-random", "jpeg"])
def test_the_table_is_what_happens(prior, name, task, monkeypatch):
    operator, y, _ = problem(prior, task)
    way = ways.table()[name][not operator.linear]
    lifted = prior.lift(operator)
    assert SOLVERS[name].able(lifted) == presets.possible(task, name, prior.kind) == (way is not None)
    differentiated, encoded = [], []
    vjp, correction = Autoencoded.vjp, Autoencoded.correction
    monkeypatch.setattr(Autoencoded, "vjp", lambda *given: differentiated.append(1) or vjp(*given))
    monkeypatch.setattr(Autoencoded, "correction", lambda *given: encoded.append(1) or correction(*given))
    if way is None:
        with pytest.raises(ProblemError, match=r"needs a linear task.*\. Choose one of these solvers: vml-map"):
            run(name, prior, operator, y)
        return
    run(name, prior, operator, y, steps=SOLVERS[name].step_range()[0])
    assert bool(differentiated) == (way == ways.DECODER) == SOLVERS[name].differentiates(lifted)
    assert bool(encoded) == (way == ways.ENCODER)


def test_the_table_in_words():
    table = ways.table()
    assert {name for name in SOLVERS if table[name] == (None, None)} == {
        "cse", "cse-vml-map", "ddrm", "ddnm", "pigdm", "vml-map-preconditioned",
    }  # fmt: skip
    assert {name for name, (linear, _) in table.items() if linear == ways.ENCODER} == {"vml-map", "diffpir", "ac-dc"}
    assert {name for name, (_, other) in table.items() if other} == set(NONLINEAR)
    assert ways.words(SOLVERS["dps"]) == ways.DECODER and ways.words(SOLVERS["ddrm"]) == ways.NEITHER
    assert ways.words(SOLVERS["diffpir"]) == ways.ENCODER
    assert ways.words(SOLVERS["vml-map"]) == f"linear tasks {ways.ENCODER}; other tasks {ways.DECODER}"


# In pictures between decoder and encoder


@pytest.mark.parametrize("task", ["inpaint-random", "deblur-gaussian"])
def test_the_step_in_pictures_is_that_of_the_latents_where_the_autoencoder_is_linear(prior, task):
    """Encoding the means of 2x2 pixels and decoding by repeating them, the proximal step is known for a mask of such
    squares: of every latent alone."""
    operator, y, truth = problem(prior, task)
    z, c = prior.codec.encode(truth), 0.3
    lifted = prior.lift(operator)
    picture = lifted.decode(z + 0.2)
    change = operator.regularized_pinv(y - operator(picture), c / prior.codec.spread**2)
    expected = latents.SCALE * torch.nn.functional.avg_pool2d(change, 2)
    torch.testing.assert_close(lifted.correction(z + 0.2, y, c), expected, rtol=0, atol=2e-3)
    with torch.no_grad():
        assert not lifted.correction(z.requires_grad_(), y, c).requires_grad


def test_in_pixels_the_weights_are_those_of_latents(prior):
    """y = x: the correction is to y by 1 / (1 + c / spread^2), as for latents whose noise is spread sigma in pixels."""
    operator, z = Identity(SHAPE), torch.zeros(1, 3, 8, 8)
    y, c = prior.lower(z + 1.0), 0.5
    found = prior.lift(operator).correction(z, y, c)
    torch.testing.assert_close(found, torch.full_like(z, 1 / (1 + c * latents.SCALE**2)), rtol=0, atol=2e-3)


def test_a_latent_that_explains_the_measurement_stays_though_the_autoencoder_errs(tmp_path):
    """Of a random autoencoder encode(decode(z)) is far from z."""
    folder = latents.pipeline(tmp_path, autoencoder=latents.codec())
    prior, z = load_prior(str(folder), "cpu"), torch.randn(1, 3, 8, 8, generator=generator(0))
    operator = TASKS["deblur-gaussian"].create({}).operator(SHAPE, generator(3), None)
    lifted = prior.lift(operator)
    assert (prior.codec.encode(prior.lower(z)) - z).abs().max() > 0.1
    assert lifted.correction(z, lifted(z), 1e-3).abs().max() < 1e-3


# The paper's setting


def test_the_presets_of_latents_are_the_papers():
    for name in ("dps", "dmap"):
        for task, zeta in (("super-resolution", 4.8), ("super-resolution-bicubic", 4.8), ("deblur-gaussian", 0.6)):
            found = preset(task, name, kind="latent")
            entries = 4 * 64 * 64  # of Stable Diffusion at 512 pixels
            run = misfit_step_size(found.step_size, found.steps, entries, found.coordinates, 3.0, 2.9)
            assert run == pytest.approx(zeta, rel=1e-4) and found.steps == 500 and not found.stop_at_noise
    assert preset("deblur-gaussian", "dmap", kind="latent").gradient_steps == 3
    rate = preset("super-resolution", "dsg", kind="latent").guidance_scale
    assert 1 - (1 - rate) ** (1000 / 500) == pytest.approx(0.02, rel=1e-4)


def test_that_they_are_not_tuned_is_said():
    words = presets.remark("latent")
    assert "Xu et al. 2025" in words and "were not tuned for this prior: sweep them" in words
    assert "own defaults" in presets.remark("flow") and presets.remark("embedded") == ""


def test_the_table_of_latents_names_only_what_exists():
    for name, rows in presets.table_of("latent").items():
        for task, row in rows.items():
            assert presets.possible(task, name, "latent") and row.source and row.psnr is None
            assert set(row.settings) <= set(SOLVERS[name].specs()) and preset(task, name, kind="latent")
