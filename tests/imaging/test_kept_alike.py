"""What is made from a photo is saved as that was: a JPEG by its own tables; of EXIF what tells nothing of the place."""

import io

import numpy as np
import pytest
from PIL import Image

from inverse.diagnosis.jpeg_file import jpeg_file
from inverse.fullsize.files import save
from inverse.fullsize.restore import Restored
from inverse.imaging import exif, originals
from inverse.imaging.colours import SRGB_PRIMARIES, gamma_profile
from inverse.imaging.jpeg_tables import tables_of
from inverse.settings import DEGRADED, Settings

SETTINGS = Settings.create(mode=DEGRADED, full_size=True, task="denoise", sigma_y=0.05)


def written(photo, folder, **options):
    """The photo as a JPEG, and that as it is written when nothing was restored; and what was said."""
    before, after = folder / "before.jpg", folder / "after.jpg"
    photo.save(before, **options)
    original = originals.load(before)
    return before, after, save(Restored(original.pixels, original, SETTINGS, 1.0), after, SETTINGS)


@pytest.mark.parametrize(("quality", "subsampling"), [(85, "4:2:0"), (92, "4:2:0"), (97, "4:4:4")])
def test_a_fine_jpeg_comes_back_as_it_came(photo, tmp_path, quality, subsampling):
    before, after, said = written(photo, tmp_path, quality=quality, subsampling=subsampling)
    found = jpeg_file(after)
    assert (found.quality, found.exact, found.subsampling) == (quality, True, subsampling) and not said
    assert abs(after.stat().st_size / before.stat().st_size - 1) < 0.1, "and is about as large"


def test_a_coarse_jpeg_comes_back_fine_with_a_word(photo, tmp_path):
    _, after, (said,) = written(photo, tmp_path, quality=40)
    found = jpeg_file(after)
    assert (found.quality, found.subsampling) == (95, "4:4:4") and "put their blocks back" in said


def test_grey_and_what_is_no_jpeg(photo, tmp_path):
    _, after, _ = written(photo.convert("L"), tmp_path, quality=90)
    assert jpeg_file(after).quality == 90
    photo.save(tmp_path / "a.png")
    assert tables_of(tmp_path / "a.png") is None and tables_of(b"\xff\xd8none") is None


def test_only_what_is_listed_of_exif_is_kept(photo):
    given = Image.Exif()
    given[0x010F], given[0x0132], given[0x0112] = "A camera", "2020:01:01 10:00:00", 6
    given[700], given[33723] = b"<xmp exif:GPSLatitude='52'/>", b"City: Berlin"
    given.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    given.get_ifd(0x8769).update({0x9003: "2020:01:01 10:00:00", 0x829A: 0.01, 0x927C: b"GPS 52", 0x9286: b"at home"})
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", exif=given)
    with Image.open(buffer) as image:
        kept = exif.kept(image)
    found = Image.Exif()
    found.load(kept)
    assert set(found) == {0x010F, 0x0132, 0x8769} and set(found.get_ifd(0x8769)) == {0x9003, 0x829A}
    assert not any(word in kept for word in (b"GPS", b"Berlin", b"home"))
    assert exif.texts(kept) == {0x010F: "A camera", 0x0132: "2020:01:01 10:00:00"}
    assert exif.kept(photo) == b""


def test_a_deep_tiff_carries_profile_and_texts(tmp_path):
    given = Image.Exif()
    given[0x010F] = "A camera"
    pixels = np.random.default_rng(0).integers(0, 65535, (30, 40, 3)).astype(np.uint16)
    original = originals.Original(pixels, given.tobytes(), b"a profile")
    (said,) = save(Restored(pixels, original, SETTINGS, 1.0), tmp_path / "a.tif", SETTINGS)
    with Image.open(tmp_path / "a.tif") as image:
        assert image.getexif()[0x010F] == "A camera" and image.info["icc_profile"] == b"a profile"
    assert "keeps camera" in said and np.array_equal(originals.load(tmp_path / "a.tif").pixels, pixels)


def test_a_profile_of_greys_is_followed_and_does_not_go_with_colours(photo):
    profile, buffer = gamma_profile(1.0, SRGB_PRIMARIES, grey=True), io.BytesIO()
    photo.convert("L").save(buffer, "PNG", icc_profile=profile)
    plain, kept = (originals.load(buffer.getvalue(), keep_metadata=keep) for keep in (False, True))
    assert kept.profile == b"" and np.array_equal(plain.pixels, kept.pixels)
