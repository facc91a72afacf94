"""Windows hold all that is missing, stay within their side, and do not divide what fits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inverse.fullsize.windows import Box, weights, windows

SIDE, CONTEXT = 128, 16


def covered(boxes, shape):
    found = np.zeros(shape, bool)
    for box in boxes:
        found[box.slices] = True
    return found


@given(st.integers(20, 400), st.integers(20, 400), st.integers(0, 2**31), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_every_missing_pixel_is_in_a_window_with_the_context_that_the_photo_has(height, width, seed, count):
    random, missing = np.random.default_rng(seed), np.zeros((height, width), bool)
    for _ in range(count):
        y, x = random.integers(height), random.integers(width)
        missing[y : y + random.integers(1, 50), x : x + random.integers(1, 50)] = True
    found = windows(missing, SIDE, CONTEXT)
    inner = np.zeros_like(missing)
    for box in found:
        assert 0 <= box.top < box.bottom <= height and 0 <= box.left < box.right <= width
        assert box.height <= SIDE and box.width <= SIDE
        top, left = (at if at == 0 else at + CONTEXT for at in (box.top, box.left))
        bottom, right = (
            end if end == most else end - CONTEXT for end, most in ((box.bottom, height), (box.right, width))
        )
        inner[top:bottom, left:right] = True
    assert inner[missing].all()


def test_what_is_whole_is_whole_and_far_away_nothing_is_done():
    missing = np.zeros((1000, 1000), bool)
    missing[500:540, 300:340] = True
    (box,) = windows(missing, SIDE, CONTEXT)
    assert box.area <= SIDE**2 and box.top <= 500 - CONTEXT and box.bottom >= 540 + CONTEXT
    assert windows(np.zeros((50, 50), bool), SIDE, CONTEXT) == []


def test_a_long_scratch_is_followed_and_specks_that_are_near_share_a_window():
    scratch = np.zeros((2000, 2000), bool)
    np.fill_diagonal(scratch, True)
    found = windows(scratch, SIDE, CONTEXT)
    assert covered(found, scratch.shape)[scratch].all()
    assert sum(box.area for box in found) < 0.25 * scratch.size, "the scratch, and not the photo"
    specks = np.zeros((2000, 2000), bool)
    specks[1000:1060:9, 1000:1060:9] = True
    assert len(windows(specks, SIDE, CONTEXT)) == 1


def test_only_what_is_wanted_is_covered():
    missing = np.zeros((300, 300), bool)
    missing[10:20, 10:20] = missing[250:260, 250:260] = True
    wanted = np.zeros_like(missing)
    wanted[250:260, 250:260] = True
    (box,) = windows(missing, SIDE, CONTEXT, wanted)
    assert box.top > 150 and box.left > 150


def test_weights_fall_through_the_context_and_not_towards_an_edge_of_the_photo():
    inside = weights(Box(100, 0, 200, 120), 16, (500, 400))
    assert inside.shape == (100, 120) and inside.min() > 0
    assert inside[50, 0] == pytest.approx(1) and inside[0, 50] < 0.02
    assert np.all(np.diff(inside[:16, 30]) >= 0) and inside[50, -1] < 0.02
