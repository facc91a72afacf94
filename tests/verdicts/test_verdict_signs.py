"""Each sign of a verdict, on pictures where it must be seen, and where it must not."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from judged import PHOTOS, damaged, kinds, noise, sharpened, taken_for, truth

from inverse.operators import noise as measured_noise
from inverse.verdicts import edges, fit, invention, surface
from inverse.verdicts.signs import GREY_SHARE, Photo, Signs, blur_of, brightness


@pytest.mark.parametrize(
    "task", ["denoise", "deblur-gaussian", "super-resolution", "inpaint-random", "colorize", "jpeg"]
)
def test_the_truth_is_a_noise_away_and_leaves_nothing_unexplained(task):
    problem = damaged("astronaut", task)
    r = fit.residual(problem, truth(problem))
    level = measured_noise.estimate(problem.y, problem.operator)
    assert fit.in_noise(problem, truth(problem), r) == pytest.approx(1, abs=0.15)
    assert fit.unexplained(problem, r, level) < 0.05
    blank = torch.zeros_like(truth(problem)) + truth(problem).mean()
    assert fit.unexplained(problem, fit.residual(problem, blank), level) > 0.7
    assert fit.in_noise(problem, blank, fit.residual(problem, blank)) > 4


def test_what_noise_leaves_is_white_and_what_smoothing_leaves_is_not():
    problem = damaged("astronaut", "denoise")
    assert abs(fit.structure(problem.operator, fit.residual(problem, truth(problem)))) < 0.05
    smooth = torch.nn.functional.avg_pool2d(truth(problem), 5, 1, 2)
    assert fit.structure(problem.operator, fit.residual(problem, smooth)) > 0.2


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize(("std", "sigma_y"), [(1.0, 0.02), (1.5, 0.05), (2.0, 0.02), (3.0, 0.05)])
def test_the_width_of_a_blur_is_found(photo, std, sigma_y):
    problem = damaged(photo, "deblur-gaussian", sigma_y, std=std)
    level = measured_noise.estimate(problem.y) * 127.5 * GREY_SHARE
    assert edges.blur_width(brightness(problem.y), level) == pytest.approx(std, rel=0.25)


@pytest.mark.parametrize("photo", PHOTOS)
def test_a_sharp_photo_has_no_blur(photo):
    problem = damaged(photo, "denoise", 0.02)
    assert edges.blur_width(brightness(problem.y), 0.02 * 127.5 * GREY_SHARE) < 0.6


@pytest.mark.parametrize("std", [1.0, 2.0, 3.0])
def test_stars_do_not_tell_their_blur(std):
    problem = damaged("hubble", "deblur-gaussian", 0.03, std=std)
    level = measured_noise.estimate(problem.y) * 127.5 * GREY_SHARE
    assert edges.blur_width(brightness(problem.y), level) is None
    assert {"ripples", "soft", "ruined"}.isdisjoint(kinds(problem, truth(problem)))
    assert {"ripples", "soft"}.isdisjoint(kinds(problem, sharpened(problem)))


@pytest.mark.parametrize("photo", ["astronaut", "chelsea", "coffee"])
def test_a_blur_that_is_assumed_too_wide_leaves_ripples_and_the_right_one_none(photo):
    problem = damaged(photo, "deblur-gaussian", 0.02, std=1.5)

    def ripples(std):
        assumed = taken_for(problem, "deblur-gaussian", 0.02, std=std)
        found = edges.ripples(brightness(sharpened(assumed)), brightness(problem.y), std)
        assert found is not None
        return found

    assert ripples(1.0) < 2 and ripples(1.5) < 2.3 < ripples(2.4)


def test_a_picture_without_edges_says_nothing_of_ripples():
    flat = np.full((96, 96), 128, np.float32)
    assert edges.ripples(flat, flat, 2.0) is None


def test_the_width_of_an_operator_is_that_of_what_a_point_becomes():
    assert blur_of(damaged("coffee", "deblur-gaussian", 0.05, std=2.0).operator) == pytest.approx(2.0, rel=0.02)
    assert blur_of(damaged("coffee", "denoise").operator) is None
    assert blur_of(damaged("coffee", "super-resolution").operator) is None


@given(st.integers(2, 40), st.integers(2, 40), st.integers(0, 20), st.integers(0, 20))
def test_the_largest_gap_is_as_wide_as_its_narrow_side(height, width, top, left):
    known = torch.ones(64, 64, dtype=torch.bool)
    known[top : top + height, left : left + width] = False
    shorter = min(height if top else 2 * height, width if left else 2 * width)  # nothing is known beyond the frame
    assert invention.gap(known) == pytest.approx(shorter, abs=2.5)


def test_where_samples_differ_is_a_share_of_the_picture():
    samples = torch.zeros(4, 3, 20, 20)
    assert invention.differing(samples) == 0
    samples[::2, :, :10] = 0.5
    assert invention.differing(samples) == pytest.approx(0.5)


def test_a_fill_that_fits_has_no_seam():
    problem = damaged("chelsea", "inpaint-box")
    known = invention.known(problem.operator, problem.y)
    assert known is not None and surface.seam(known, truth(problem)) < 0.1
    torn = torch.where(known, truth(problem), torch.ones(()))
    assert surface.seam(known, torn) > 0.3


def test_the_worst_of_several_samples_counts():
    problem = damaged("chelsea", "denoise")
    photo = Photo.of(problem)
    good, bad = (Signs.of(problem, x, photo) for x in (truth(problem), truth(problem) + 0.3 * noise(problem.y)))
    both = Signs.worst([good, bad])
    assert both.grain == bad.grain > good.grain and both.in_noise == bad.in_noise > good.in_noise
    assert not Signs.worst([good, Signs(finite=False)]).finite
