"""Grain is measured where a photo is flat, and drawn as strong, as coarse and as coloured as it was found."""

import cv2
import numpy as np
import pytest

from inverse.fullsize.grain import SIDE, Grain


def grainy(std=6.0, coarse=0.0, mixing=None, seed=0, size=(256, 256)):
    random = np.random.default_rng(seed)
    noise = random.standard_normal((*size, 3)).astype(np.float32)
    if coarse:
        noise = cv2.GaussianBlur(noise, (0, 0), coarse)
        noise /= noise.std()
    noise = noise @ (np.eye(3) if mixing is None else mixing).T
    y, x = np.mgrid[: size[0], : size[1]]
    picture = 120 + 40 * np.sin(x / 90)[..., None] + 20 * (y > size[0] // 3)[..., None] + std * noise
    return np.rint(picture).clip(0, 255).astype(np.uint8)


def autocorrelation(noise):
    return float((noise[:, 1:] * noise[:, :-1]).mean() / noise.var())


@pytest.mark.parametrize("coarse", [0.0, 1.2])
def test_drawn_grain_is_as_strong_and_as_coarse_as_that_of_the_photo(coarse):
    found = Grain.of(grainy(coarse=coarse), np.ones((256, 256), bool))
    drawn = found.drawn((200, 220), np.random.default_rng(1))
    assert drawn.shape == (200, 220, 3)
    assert drawn.std() == pytest.approx(6, rel=0.15)
    expected = np.exp(-1 / (4 * coarse**2)) if coarse else 0
    assert autocorrelation(drawn[..., 0]) == pytest.approx(expected, abs=0.15)


def test_grain_that_is_grey_stays_grey():
    found = Grain.of(grainy(mixing=np.full((3, 3), 1 / np.sqrt(3))), np.ones((256, 256), bool))
    drawn = found.drawn((100, 100), np.random.default_rng(1))
    assert np.abs(drawn - drawn.mean(-1, keepdims=True)).std() < 0.15 * drawn.std()


def test_edges_and_texture_are_no_grain():
    picture = grainy(std=2.0)
    picture[:, 128:] = np.where(np.indices((256, 128)).sum(0)[..., None] // 3 % 2, 220, 30)
    assert Grain.of(picture, np.ones((256, 256), bool)).level == pytest.approx(2, rel=0.25)


def test_sixteen_bits_and_what_little_is_known():
    picture = grainy().astype(np.uint16) * 257
    assert Grain.of(picture, np.ones((256, 256), bool)).level == pytest.approx(6 * 257, rel=0.15)
    known = np.zeros((256, 256), bool)
    assert Grain.of(picture, known) is None
    known[:SIDE, : 2 * SIDE] = True
    assert Grain.of(picture, known) is None
    assert Grain.of(np.full((256, 256, 3), 90, np.uint8), ~known) is None, "a flat drawing has none"


def test_what_a_fill_has_already_is_not_added_again():
    photo, fill = (Grain.of(grainy(std=s), np.ones((256, 256), bool)) for s in (5.0, 3.0))
    assert photo.missing_in(fill).level == pytest.approx(4, rel=0.15)
    assert fill.missing_in(photo).level == 0 and photo.missing_in(None) is photo
