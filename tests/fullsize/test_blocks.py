"""A photo that is damaged everywhere: by tiles in every call and by large blocks, without a seam."""

import numpy as np
import pytest
from smoothing import Smoothing
from test_damaged_parts import done

from inverse.denoisers import tiled
from inverse.errors import ProblemError
from inverse.fullsize import blocks
from inverse.settings import DEGRADED, Settings


def settings(task="denoise", solver="vml-map", **more):
    return Settings.create(
        mode=DEGRADED, full_size=True, task=task, solver=solver, solver_parameters={"steps": 5}, sigma_y=0.1, **more
    )


def photo(height=420, width=500, kind=np.uint8):
    y, x = np.mgrid[:height, :width] / 25
    waves = np.stack([np.sin(x + k) * np.cos(0.8 * y - k) for k in range(3)], -1)
    noisy = 128 + 70 * waves + 13 * np.random.default_rng(0).standard_normal(waves.shape)
    return np.rint(noisy.clip(0, 255) * (np.iinfo(kind).max / 255)).astype(kind)


@pytest.fixture
def small(monkeypatch):
    """Blocks and tiles that several fit into a small photo."""
    for module, name, value in (
        (blocks, "SIDE", 256), (blocks, "OVERLAP", 128), (blocks, "MARGIN", 32), (tiled, "SIDE", 128),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(tiled.Tiled.__init__, "__defaults__", (128, 48, 16))


def whole(pixels, chosen):
    """The same as one ordinary run with the noise of blocks."""
    from dataclasses import replace

    from inverse.fullsize.pixels import levels_of, tensor_of

    problem = replace(chosen.measured_in(tensor_of(pixels)), place=(0, 0))
    *_, last = problem.steps(chosen.solver, Smoothing(), chosen.seed)
    return levels_of(last.x0_hat[0], pixels.dtype)


@pytest.mark.parametrize("task", ["denoise", "deblur-gaussian"])
def test_blocks_come_to_what_the_whole_comes_to_and_have_no_seam(small, task):
    pixels, chosen = photo(), settings(task)
    (found, _), seen = done(blocks.restored(pixels, chosen, Smoothing()))
    expected = whole(pixels, chosen)
    assert found.shape == pixels.shape and seen[-1].count == 9 and seen[-1].share == pytest.approx(1)
    error = found - expected
    assert np.abs(error).max() <= 2 and np.abs(error).mean() < 0.5, "levels, of which rounding is half a one"
    parts = blocks.blocks(pixels.shape[:2], chosen.task)
    edges = sorted({edge for part in parts for edge in (part.image.left, part.image.right)} - {0, pixels.shape[1]})
    step = np.abs(np.diff(found.astype(float), axis=1)).mean((0, 2))
    for edge in edges:
        near = step[max(0, edge - 3) : edge + 3].max()
        assert near < 1.1 * step.max() and abs(near - step[edge - 20 : edge + 20].mean()) < 3 * step.std()


def test_a_photo_within_a_block_is_one_run_whose_prior_answers_by_tiles(monkeypatch):
    pixels, prior = photo(800, 900), Smoothing()
    (found, _), seen = done(blocks.restored(pixels, settings(), prior))
    assert found.shape == pixels.shape and seen[-1].count == 1
    assert max(max(shape[2:]) for shape in prior.asked) <= tiled.SIDE
    assert len(prior.asked) % 4 == 0


def test_a_photo_that_is_enlarged_has_blocks_on_whole_pixels_of_both(small):
    pixels = photo(150, 170)
    chosen = settings("super-resolution", task_parameters={"factor": 3})
    for part in blocks.blocks(pixels.shape[:2], chosen.task):
        assert (part.image.top, part.image.bottom) == (3 * part.photo.top, 3 * part.photo.bottom)
        assert (part.image.left, part.image.right) == (3 * part.photo.left, 3 * part.photo.right)
    (found, _), _ = done(blocks.restored(pixels, chosen, Smoothing()))
    assert found.shape == (450, 510, 3)
    small_again = found.reshape(150, 3, 170, 3, 3).mean((1, 3))
    assert np.abs(small_again - pixels).mean() < 13


def test_sixteen_bits_stay_and_the_noise_is_found_where_it_is_not_said():
    from dataclasses import replace

    pixels = photo(120, 130, np.uint16)
    (found, used), _ = done(blocks.restored(pixels, replace(settings(), sigma_y=None), Smoothing()))
    assert found.dtype == np.uint16 and used.sigma_y == pytest.approx(0.1, abs=0.03)
    assert len(np.unique(found)) > 256


def test_known_pixels_may_change_where_that_is_asked_for(small):
    pixels = photo(300, 300)
    chosen = settings("inpaint-periodic", task_parameters={"keep_known": "never"})
    (found, _), _ = done(blocks.restored(pixels, chosen, Smoothing()))
    assert found.shape == pixels.shape
    assert found.astype(float).std() > 20


def test_more_megapixels_than_are_accepted_are_refused():
    with pytest.raises(ProblemError, match="megapixels"):
        blocks.blocks((4000, 4000), settings("super-resolution", task_parameters={"factor": 4}).task)
