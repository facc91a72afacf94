"""What is written has the photo's own size and depth, its metadata, and in a PNG the settings."""

import cv2
import numpy as np
import pytest
from PIL import Image

from inverse.fullsize.files import save
from inverse.fullsize.restore import Restored
from inverse.imaging import images, originals
from inverse.imaging.originals import Original
from inverse.settings import DEGRADED, Settings
from inverse.settings.carriers import read

SETTINGS = Settings.create(mode=DEGRADED, full_size=True, task="denoise", sigma_y=0.05)


def restored(kind=np.uint8, **beside):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(kind).max, (30, 40, 3)).astype(kind)
    return Restored(pixels, Original(pixels, **beside), SETTINGS, 1.0)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_come_back(tmp_path, name):
    found = restored(np.uint16)
    assert save(found, tmp_path / name, SETTINGS) == []
    assert np.array_equal(originals.load(tmp_path / name).pixels, found.pixels)
    assert cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED).dtype == np.uint16


def test_a_png_carries_settings_profile_and_exif_whatever_its_depth(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    for kind in (np.uint8, np.uint16):
        save(restored(kind, exif=exif.tobytes(), profile=b"profile"), tmp_path / "a.png", SETTINGS)
        assert Settings.from_dict(read((tmp_path / "a.png").read_bytes()))[0] == SETTINGS
        with Image.open(tmp_path / "a.png") as image:
            assert image.info["icc_profile"] == b"profile" and image.getexif()[0x010F] == "A camera"
            image.load()


def test_a_jpeg_has_eight_bits_and_says_so(tmp_path):
    found = restored(np.uint16, profile=b"profile")
    (words,) = save(found, tmp_path / "a.jpg", SETTINGS)
    assert "16 bits became 8" in words
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["icc_profile"] == b"profile"
    assert save(restored(), tmp_path / "a.bmp", SETTINGS) == []
    assert np.array_equal(np.asarray(images.load(tmp_path / "a.bmp")), restored().pixels)
