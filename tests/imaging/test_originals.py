"""A photo as it was: its depth, its orientation, and its metadata without where it was taken."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from inverse.errors import ImageError
from inverse.imaging import images, originals
from inverse.imaging.colours import SRGB_PRIMARIES, gamma_profile

GPS = 0x8825


@pytest.fixture
def deep():
    """(40, 56, 3) of uint16."""
    y, x = np.mgrid[:40, :56]
    return np.stack([x * 1100 + y, y * 1500 + x, (x + y) * 600], -1).astype(np.uint16)


def encoded(pixels, kind=".png"):
    return cv2.imencode(kind, pixels[..., ::-1])[1].tobytes()


def saved(image, kind="PNG", **settings):
    buffer = io.BytesIO()
    image.save(buffer, kind, **settings)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", [".png", ".tif"])
def test_sixteen_bits_in_colour_stay(deep, kind):
    found = originals.load(encoded(deep, kind))
    assert found.pixels.dtype == np.uint16 and np.array_equal(found.pixels, deep) and not found.notes
    grey = originals.load(cv2.imencode(kind, deep[..., 0])[1].tobytes())
    assert np.array_equal(grey.pixels, np.repeat(deep[..., :1], 3, -1))


def test_eight_bits_are_those_that_the_program_loads_everywhere(photo, tmp_path):
    path = tmp_path / "photo.jpg"
    photo.save(path, quality=90)
    for given in (path, str(path), path.read_bytes(), Image.open(path)):
        assert np.array_equal(originals.load(given).pixels, np.asarray(images.load(path)))
    assert originals.load(path).size == (photo.height, photo.width) and originals.ending(path) == "jpg"


def test_metadata_are_kept_when_asked_for_and_never_the_place(photo):
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "A camera", 6
    exif.get_ifd(GPS)[2] = (52.0, 31.0, 12.0)
    content = saved(photo, "JPEG", exif=exif)
    plain, kept = originals.load(content), originals.load(content, keep_metadata=True)
    assert plain.exif == b"" and plain.profile == b""
    found = Image.Exif()
    found.load(kept.exif)
    assert found[0x010F] == "A camera" and 0x0112 not in found and not found.get_ifd(GPS)
    assert kept.size == plain.size == (photo.width, photo.height), "upright"


def test_a_profile_goes_with_the_numbers_that_it_explains(photo):
    profile = gamma_profile(1.0, SRGB_PRIMARIES, grey=False)
    content = saved(photo, icc_profile=profile)
    converted, kept = originals.load(content), originals.load(content, keep_metadata=True)
    assert kept.profile == profile and np.array_equal(kept.pixels, np.asarray(photo))
    assert converted.profile == b"" and not np.array_equal(converted.pixels, kept.pixels)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_deep_pixels_are_turned_as_shallow_ones_are(deep, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    shallow = Image.fromarray((deep >> 8).astype(np.uint8))
    wide = originals._upright(deep, orientation)
    narrow = originals.load(saved(shallow, exif=exif)).pixels
    assert np.array_equal(wide >> 8, narrow)


def test_what_is_no_picture_ends_in_a_sentence(tmp_path):
    for given in (b"no picture", tmp_path / "missing.png", tmp_path):
        with pytest.raises(ImageError, match=r"\.$"):
            originals.load(given)
