"""A ruin is never praised, whatever happened to it, and not for one good sample either."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import DAMAGES, PHOTOS, damaged, noise, truth

from inverse import restore
from inverse.imaging import images
from inverse.resources import EXAMPLES
from inverse.verdicts import verdict

RUINS = {
    "no number": lambda x, seed: torch.where(noise(x, seed) > 3, torch.tensor(float("nan")), x),
    "infinite": lambda x, _: x / torch.zeros(()),
    "blank": lambda x, seed: torch.zeros_like(x) + x.mean() * (seed % 2),
    "noise": lambda x, seed: 0.5 * noise(x, seed),
    "negative": lambda x, _: -x,
    "shuffled": lambda x, seed: x.flatten(2)[..., noise(x[0, 0].flatten(), seed).argsort()].reshape(x.shape),
    "contrasts": lambda x, seed: (2.5 + seed % 3) * x,
    "grainy": lambda x, seed: x + 0.3 * noise(x, seed),
    "a chessboard": lambda x, _: x + 0.5 - (torch.arange(x.shape[-1]) + torch.arange(x.shape[-2])[:, None]) % 2,
    "a black quarter": lambda x, _: x.index_fill(-1, torch.arange(x.shape[-1] // 4), -1.0),
    "upside down": lambda x, _: x.flip(-2),
}
MADE = st.sampled_from(sorted(RUINS)), st.sampled_from(sorted(DAMAGES)), st.sampled_from(PHOTOS), st.integers(0, 9)


@given(*MADE)
@settings(max_examples=60, deadline=None)
def test_a_ruin_is_never_praised(ruin, task, photo, seed):
    problem = damaged(photo, task)
    x0_hat = RUINS[ruin](truth(problem), seed)
    found = verdict(problem, x0_hat)
    assert found.level == "bad" and found.kinds == ["ruined"], f"{ruin}, {task}, {photo}: {found}"
    together = verdict(problem, torch.cat([truth(problem), x0_hat]))
    assert together.kinds == ["ruined"], "another sample does not save it"


@pytest.mark.parametrize("task", ["inpaint-box", "inpaint-random"])
@pytest.mark.parametrize("fill", ["black", "white", "noise"])
def test_a_fill_that_does_not_fit_is_a_ruin(task, fill):
    for photo in PHOTOS:
        problem = damaged(photo, task)
        filled = {"black": -torch.ones(()), "white": torch.ones(()), "noise": noise(truth(problem))}[fill]
        x0_hat = torch.where(problem.operator.mask > 0, truth(problem), filled)
        found = verdict(problem, x0_hat)
        assert found.level == "bad" and "restored" not in found.kinds, f"{photo}: {found}"


def test_colours_that_no_photo_has_are_a_ruin():
    problem = damaged("chelsea", "colorize")
    gaudy = truth(problem) + torch.tensor([1.0, -1.0, 0.0])[:, None, None]
    assert verdict(problem, gaudy).kinds == ["ruined"]


def test_a_blur_that_was_undone_with_too_little_noise_is_a_ruin_and_the_way_out_is_no_way_back():
    photo = images.load(EXAMPLES / "damaged" / "blurry.jpg").crop((0, 176, 160, 336))
    for std in (1.3, 2.0):
        blurred = {"task": "deblur-gaussian", "task_parameters": {"std": std, "edges": "reflect"}, "degraded": True}
        rough = restore(photo, **blurred, sigma_y=0.01)
        found = verdict(rough.problem, rough.step.x0_hat)
        assert found.kinds == ["ruined"]
        (finding,) = found.findings
        assert finding.remedy is not None
        level = finding.remedy.changes["sigma_y"]
        assert level > 0.01
        better = restore(photo, **blurred, sigma_y=level)
        for each in verdict(better.problem, better.step.x0_hat).findings:
            assert each.kind not in ("ruined", "smoothed"), "nothing proposes less noise again"
