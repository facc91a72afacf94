"""Training of an estimator: it learns, resumes exactly, stops when it is done, and refuses what does not fit."""

import math

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from trainings import TINY, photographs

from inverse.__main__ import main
from inverse.denoisers.embedded import EDMDenoiser, load_network, save_network
from inverse.denoisers.network import ResidualUNet
from inverse.errors import DivergenceError, PriorError, ProblemError
from inverse.estimators.estimator import FORMS
from inverse.estimators.files import load_estimator
from inverse.randomness import generator
from inverse.training.estimator import EstimatorTrainer, EstimatorValidation, train_estimator
from inverse.training.estimator_settings import EstimatorTraining
from inverse.training.measurements import LINEAR, draw_measurement
from inverse.training.trainer import CHECKPOINT

TASKS_HERE = ("denoise", "inpaint-box")


def settings(**changes):
    values = {
        "crop": 16, "batch": 4, "iterations": 30, "warmup": 2, "average": 0.8, "report_every": 10,
        "validate_every": 15, "precision": "float32", "held_out": 0.3,
    }  # fmt: skip
    return EstimatorTraining(**(values | changes))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = photographs(tmp_path_factory.mktemp("photos") / "all")
    table = ["file\tlicence", *(f"{place}/photo{i}.png\tCC0" for i in range(8) for place in ("flat", "deep"))]
    (folder / "ATTRIBUTION.tsv").write_text("\n".join(table) + "\n")
    return folder


@pytest.fixture(scope="module")
def prior(tmp_path_factory):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        network = ResidualUNet(TINY)
    path = tmp_path_factory.mktemp("prior") / "prior.safetensors"
    save_network(network, path)
    return path


def train(prior, images, output, tasks=TASKS_HERE, **changes):
    return list(train_estimator(settings(**changes), prior, tasks, images, output, device="cpu"))


@pytest.mark.parametrize("form", FORMS)
def test_it_comes_to_know_more_than_the_prior_alone(prior, images, tmp_path, form):
    reports = train(prior, images, tmp_path, form=form, learning_rate=3e-3)
    assert reports[-1].share == 1 and [r.iteration for r in reports] == [0, 10, 15, 20, 30]
    network, card = load_estimator(tmp_path / "estimator.safetensors", EDMDenoiser(load_network(prior), "cpu"))
    assert network.form == card.form == form and card.tasks == TASKS_HERE
    best = min(loss for _, loss in card.curve)
    assert best < card.unconditional
    first, last = (report.validation for report in reports if report.validation)
    assert min(first.loss, last.loss) == pytest.approx(best) and set(last.psnr) <= set(TASKS_HERE)
    assert len(card.photographs) == sum(card.licences.values()) and set(card.licences) == {"CC0"}
    assert card.settings["form"] == form


def test_a_training_that_was_ended_goes_on_as_if_it_had_not(prior, images, tmp_path):
    train(prior, images, tmp_path / "whole")
    stream = train_estimator(settings(), prior, TASKS_HERE, images, tmp_path / "parts", device="cpu")
    for report in stream:
        if report.iteration == 10:
            break
    stream.close()
    train(prior, images, tmp_path / "parts")
    whole, parts = (load_file(tmp_path / name / CHECKPOINT) for name in ("whole", "parts"))
    assert whole.keys() == parts.keys() and all(torch.equal(whole[name], parts[name]) for name in whole)


def test_it_begins_from_another_and_says_what_both_have_seen(prior, images, tmp_path):
    train(prior, images, tmp_path / "first", photographs=4, iterations=2, validate_every=1)
    first = tmp_path / "first" / "estimator.safetensors"
    stream = train_estimator(
        settings(iterations=1, learning_rate=1e-7, average=0.0), prior, TASKS_HERE, images, tmp_path / "second",
        initial=first, device="cpu",
    )  # fmt: skip
    list(stream)
    of_prior = EDMDenoiser(load_network(prior), "cpu")
    (before, known), (after, card) = (
        load_estimator(path, of_prior) for path in (first, tmp_path / "second" / "estimator.safetensors")
    )
    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, rtol=2e-3, atol=1e-5)
    assert set(known.photographs) < set(card.photographs)
    assert sum(card.licences.values()) == len(card.photographs) == len(set(card.photographs))
    stream = train_estimator(
        settings(form="one-pass"), prior, TASKS_HERE, images, tmp_path / "other", initial=first, device="cpu"
    )
    with pytest.raises(PriorError, match="has the form statistic, not one-pass"):
        next(stream)


def test_it_ends_when_nothing_gets_better(prior, images, tmp_path, monkeypatch):
    monkeypatch.setattr(EstimatorTrainer, "validate", lambda *_, **__: EstimatorValidation(1.0, {}))
    reports = train(prior, images, tmp_path, iterations=200, validate_every=5, patience=2)
    validated = [report for report in reports if report.validation]
    assert [report.best for report in validated] == [True, False, False] and reports[-1].iteration == 15


def test_so_many_photographs_are_trained_on(prior, images, tmp_path):
    reports = train(prior, images, tmp_path, photographs=3, iterations=1)
    assert reports[0].photographs[0] == 3


def test_a_loss_that_is_not_finite_ends_it_and_the_checkpoint_stays(prior, images, tmp_path, monkeypatch):
    train(prior, images, tmp_path, iterations=10)
    before = (tmp_path / CHECKPOINT).read_bytes()
    monkeypatch.setattr(EstimatorTrainer, "loss", lambda self, *_: self.network.data_step.sum() * math.nan)
    with pytest.raises(DivergenceError, match="no longer finite"):
        train(prior, images, tmp_path, iterations=30)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def test_another_prior_is_refused(prior, images, tmp_path):
    train(prior, images, tmp_path / "out", iterations=1)
    with torch.random.fork_rng():
        torch.manual_seed(4)
        save_network(ResidualUNet(TINY), tmp_path / "other.safetensors")
    with pytest.raises(PriorError, match="trained for another prior"):
        train(tmp_path / "other.safetensors", images, tmp_path / "out", iterations=2)


@pytest.mark.parametrize("task", LINEAR)
def test_every_linear_task_can_be_drawn(task):
    x0 = torch.rand(2, 3, 64, 64, generator=generator(0, 1)) * 2 - 1
    drawn = [draw_measurement(x0, [task], (0.01, 0.3), generator(seed, 2)) for seed in range(4)]
    again = draw_measurement(x0, [task], (0.01, 0.3), generator(0, 2))
    assert torch.equal(again.y, drawn[0].y) and again.sigma_y == drawn[0].sigma_y
    for each in drawn:
        assert 0.01 <= each.sigma_y <= 0.3 and each.y.shape[1:] == tuple(each.operator.measurement_shape)
        residual = (each.y - each.operator(each.x0)).flatten(1).square().sum(1) / each.operator.entries
        np.testing.assert_allclose(residual.sqrt() / each.sigma_y, 1, atol=0.25)
    assert len({each.sigma_y for each in drawn}) == 4


def test_crops_that_fit_no_task_are_refused():
    with pytest.raises(ProblemError, match="Use larger crops"):
        draw_measurement(torch.zeros(1, 3, 1, 1), ["super-resolution"], (0.01, 0.3), generator(0, 0))


def test_the_command_line_trains_and_restores(prior, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["train", "estimator", "--prior", prior, "--images", images, "--output", "out", "--task", "denoise",
             "--device", "cpu", *(f"--{name.replace('_', '-')}={value}" for name, value in
             {"crop": 16, "batch": 2, "iterations": 2, "validate_every": 2, "held_out": 0.3}.items())]  # fmt: skip
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0 and "validation loss" in result.output, result.output
    photo = next(images.rglob("photo0.png"))
    words = ["restore", photo, "-o", "out.png", "--task", "denoise", "--solver", "cse", "--prior", prior,
             "--estimator", "out/estimator.safetensors", "--device", "cpu"]  # fmt: skip
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0 and (tmp_path / "out.png").exists(), result.output
    refused = CliRunner().invoke(main, [str(word) for word in [*words[:5], "inpaint-box", *words[6:]]])
    assert refused.exit_code == 1 and "has not learned the task inpaint-box" in refused.output
