"""Conditional estimators: what they are before training, how they are mixed with the prior, and what is refused."""

import json

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from trainings import TINY

from inverse import restoration
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.embedded import EDMDenoiser
from inverse.denoisers.exact import GaussianField
from inverse.denoisers.network import ResidualUNet
from inverse.errors import ParameterError, PriorError, ProblemError
from inverse.estimators import catalog
from inverse.estimators.catalog import guided
from inverse.estimators.estimator import (
    CONTROLNET,
    FIRST_LEVEL,
    FORMS,
    ONE_PASS,
    STATISTIC,
    ConditionalEstimator,
    EstimatorNetwork,
    placed,
)
from inverse.estimators.exact import ExactEstimator
from inverse.estimators.files import EstimatorCard, load_estimator, save_estimator
from inverse.estimators.networks import Control
from inverse.evaluation.judge.rows import judge, judge_solver
from inverse.operators import TASKS
from inverse.randomness import generator
from inverse.settings import Settings
from inverse.solvers import SOLVERS

SIDE = 24


@pytest.fixture(scope="module")
def prior():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ResidualUNet(TINY)
        for parameter in network.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    return EDMDenoiser(network, precision="float32")


def measured(task="inpaint-box"):
    operator = TASKS[task]().operator((3, SIDE, SIDE), generator(0, 1), None)
    y = torch.randn(1, *operator.measurement_shape, generator=generator(1, 2)) / 3
    return operator, operator.project(y)


def images(count=1):
    return torch.randn(count, 3, SIDE, SIDE, generator=generator(0, 3))


def untrained(prior, form, **more):
    network = EstimatorNetwork(form, prior.network.config)
    network.inherit(prior.network)
    return ConditionalEstimator(prior, placed(network, prior), **more)


@pytest.mark.parametrize("sigma", [0.1, 3.0])
def test_a_controlnet_begins_as_the_prior(prior, sigma):
    estimator = untrained(prior, CONTROLNET)
    operator, y = measured()
    condition = estimator.condition(operator, y, 0.05)
    torch.testing.assert_close(estimator(images(), sigma, [condition]), prior(images(), sigma), rtol=0, atol=1e-6)


def test_what_it_copies_is_the_priors_encoder(prior):
    network = EstimatorNetwork(CONTROLNET, TINY)
    network.inherit(prior.network)
    assert isinstance(network.control, Control)
    own = network.control.copied.state_dict()
    assert own and all(torch.equal(value, prior.network.state_dict()[name]) for name, value in own.items())
    assert not any(name.startswith(("decoder", "up", "head")) for name in own)


@pytest.mark.parametrize("task", ["inpaint-box", "deblur-gaussian", "colorize"])
def test_the_statistic_feeds_the_prior_what_x_and_y_say_together(prior, task):
    """Before training the network is the prior's own, told the statistic and its error; a data step follows."""
    estimator = untrained(prior, STATISTIC)
    operator, y = measured(task)
    condition = estimator.condition(operator, y, 0.05)
    x, sigma = images(), torch.tensor([0.7])
    told = condition.source.told(sigma)
    x_g, level = condition.source(x, sigma), told.level
    total = level.square() + prior.data_std**2
    logs = told.low.log() if told.share is None else torch.stack([told.low.log(), told.high.log()], 1)
    output = prior.network(x_g / total.sqrt(), logs, told.share)
    expected = prior.data_std**2 / total * x_g + level * prior.data_std / total.sqrt() * output
    c = 0.05**2 / (0.3 * told.low.square())
    expected = expected + operator.regularized_pinv(y - operator(expected), float(c))
    torch.testing.assert_close(estimator(x, 0.7, [condition]), expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_loss_knows_of_every_pixel_how_wrong_what_the_prior_is_fed_is(prior):
    """In a hole nearly as wrong as nothing known, around it far less; for a ControlNet the noise of x."""
    sigma = torch.full((2,), 1.0)
    operator, y = measured("inpaint-half")
    level = untrained(prior, "statistic").estimator.condition(operator, y, 0.05).level(sigma)
    known = operator(torch.ones(operator.image_shape)[None]).mean(1, keepdim=True) > 0
    inside, outside = (level.expand(2, 1, *known.shape[-2:])[:1][part].mean() for part in (known, ~known))
    assert inside < outside / 2 and outside <= 1
    control = untrained(prior, "controlnet").estimator.condition(operator, y, 0.05)
    assert torch.equal(control.level(sigma), sigma)


def test_two_levels_and_a_share_between_them_are_one_level_where_they_agree(prior):
    x, share = images(2), torch.rand(2, 1, SIDE, SIDE, generator=generator(0, 4))
    low, high = torch.full((2,), -2.0), torch.full((2,), 1.0)
    one, other = (prior.network(x, level) for level in (low, high))
    torch.testing.assert_close(prior.network(x, torch.stack([low, low], 1), share), one, rtol=1e-4, atol=1e-5)
    both = torch.stack([low, high], 1)
    torch.testing.assert_close(prior.network(x, both, torch.zeros_like(share)), one, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(prior.network(x, both, torch.ones_like(share)), other, rtol=1e-4, atol=1e-5)


def test_the_weight_mixes_the_two_estimates(prior):
    operator, y = measured()
    x = images()

    def estimate(scale):
        estimator = untrained(prior, STATISTIC, guidance_scale=scale)
        condition = estimator.condition(operator, y, 0.05)
        assert estimator.passes == (1 if scale in (0, 1) else 2)
        return estimator(x, 1.0, None if condition is None else [condition])

    none, all_of_it = estimate(0.0), estimate(1.0)
    torch.testing.assert_close(none, prior(x, 1.0))
    assert (all_of_it - none).abs().max() > 1e-2
    for scale in (0.5, 1.5):
        torch.testing.assert_close(estimate(scale), none + scale * (all_of_it - none), rtol=0, atol=1e-5)


def test_a_one_pass_form_answers_the_highest_level_and_no_other(prior):
    many, one = untrained(prior, STATISTIC), untrained(prior, ONE_PASS)
    for parameter in one.estimator.parameters():
        parameter.mul_(0.9)
    both = ConditionalEstimator(prior, many.estimator, one_pass=one.estimator)
    x, (condition,) = images(), [both.condition(*measured(), 0.05)]
    for sigma, answers, other in ((FIRST_LEVEL, one, many), (FIRST_LEVEL - 1, many, one)):
        assert torch.equal(both(x, sigma, [condition]), answers(x, sigma, [condition]))
        assert not torch.equal(both(x, sigma, [condition]), other(x, sigma, [condition]))


def test_images_of_different_measurements_share_a_batch(prior):
    estimator, x = untrained(prior, STATISTIC), images(4)
    conditions = [estimator.condition(*measured(task), 0.05) for task in ("inpaint-box", "denoise")]
    order = [conditions[0], conditions[1], conditions[0], conditions[1]]
    together = estimator(x, 0.5, order)
    for index, condition in enumerate(order):
        one = estimator(x[index : index + 1], 0.5, [condition])
        torch.testing.assert_close(together[index : index + 1], one, rtol=0, atol=1e-5)


def test_sides_need_not_be_multiples_of_the_networks(prior):
    estimator = untrained(prior, STATISTIC)
    operator = TASKS["inpaint-random"]().operator((3, 21, 27), generator(0, 1), None)
    y = operator(torch.zeros(1, 3, 21, 27))
    condition = estimator.condition(operator, y, 0.05)
    assert estimator(torch.zeros(1, 3, 21, 27), 1.0, [condition]).shape == (1, 3, 21, 27)


# With the exact one


def test_one_call_of_the_exact_estimator_is_the_posterior_mean():
    (row,) = judge([SOLVERS["cse"](steps=1, sigma_max=200.0)], samples=2, tasks=["blur"])
    assert row.map_distance < 0.05 and row.nfe == 1


def test_many_calls_of_the_exact_estimator_draw_from_the_posterior():
    for row in judge([judge_solver("cse", stochasticity=eta) for eta in (0.0, 1.0)], tasks=["inpainting", "blur"]):
        assert row.verdict == "calibrated", row


def test_a_prior_that_does_not_look_is_refused_where_a_problem_meets_it(photo):
    problem = restoration.degrade(photo, "denoise", size=16)
    with pytest.raises(ProblemError, match="needs a conditional estimator, and this prior does not look"):
        problem.process(SOLVERS["cse"](), GaussianField((3, 16, 20)))
    assert ExactEstimator(GaussianField((3, 8, 8))).conditional and not GaussianField((3, 8, 8)).conditional


# Files


@pytest.fixture
def file(prior, tmp_path):
    network = EstimatorNetwork(STATISTIC, TINY)
    card = EstimatorCard(STATISTIC, prior.digest, ("denoise", "inpaint-box"), (0.01, 0.3), ("a.png",), {"CC0": 1})
    save_estimator(network, card, tmp_path / "mine.safetensors")
    return tmp_path / "mine.safetensors"


@pytest.mark.parametrize("form", FORMS)
def test_a_saved_estimator_comes_back(prior, tmp_path, form):
    network = EstimatorNetwork(form, TINY)
    network.inherit(prior.network)
    card = EstimatorCard(form, prior.digest, ("denoise",), (0.01, 0.3), curve=((10, 0.5),), settings={"crop": 64})
    save_estimator(network, card, tmp_path / "a.safetensors")
    found, again = load_estimator(tmp_path / "a.safetensors", prior)
    assert again.form == form and again.tasks == ("denoise",) and again.settings == {"crop": 64}
    for name, value in network.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def spoilt(file, change):
    tensors = load_file(file)
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        metadata = json.loads(opened.read(length))["__metadata__"]
    change(tensors, metadata)
    save_file(tensors, file, metadata)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda tensors, _: tensors.popitem(), "is damaged"),
        (lambda tensors, _: tensors["data_step"].fill_(float("nan")), "is damaged"),
        (lambda tensors, _: tensors.update(data_step=torch.zeros(3)), "is damaged"),
        (lambda _, metadata: metadata.update(card="{}"), "is damaged"),
        (lambda _, metadata: metadata.update(format="other"), "is no estimator"),
        (lambda _, m: m.update(card=m["card"].replace('"prior": "', '"prior": "0')), "trained for another prior"),
    ],
)
def test_a_file_that_is_not_it_is_refused_with_a_sentence(prior, file, change, words):
    spoilt(file, change)
    with pytest.raises(PriorError, match=words) as caught:
        load_estimator(file, prior)
    assert str(caught.value).endswith(".") and str(file.parent) not in str(caught.value)


def test_cut_and_missing_files_are_refused(prior, file):
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(PriorError, match="is damaged"):
        load_estimator(file, prior)
    with pytest.raises(PriorError, match="There is no estimator"):
        load_estimator(file.with_name("other.safetensors"), prior)


def test_what_it_has_not_learned_is_refused(prior, file):
    assert isinstance(guided(prior, 1.0, "denoise", file), ConditionalEstimator)
    with pytest.raises(ProblemError, match="has not learned the task colorize"):
        guided(prior, 1.0, "colorize", file)
    with pytest.raises(PriorError, match="No estimator ships for this prior"):
        guided(prior, 1.0, "denoise")
    with pytest.raises(PriorError, match="has no conditional estimator"):
        guided(GaussianField((3, 8, 8)), 1.0)
    assert guided(prior, 0.0, "colorize", file) is prior


def test_a_task_that_is_not_linear_is_refused(photo):
    with pytest.raises(ParameterError, match="estimator_scale is for linear tasks, and jpeg is not linear"):
        restoration.restore(photo, "jpeg", "dps", estimator_scale=1.0, size=16)


# What ships


def test_the_shipped_ones_cover_every_linear_task_and_say_where_they_are_from():
    prior = load_prior("embedded", "cpu", "float32")
    found = {card.form: (path, card) for path, card in catalog.cards(prior)}
    assert {STATISTIC, ONE_PASS} <= set(found) and guided(prior).one_pass.form == ONE_PASS
    for path, card in found.values():
        assert path.stat().st_size < (3e6 if card.form == STATISTIC else 9.5e6)
        assert set(card.tasks) == {name for name, kind in TASKS.items() if kind().estimable}
        assert len(card.photographs) == sum(card.licences.values()) and "unknown" not in card.licences
        table = (path.parent / "ATTRIBUTION.tsv").read_text(encoding="utf-8").splitlines()[1:]
        assert set(card.photographs) == {line.partition("\t")[0] for line in table}
        assert min(loss for _, loss in card.curve) < card.unconditional


@pytest.mark.parametrize("solver", ["cse", "dps", "dmap", "dsg", "daps", "diffpir", "vml-map"])
def test_every_solver_that_takes_it_restores_with_it(solver, photo):
    specs = SOLVERS[solver].specs()
    few = {"steps": max(specs["steps"].low, 5), **({"gradient_steps": 2} if "gradient_steps" in specs else {})}
    result = restoration.restore(photo, "inpaint-box", solver, solver_parameters=few, estimator_scale=1.0, size=32)
    assert torch.isfinite(result.step.x0_hat).all() and result.psnr[0] > 15
    half = restoration.restore(photo, "inpaint-box", solver, solver_parameters=few, estimator_scale=0.5, size=32)
    assert half.step.nfe == 2 * result.step.nfe


def test_settings_say_what_it_costs_and_travel(photo):
    settings = Settings.create(task="denoise", solver="cse", size=32)
    assert settings.estimator_scale == 0 and settings.guided(load_prior("embedded", "cpu", "float32")).conditional
    weighed = Settings.create(task="denoise", solver="cse", estimator_scale=1.5)
    assert weighed.passes > settings.passes > 0
    again, notes = Settings.from_dict(weighed.to_dict())
    assert again == weighed and not notes
    result = restoration.restore(Image.new("RGB", (16, 16)), "denoise", "cse")
    assert result.step.nfe == settings.solver.steps
