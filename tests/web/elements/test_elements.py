"""What single elements show: figures in their units, names of files, limits."""

from dataclasses import replace

import gradio as gr
import pytest
import torch

from inverse.imaging import metrics
from inverse.solvers import Step
from inverse.verdicts.finding import LEVELS
from inverse.web.base import limits
from inverse.web.base.limits import Limits
from inverse.web.elements import figures, photos, verdict
from inverse.web.elements.picker import picker
from inverse.web.elements.share import share


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("IMG_4711.jpg", "IMG_4711"), ("Ferien in Köln.png", "Ferien_in_Köln"), ("a/../../b\\c.png", "b_c"),
        (".png", "png"), ("...", "photo"), ("x" * 300 + ".png", "x" * 60), ("tar.gz.png", "tar.gz"),
        ('<b>"$(rm)".jpg', "b_rm"),
    ],
)  # fmt: skip
def test_files_are_called_after_the_visitors_own(name, called):
    assert photos.plain_name(name) == called
    assert photos.PhotoFile(called, None, own=True).made("restored") == f"{called}-restored.png"


@pytest.mark.parametrize("name", ["picker", "share"])
def test_the_page_knows_how_large_a_request_may_be(monkeypatch, name):
    monkeypatch.setattr(limits, "current", lambda: Limits(body=77))
    with gr.Blocks():
        made = picker({}) if name == "picker" else share()
    assert '"megabytes": 77' in made.js_on_load


def test_the_figures_are_in_the_units_that_they_say(settings, photo):
    problem = settings.problem(photo, None)
    step = Step(5, 10, 0.5, problem.truth, problem.truth, 7, 0, lambda _: torch.tensor([0.2]))
    said = {label: text for label, text, _ in figures.running(problem, step, 2.5)["figures"]}
    assert said["Update"] == "5 / 10" and said["Speed"] == "2.0 / s" and said["Network calls"] == "7"
    assert said["Data residual"] == "2.00 × noise", "a residual of 0.2 at sigma_y = 0.1"
    assert "inf" in said["PSNR"]
    wrong = replace(step, z0_hat=torch.cat([0.9 * problem.truth - 0.05, 1.5 * problem.truth]))
    said = {label: text for label, text, _ in figures.running(problem, wrong, 2.5)["figures"]}
    expected = sum(metrics.psnr(x0_hat, problem.truth[0]) for x0_hat in wrong.x0_hat) / 2
    assert said["PSNR"] == f"{expected:.1f} dB"


def test_only_changes_by_name_are_heard_of_a_verdict():
    assert verdict.asked({"findings": [], "asked": {"sigma_y": 0.1}}) == {"sigma_y": 0.1}
    for value in (None, [], {}, verdict.said(), {"asked": "sigma_y"}, {"asked": [1]}):
        assert verdict.asked(value) == {}


def test_every_level_of_a_verdict_has_a_mark_and_a_word():
    assert tuple(verdict.MARKS) == LEVELS and len(set(verdict.MARKS.values())) == len(LEVELS)
    with gr.Blocks():
        made = verdict.verdict()
    assert all(word in made.js_on_load for _, word in verdict.MARKS.values())
