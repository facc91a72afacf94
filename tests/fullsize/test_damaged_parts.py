"""A part of a photo restored at full size: nothing else changes, and what is filled in belongs to its surroundings."""

import numpy as np
import pytest
from smoothing import Smoothing

from inverse.errors import ProblemError
from inverse.fullsize import damage
from inverse.settings import DEGRADED, Settings


def settings(**more):
    usual = {"task": "inpaint-mask", "solver": "vml-map", "sigma_y": 0.02}
    steps = {"steps": 8, "sigma_max": 2.0}
    return Settings.create(mode=DEGRADED, full_size=True, solver_parameters=steps, **{**usual, **more})


def scene(height=500, width=420, seed=0, grain=4.0, kind=np.uint8):
    y, x = np.mgrid[:height, :width] / 60
    clean = np.stack([120 + 60 * np.sin(x + k) * np.cos(0.7 * y) for k in range(3)], -1)
    noisy = clean + grain * np.random.default_rng(seed).standard_normal(clean.shape)
    top = np.iinfo(kind).max
    return np.rint(noisy.clip(0, 255) / 255 * top).astype(kind), clean


def scratched(photo, thickness=3):
    missing = np.zeros(photo.shape[:2], bool)
    for row in range(40, photo.shape[0] - 40):
        column = int(60 + 0.6 * row + 20 * np.sin(row / 40))
        missing[row, column : column + thickness] = True
    damaged = photo.copy()
    damaged[missing] = np.iinfo(photo.dtype).max
    return damaged, missing


def done(run):
    seen = []
    while True:
        try:
            seen.append(next(run))
        except StopIteration as end:
            return end.value, seen


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_outside_the_feather_every_byte_is_the_photos_and_inside_the_scratch_is_gone(kind):
    photo, clean = scene(kind=kind)
    damaged, missing = scratched(photo)
    before = damaged.copy()
    (found, used), seen = done(damage.restored(damaged, missing, settings(sigma_y=None), Smoothing()))
    outside = ~damage.grown(missing)
    assert np.array_equal(damaged, before), "the photo itself is not changed"
    assert found.dtype == kind and np.array_equal(found[outside], damaged[outside])
    scale = np.iinfo(kind).max / 255
    error = (found[missing] / scale - clean[missing]).std()
    assert error < 8, "as near as grain allows"
    assert 0.01 <= used.sigma_y < 0.1
    shares = [each.share for each in seen]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1) and seen[-1].finished == seen[-1].count > 1


def test_windows_alone_are_asked_for():
    photo, _ = scene(1200, 1200)
    missing = np.zeros(photo.shape[:2], bool)
    missing[600:604, 300:360] = True
    prior = Smoothing()
    done(damage.restored(photo, missing, settings(), prior))
    assert {shape[0] for shape in prior.asked} == {1}
    assert max(max(shape[2:]) for shape in prior.asked) <= damage.SIDE


def test_what_is_filled_in_has_the_grain_of_the_photo():
    def fine(pixels, where):
        return (pixels[:, 1:].astype(float) - pixels[:, :-1])[where[:, 1:] & where[:, :-1]].std()

    photo, _ = scene(grain=6.0)
    missing = np.zeros(photo.shape[:2], bool)
    missing[200:216, 100:300] = True
    damaged = np.where(missing[..., None], 0, photo).astype(np.uint8)
    (found, _), _ = done(damage.restored(damaged, missing, settings(sigma_y=0.05), Smoothing()))
    known = ~damage.grown(missing)
    assert fine(found, missing) == pytest.approx(fine(found, known), rel=0.2)
    flat, _ = scene(grain=0.0)
    (smooth, _), _ = done(damage.restored(np.where(missing[..., None], 0, flat), missing, settings(), Smoothing()))
    assert fine(smooth, missing) < 1.5


def test_a_hole_that_is_deeper_than_a_window_bridges_comes_from_half_the_size():
    photo, clean = scene(900, 900, grain=0.0)
    missing = np.zeros(photo.shape[:2], bool)
    missing[300:560, 300:560] = missing[700:703, 100:800] = True
    scales = damage.levels(damage.grown(missing))
    assert [scale.size for scale in scales] == [(900, 900), (450, 450), (225, 225), (113, 113)]
    assert scales[0].deep[430, 430] and not scales[0].deep[701, 400], "the scratch needs its own scale only"
    assert not any(scale.missing[scale.deep].any() for scale in scales[:-1])
    damaged = np.where(missing[..., None], 0, photo).astype(np.uint8)
    (found, _), _ = done(damage.restored(damaged, missing, settings(), Smoothing(), scales=scales))
    assert np.abs(found[missing].astype(float) - clean[missing]).mean() < 30, "not mid-grey, and no trace of black"
    step = np.abs(np.diff(found.astype(float), axis=1)).mean(-1)
    assert step[400:460, 290:570].max() < 25, "no edge at the rim"


def test_the_same_seed_gives_the_same_bytes_and_windows_meet_without_a_step():
    photo, _ = scene(grain=0.0)
    damaged, missing = scratched(photo, thickness=10)
    results = [done(damage.restored(damaged, missing, settings(seed=5), Smoothing()))[0][0] for _ in range(2)]
    assert np.array_equal(*results)
    along = np.abs(np.diff(results[0].astype(float), axis=0))[missing[1:] & missing[:-1]]
    assert along.max() < 14


def test_it_can_be_stopped_between_two_passes():
    photo, _ = scene()
    damaged, missing = scratched(photo)
    prior = Smoothing()
    run = damage.restored(damaged, missing, settings(), prior)
    next(run)
    run.close()
    assert len(prior.asked) <= 2


def test_a_mask_of_everything_is_refused():
    photo, _ = scene(100, 100)
    with pytest.raises(ProblemError, match="covers the whole"):
        next(damage.restored(photo, np.ones((100, 100), bool), settings(), Smoothing()))
