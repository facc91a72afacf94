"""Curves and results of the Restore tab, without a browser."""

import json
import time
from dataclasses import replace

import pages
import pytest
import torch
from PIL import Image

from inverse.errors import DivergenceError
from inverse.imaging import metrics
from inverse.settings import CLEAN, Settings
from inverse.solvers import Step
from inverse.web.elements import history, photos
from inverse.web.elements.curves import POINTS, Curve
from inverse.web.jobs import running
from inverse.web.jobs.job import Job
from inverse.web.jobs.running import Latest
from inverse.web.page import form
from inverse.web.page.starts import Starts


@pytest.fixture
def settings():
    return Settings.create(mode=CLEAN, size=64, task="denoise", sigma_y=0.1, solver="vml-map", seed=3)


@pytest.fixture
def job(settings, photo):
    return Job(settings, photo)


@pytest.fixture
def problem(job):
    return job.problem()


def steps(problem, total):
    """Steps that come closer to the truth, with residuals of 1 / index."""
    noise = torch.randn(problem.truth.shape, generator=torch.Generator().manual_seed(0))
    for index in range(1, total + 1):
        x = problem.truth + noise * (1 - index / (total + 1))
        yield Step(index, total, 0.5, x, x, index, 0, lambda _, index=index: torch.tensor([1 / index]))


# Curves


@pytest.mark.parametrize("total", [1, 2, 30, POINTS, POINTS + 1, 3 * POINTS + 7])
def test_a_curve_is_bounded_and_has_the_first_and_the_last_step(problem, total):
    problem = replace(problem, truth=problem.truth[..., :8, :8])
    curve = Curve()
    for step in steps(problem, total):
        curve.add(problem, step)
        taken = [at for at, _, _ in curve.value["points"]]
        assert taken[0] == 1 and taken[-1] == step.index and taken == sorted(set(taken))
    assert len(taken) <= POINTS + 1 and curve.value["total"] == total
    if total <= POINTS:
        assert len(taken) == total


def test_what_was_sent_does_not_change_when_the_curve_grows(problem):
    """Gradio compares each value with the one before it, and sends the difference."""
    curve, sent = Curve(), []
    for step in steps(problem, 5):
        curve.add(problem, step)
        sent.append(curve.value["points"])
    assert [len(points) for points in sent] == [1, 2, 3, 4, 5]


def test_the_figures_of_a_curve_are_in_the_units_that_they_say(problem):
    curve = Curve()
    for step in steps(problem, 7):
        curve.add(problem, step)
        index, residual, psnr = curve.last
        assert index == step.index
        assert residual == pytest.approx(1 / index / problem.sigma_y, rel=1e-3)
        assert psnr == pytest.approx(metrics.psnr(step.x0_hat[0], problem.truth[0]), rel=1e-3)
    assert curve.value["relative"]


def test_a_curve_without_noise_or_truth_leaves_out_what_nobody_knows(problem):
    curve = Curve()
    for step in steps(problem, 2):
        curve.add(replace(problem, sigma_y=0.0, truth=None), step)
    assert curve.last == (2, 0.5, None) and not curve.value["relative"]
    perfect = replace(step, index=3, z0_hat=problem.truth, measure=lambda _: torch.tensor([float("nan")]))
    curve.add(problem, perfect)
    assert curve.last == (3, None, None)
    json.dumps(curve.value, allow_nan=False)


# Records


def streamed(monkeypatch, problem, total, fail=None, seconds=0.0):
    def stream(*_, **__):
        for step in steps(problem, total):
            time.sleep(seconds)
            if step.index == fail:
                raise DivergenceError("It diverged. Lower step_size.", step)
            yield step

    monkeypatch.setattr(running, "stream", stream)


def test_a_run_brings_its_curve_and_at_the_end_its_record(job, problem, monkeypatch):
    monkeypatch.setattr(running, "CURVE_EVERY", 0.3)
    streamed(monkeypatch, problem, 40, seconds=0.03)
    latest = Latest()
    views = [view for view, _ in latest.follow(lambda: (job, problem)) if view and view["frame"]]
    lengths = [len(view["curve"]["points"]) for view in views]
    assert lengths == sorted(lengths) and 3 <= len(set(lengths)) < len(views), "by its own, slower clock"
    taken = [index for index, _, _ in views[-1]["curve"]["points"]]
    assert taken[0] == 1 and taken[-1] == 40
    assert not any(view["record"] for view in views[:-1])
    made = views[-1]["record"]
    assert made["settings"] == job.settings.to_dict() and made["origin"] == job.origin
    assert (made["step"], made["total"]) == (40, 40) and made["seconds"] > 1
    assert made["psnr"] == pytest.approx(metrics.psnr(latest.step.x0_hat[0], problem.truth[0]), rel=1e-3)
    assert json.dumps(views[-1], allow_nan=False)
    assert len(json.dumps(made)) < 20_000, "a card is small"


def test_points_that_cost_much_are_few(job, problem, monkeypatch):
    def stream(*_, **__):  # short also on a busy machine: after half a second a point comes whatever it costs
        for step in steps(problem, 100):
            time.sleep(0.001)
            yield replace(step, measure=lambda _: time.sleep(0.03) or torch.tensor([0.1]))

    monkeypatch.setattr(running, "stream", stream)
    begun = time.perf_counter()
    view, _ = list(Latest().follow(lambda: (job, problem)))[-1]
    most = 2 + running.CURVE_SHARE * (time.perf_counter() - begun) / 0.03
    assert 2 <= len(view["curve"]["points"]) <= most


def test_a_stopped_run_has_a_record_and_a_failed_one_has_none(job, problem, monkeypatch):
    streamed(monkeypatch, problem, 10**6)
    latest = Latest()
    run = latest.follow(lambda: (job, problem))
    next(view for view, _ in run if view and view["frame"])
    run.close()
    view, _ = latest.stop()
    assert view["record"]["step"] == latest.step.index < view["record"]["total"]
    assert view["curve"]["points"][-1][0] == latest.step.index

    streamed(monkeypatch, problem, 9, fail=3)
    views, run = [], Latest().follow(lambda: (job, problem))
    with pytest.raises(Exception, match="Lower step_size"):
        views.extend(view for view, _ in run)
    assert views[-1]["phase"] == "failed" and views[-1]["frame"] and views[-1]["record"] is None


def test_what_a_result_was_made_from_is_told_apart(settings, photo):
    mask = Image.new("L", (20, 20))
    brushed = mask.copy()
    brushed.putpixel((3, 4), 255)
    pictures = [(photo, None), (photo.rotate(180), None), (photo, mask), (photo, brushed)]
    made = [Job(settings, *each).origin for each in pictures]
    assert len({json.dumps(one) for one in made}) == 4
    assert Job(settings, photo.copy(), brushed.copy()).origin == made[-1]


def test_a_photo_is_looked_at_once_when_it_is_brought_and_not_at_every_preview(settings, monkeypatch):
    picture, file = photos.example("chelsea")
    assert Job(settings, picture).origin == Job(settings, picture, None, file).origin
    monkeypatch.setattr(photos.zlib, "crc32", lambda *_: pytest.fail("the photo is hashed again"))
    assert Job(settings, picture, None, file).origin["photo"] == file.digest


def test_the_present_settings_follow_the_page_and_leave_the_mask_out(page, photo):
    parts = [*page.many.inputs, *(part for tab in page.tabs for part in tab.inputs)]
    values = {component: component.value for component in {*page.choices, page.mask, *parts}}
    values |= {
        page.photo: photo,
        page.photo_file: None,
        page.auxiliary: {},
        page.settings["size"]: 64,
        page.settings["seed"]: 12,
    }
    values[page.starts] = Starts()
    found = pages.preview(page, values)[page.history]
    job = form.job(page, values)
    assert found["settings"] == history.plain(job.used)
    assert found["settings"]["seed"] == 12 and found["origin"] == job.origin
    masked = Settings.create(size=64, task="inpaint-mask", sigma_y=0.1).with_auxiliary(Image.new("L", (20, 20)))
    assert masked.auxiliary and "auxiliary" not in history.plain(masked)


def test_of_several_samples_a_curve_shows_the_mean(problem):
    samples = problem.truth + 0.1 * torch.randn(
        (3, *problem.truth.shape[1:]), generator=torch.Generator().manual_seed(1)
    )
    curve, measured = Curve(), torch.tensor([0.1, 0.2, 0.6])
    curve.add(problem, Step(1, 9, 0.5, samples, samples, 1, 0, lambda _: measured))
    psnr = sum(metrics.psnr(sample, problem.truth[0]) for sample in samples) / 3
    assert curve.last[1:] == pytest.approx((0.3 / problem.sigma_y, psnr), rel=1e-3)
