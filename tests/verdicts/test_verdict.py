"""Every sentence of a verdict, on pictures where it must be said and where it must not."""

import json
import re
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from judged import DAMAGES, PHOTOS, damaged, kinds, noise, remedy, restored, sharpened, taken_for, truth

from inverse.errors import ParameterError
from inverse.operators import noise as measured_noise
from inverse.settings import Settings
from inverse.verdicts import Remedy, verdict
from inverse.verdicts.finding import KINDS, LEVELS

JARGON = re.compile(r"sigma|residual|operator|prior|posterior|kernel std|PSNR|spectr|[^\x00-\x7f]")


def smoothed(x, side=5):
    return F.avg_pool2d(F.pad(x, 4 * (side // 2,), mode="reflect"), side, 1)


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("task", ["denoise", "deblur-gaussian", "inpaint-random", "jpeg"])
def test_the_truth_is_praised_without_a_but(photo, task):
    found = verdict(damaged(photo, task), truth(damaged(photo, task)))
    assert found.kinds == ["restored"] and found.level == "good", str(found)


@pytest.mark.parametrize(
    ("task", "quality"),
    [
        ("denoise", "draft"), ("deblur-gaussian", "draft"), ("super-resolution", "draft"), ("denoise", "standard"),
        ("deblur-gaussian", "standard"), ("inpaint-random", "standard"),
    ],
)  # fmt: skip
def test_what_the_prior_restores_is_praised(task, quality):
    problem, x0_hat, settings = restored("chelsea", task, quality)
    found = verdict(problem, x0_hat, settings)
    assert found.findings[0].level == "good", str(found)
    assert {"grain", "smoothed", "ripples", "soft", "unchanged", "unexplained"}.isdisjoint(found.kinds), str(found)


def test_grain_that_is_gone_is_said_to_be():
    problem = damaged("chelsea", "denoise", 0.1)
    assert "grain is gone" in str(verdict(problem, truth(problem)))
    clean = damaged("chelsea", "denoise", 0.0)
    assert "grain" not in str(verdict(clean, truth(clean) * 0.97))


@pytest.mark.parametrize("photo", PHOTOS)
def test_grain_that_is_left_is_said_with_the_noise_that_removes_it(photo):
    problem = replace(damaged(photo, "denoise", 0.1), sigma_y=0.03)
    found = verdict(problem, truth(problem) + 0.6 * (problem.y - truth(problem)))
    assert "grain" in found.kinds and "restored" not in found.kinds
    assert remedy(found, "grain") == {"sigma_y": pytest.approx(0.1, rel=0.15)}
    assert "grain" not in kinds(problem, truth(problem))


def test_grain_that_is_kept_where_it_cannot_be_seen_is_told_by_the_fit():
    problem = damaged("chelsea", "super-resolution", 0.1)
    averaged = problem.operator.pinv(problem.y)
    assert "grain" in kinds(problem, averaged) and "grain" not in kinds(problem, truth(problem))


def test_grain_that_a_low_strength_leaves_is_put_down_to_it():
    problem = replace(damaged("chelsea", "denoise", 0.1), strength=0.4)
    found = verdict(problem, truth(problem) + 0.6 * (problem.y - truth(problem)))
    assert remedy(found, "grain") == {"strength": 1.0}


def test_grain_that_was_to_be_kept_is_no_fault():
    problem = taken_for(damaged("chelsea", "inpaint-box", 0.035), "inpaint-box", 0.035)
    kept = torch.where(problem.operator.mask > 0, problem.y, truth(damaged("chelsea", "inpaint-box", 0.035)))
    assert problem.keeps_known and "grain" not in kinds(problem, kept)


@pytest.mark.parametrize("photo", PHOTOS)
def test_detail_that_went_with_the_grain_is_missed(photo):
    problem = replace(damaged(photo, "denoise", 0.05), sigma_y=0.2)
    found = verdict(problem, smoothed(truth(problem)))
    assert "smoothed" in found.kinds and "restored" not in found.kinds
    assert remedy(found, "smoothed") == {"sigma_y": pytest.approx(0.05, rel=0.3)}
    assert kinds(problem, truth(problem)) == ["restored"], "much noise was assumed, and no harm came of it"


@pytest.mark.parametrize("photo", ["astronaut", "chelsea", "coffee"])
def test_ripples_are_put_down_to_too_wide_a_blur_with_a_better_one(photo):
    blurred = damaged(photo, "deblur-gaussian", 0.05, std=1.5)
    wrong = taken_for(blurred, "deblur-gaussian", 0.05, std=2.6)
    found = verdict(wrong, sharpened(wrong))
    assert found.kinds[-1] in ("ripples", "ruined") and "ripples" in str(found)
    assert remedy(found, found.kinds[-1]) == {"task.std": pytest.approx(1.5, rel=0.25)}
    assert "ripples" not in str(verdict(blurred, sharpened(blurred)))


def test_a_photo_that_is_hardly_blurred_is_said_to_be():
    wrong = taken_for(damaged("chelsea", "denoise", 0.02), "deblur-gaussian", 0.02, std=2.0)
    found = verdict(wrong, sharpened(wrong))
    assert "hardly blurred" in str(found) and not any(each.remedy for each in found.findings)


def test_ripples_of_a_blur_of_another_form_are_put_down_to_that():
    blurred = damaged("coffee", "deblur-motion", 0.03, length=8.0)
    wrong = taken_for(blurred, "deblur-motion", 0.03, length=14.0)
    found = verdict(wrong, sharpened(wrong))
    assert "motion was shorter" in str(found) and found.level != "good"


@pytest.mark.parametrize("photo", ["astronaut", "chelsea", "coffee"])
def test_what_is_still_soft_is_put_down_to_too_narrow_a_blur(photo):
    blurred = damaged(photo, "deblur-gaussian", 0.02, std=3.0)
    wrong = taken_for(blurred, "deblur-gaussian", 0.02, std=1.2)
    found = verdict(wrong, wrong.operator.pinv(wrong.operator(smoothed(wrong.y, 3))).clamp(-1, 1))
    assert remedy(found, "soft") == {"task.std": pytest.approx(3.0, rel=0.25)}
    assert "soft" not in kinds(blurred, truth(blurred))


def test_a_photo_as_it_was_is_not_restored():
    problem = damaged("chelsea", "denoise", 0.05)
    assert "unchanged" in kinds(problem, problem.y) and "restored" not in kinds(problem, problem.y)
    assert "unchanged" not in kinds(problem, truth(problem))
    found = verdict(replace(problem, sigma_y=0.01), problem.y)
    assert remedy(found, "unchanged") == {"sigma_y": pytest.approx(0.05, rel=0.15)}


def test_what_is_not_fitted_is_said():
    problem = damaged("chelsea", "denoise", 0.05)
    paler = 0.75 * truth(problem)
    assert "unexplained" in kinds(problem, paler) and "restored" not in kinds(problem, paler)


def test_large_gaps_are_filled_with_inventions_and_small_ones_are_not():
    box, dots = damaged("chelsea", "inpaint-box"), damaged("chelsea", "inpaint-random", 0.05, missing=0.3)
    found = verdict(box, truth(box))
    assert found.kinds == ["fitted", "invented"] and "32 pixels wide" in str(found)
    assert remedy(found, "invented") == {"quality": "natural", "samples": 4}
    assert kinds(dots, truth(dots)) == ["restored"]


@pytest.mark.parametrize(
    ("task", "parameters", "words"),
    [
        ("super-resolution", {"factor": 4}, "became 16"), ("super-resolution", {"factor": 2}, ""),
        ("colorize", {}, "colours are guesses"), ("demosaic", {}, ""),
        ("jpeg", {"quality": 5}, "JPEG"), ("jpeg", {"quality": 60}, ""),
    ],
)  # fmt: skip
def test_what_else_is_invented_is_said(task, parameters, words):
    problem = damaged("chelsea", task, 0.02, **parameters)
    found = verdict(problem, truth(problem))
    assert ("invented" in found.kinds) == bool(words) and words in str(found)


def test_samples_that_differ_say_where_it_is_invented():
    problem = damaged("chelsea", "super-resolution")
    several = truth(problem).repeat(3, 1, 1, 1)
    assert "spread" in kinds(problem, several) and "show the same" in str(verdict(problem, several))
    different = several + 0.2 * smoothed(noise(several), 7) * torch.linspace(0, 8, several.shape[-1])
    found = verdict(problem, different.clamp(-1, 1))
    assert "invented" in str(found) and "show the same" not in str(found)
    assert not any(each.remedy for each in found.findings if each.kind in ("invented", "spread")), "they are there"


class Hidden:
    """A truth that must not be looked at."""

    def __getattribute__(self, name):
        raise AssertionError("the truth was looked at")


def test_the_truth_is_never_read():
    for task in DAMAGES:
        problem = damaged("coffee", task)
        other = replace(problem, truth=Hidden())
        result = smoothed(truth(problem), 3)
        assert verdict(problem, result) == verdict(other, result)


def test_an_own_photo_gets_a_verdict():
    problem = taken_for(damaged("chelsea", "denoise", 0.1), "denoise")
    assert problem.truth is None
    assert kinds(problem, truth(damaged("chelsea", "denoise", 0.1))) == ["restored"]


def test_a_verdict_is_plain_sentences_and_plain_data():
    problems = [damaged("chelsea", task) for task in DAMAGES]
    for problem in problems:
        x = truth(problem)
        for picture in (x, 0.7 * x, 3 * x, x + 0.3 * noise(x)):
            found = verdict(problem, picture)
            assert found.findings and json.loads(json.dumps(found.to_dict())) == found.to_dict()
            for each in found.findings:
                assert each.kind in KINDS and each.level in LEVELS and each.text.endswith(".")
                assert not JARGON.search(each.text), each.text


def test_a_remedy_changes_settings_to_ones_that_are_allowed():
    settings = Settings.create(task="deblur-gaussian", mode="degraded")
    wanted = {"task.std": 1.5, "sigma_y": 0.1, "samples": 4, "quality": "natural"}
    made = Remedy("", wanted).applied(settings)
    assert (made.task.to_dict()["std"], made.sigma_y, made.samples, made.quality) == tuple(wanted.values())
    assert Remedy("", {}).applied(settings) == settings
    for changes in ({"seed": 1}, {"task.foo": 1}, {"task.std": -1}, {"quality": "most"}, {"samples": "4"}):
        with pytest.raises(ParameterError):
            Remedy("", changes).applied(settings)


def test_no_remedy_is_what_was_done_already():
    problem = damaged("chelsea", "denoise", 0.05)
    standard, draft = (Settings.create(task="denoise", quality=name) for name in ("standard", "draft"))
    paler = 0.75 * truth(problem)
    assert not any(each.remedy for each in verdict(problem, paler, standard).findings)
    assert remedy(verdict(problem, paler, draft), "unexplained") == {"quality": "standard"}
    assert measured_noise.estimate(problem.y) == pytest.approx(0.05, rel=0.2)
