"""What is wrong with a photo: every sentence where it must be and nowhere else, settings that follow, the command."""

import io
import json
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image, ImageDraw

from inverse import diagnose, restore
from inverse.__main__ import main
from inverse.diagnosis import TITLES, find_scratches
from inverse.diagnosis.jpeg_file import jpeg_file
from inverse.diagnosis.kinds import EXPECTED, HAPPENED, usual
from inverse.diagnosis.sharpness import blur_std
from inverse.errors import ImageError, ParameterError
from inverse.operators import TASKS
from inverse.operators.jpeg import CHROMA_TABLE, LUMA_TABLE, quantisation_table
from inverse.resources import EXAMPLES

PHOTOS = ("astronaut", "chelsea", "coffee", "hubble", "rocket")
RNG = np.random.default_rng(0)


def good(name="astronaut"):
    """An example, large enough not to be small."""
    photo = Image.open(EXAMPLES / f"{name}.jpg").convert("RGB")
    return photo if min(photo.size) >= 330 else photo.resize((640, 640 * photo.height // photo.width))


def scratched(photo, width=2):
    photo, mask = photo.copy(), Image.new("L", photo.size)
    w, h = photo.size
    for line in ((0.1, 0.05, 0.5, 0.9), (0.3, 0.95, 0.95, 0.2), (0.8, 0.02, 0.7, 0.8)):
        ends = [round(share * side) for share, side in zip(line, (w, h, w, h), strict=True)]
        for picture, colour in ((photo, (252, 250, 248)), (mask, 255)):
            ImageDraw.Draw(picture).line(ends, colour, width)
    return photo, np.asarray(mask) > 0


def blurred(photo, std):
    return Image.fromarray(cv2.GaussianBlur(np.asarray(photo), (0, 0), std))


def noisy(photo, levels):
    pixels = np.asarray(photo) + np.random.default_rng(1).normal(0, levels, (photo.height, photo.width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encoded(photo, kind="JPEG", **options):
    buffer = io.BytesIO()
    photo.save(buffer, kind, **options)
    return buffer.getvalue()


def holed(photo):
    photo = photo.copy()
    photo.paste("white", (100, 120, 190, 200))
    return photo


def erased(photo):
    photo = photo.convert("RGBA")
    photo.paste((0, 0, 0, 0), (30, 40, 160, 120))
    return encoded(photo, "PNG")


@pytest.mark.parametrize("name", PHOTOS)
def test_a_good_photo_has_nothing_wrong(name):
    photo = Image.open(EXAMPLES / f"{name}.jpg")
    found = diagnose(EXAMPLES / f"{name}.jpg")
    assert found.kinds == (["small"] if min(photo.size) < 320 else [])
    assert found.jpeg.quality >= 90 and found.size == photo.size


DAMAGED = {
    "scratched": lambda photo: scratched(photo)[0],
    "blurry": lambda photo: blurred(photo, 2.5),
    "small": lambda photo: photo.resize((300, 220)),
    "grainy": lambda photo: noisy(photo, 15),
    "blocky": lambda photo: encoded(photo, quality=20),
    "grey": lambda photo: photo.convert("L"),
    "faded": lambda photo: Image.eval(photo, lambda value: 70 + value // 3),
    "missing": holed,
}


@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("name", ["astronaut", "coffee"])
def test_what_is_wrong_is_said_and_nothing_else(kind, name):
    found = diagnose(DAMAGED[kind](good(name)))
    assert found.kinds == [kind]
    (one,) = found.findings
    assert one.title == TITLES[kind] and one.words.endswith(".") and one.expectation == EXPECTED[kind]
    assert found.suggested == ([] if kind in ("grey", "faded") else [kind])


def test_every_kind_has_its_words_and_its_task():
    assert set(DAMAGED) == set(TITLES) == set(EXPECTED) and set(HAPPENED) < set(TITLES)
    for kind in HAPPENED:
        assert usual(kind).name in TASKS


def test_several_are_a_chain_in_the_order_in_which_they_happened():
    photo = encoded(noisy(blurred(good(), 2.5).resize((300, 300)), 12), quality=30)
    found = diagnose(photo)
    assert {"small", "blocky"} <= set(found.kinds)
    settings = found.settings(["blocky", "small", "blurry", "grey"])
    assert [each.name for each in (settings.task, *settings.then)] == [
        "colorize", "deblur-gaussian", "super-resolution", "jpeg",
    ]  # fmt: skip
    assert settings.then[-1].quality == 30 and settings.degraded
    assert found.settings([]).task.name == "denoise" and found.settings(["grainy"]).task.name == "denoise"
    with pytest.raises(ParameterError, match="nothing that is known"):
        found.settings(["ugly"])


def test_the_mask_covers_the_scratches_and_goes_with_the_settings():
    photo, truth = scratched(good("coffee"), 3)
    found = diagnose(photo)
    mask = np.asarray(found.mask) > 0
    assert mask[truth].mean() > 0.9 and cv2.dilate(truth.astype(np.uint8), np.ones((7, 7)))[mask].mean() > 0.95
    assert not found.settings(["missing"]).auxiliary, "a mask of scratches is none of holes"
    settings = found.settings()
    assert settings.task.name == "inpaint-mask" and settings.auxiliary_picture.size == photo.size
    result = restore(photo, settings.task, degraded=True, auxiliary=found.mask, sigma_y=0.01, size=None,
                     solver_parameters={"steps": 2, "gradient_steps": 1})  # fmt: skip
    assert np.array_equal(np.asarray(result.image)[~mask], np.asarray(photo)[~mask])


def test_scratches_are_proposed_when_asked_for_and_nothing_is_changed():
    faint, truth = scratched(Image.eval(good("chelsea"), lambda value: value * 2 // 3), 2)
    faint = Image.blend(Image.eval(good("chelsea"), lambda value: value * 2 // 3), faint, 0.6)
    before = faint.tobytes()
    proposed = np.asarray(find_scratches(faint)) > 0
    assert proposed[truth].mean() > 0.5 > np.asarray(find_scratches(faint, clear=True))[truth].mean() / 255
    assert faint.tobytes() == before and proposed.shape == truth.shape


def test_a_thin_scratch_of_a_large_scan_is_found():
    photo, truth = scratched(good("coffee").resize((2400, 1600)), 3)
    assert (np.asarray(find_scratches(photo, clear=True)) > 0)[truth].mean() > 0.8


# What the file tells


@pytest.mark.parametrize("quality", [1, 10, 37, 50, 75, 95, 100])
@pytest.mark.parametrize(("number", "subsampling"), [(0, "4:4:4"), (1, "4:2:2"), (2, "4:2:0")])
def test_quality_and_tables_are_those_of_the_file(quality, number, subsampling):
    found = jpeg_file(encoded(good().resize((64, 64)), quality=quality, subsampling=number))
    assert (found.quality, found.exact, found.subsampling) == (quality, True, subsampling)
    assert np.array_equal(found.tables[0], quantisation_table(LUMA_TABLE, quality).numpy())
    assert np.array_equal(found.tables[1], quantisation_table(CHROMA_TABLE, quality).numpy())


def test_tables_of_another_kind_have_the_nearest_quality():
    own = (quantisation_table(LUMA_TABLE, 40).numpy() * 1.07).round().astype(int)
    found = jpeg_file(encoded(good().resize((64, 64)), qtables=[own.flatten().tolist()] * 2))
    assert not found.exact and abs(found.quality - 38) <= 3 and np.array_equal(found.tables[0], own)
    grey = jpeg_file(encoded(good().convert("L").resize((64, 64)), quality=60))
    assert grey.quality == 60 and grey.subsampling == "" and len(grey.tables) == 1


def test_other_files_tell_nothing_of_jpeg(tmp_path):
    for photo in (encoded(good(), "PNG"), good(), b"none", tmp_path / "none.jpg"):
        assert jpeg_file(photo) is None
    with pytest.raises(ImageError):
        diagnose(b"none")


def test_shrunk_first_it_has_no_blocks_any_more():
    photo = encoded(good(), quality=20)
    assert "blocky" in diagnose(photo).kinds and "blocky" not in diagnose(photo, max_side=256).kinds


def test_what_is_erased_is_missing_and_a_white_sky_is_not():
    found = diagnose(erased(good()))
    assert found.kinds == ["missing"] and (np.asarray(found.mask)[40:120, 30:160] == 255).all()
    sky = np.asarray(good("rocket")).astype(int)
    rows = np.linspace(300, 0, len(sky))[:, None, None]
    assert diagnose(Image.fromarray((sky + rows).clip(0, 255).astype(np.uint8))).mask is None


@pytest.mark.parametrize("std", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
def test_the_blur_is_measured(std, name):
    photo = Image.open(EXAMPLES / f"{name}.jpg").convert("L")
    found = blur_std(cv2.GaussianBlur(np.asarray(photo), (0, 0), std), 0.0)
    assert found == pytest.approx(std, rel=0.25)
    assert blur_std(np.asarray(photo), 0.0) < 0.9 and blur_std(np.full((50, 50), 128, np.uint8), 0.0) is None


# On the command line


def test_inspect(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo, truth = scratched(good("coffee").crop((0, 0, 420, 340)))
    photo.save("old scan.png")
    run = CliRunner().invoke(main, ["inspect", "old scan.png", "--save-mask", "m.png", "--json"])
    record = json.loads(run.stdout)
    assert run.exit_code == 0 and record["suggested"] == ["scratched"] and record["width"] == 420
    assert (np.asarray(Image.open("m.png")) > 0)[truth].mean() > 0.8
    words = shlex.split(record["command"])[3:]
    assert words[1] == "old scan.png" and words[words.index("--mask") + 1] == "m.png" and "--degraded" in words
    done = CliRunner().invoke(main, [*words, "--steps", "2", "--gradient-steps", "1"])
    assert done.exit_code == 0, done.output
    assert Path("restored.png").exists()
    text = " ".join(CliRunner().invoke(main, ["inspect", "old scan.png"]).stdout.split())
    assert "Scratched. There are thin lines" in text and EXPECTED["scratched"] in text and "--task inpaint-mask" in text
    good().save("good.png")
    assert "Nothing is seen to be wrong" in CliRunner().invoke(main, ["inspect", "good.png"]).stdout
    assert CliRunner().invoke(main, ["inspect", "none.png"]).exit_code == 1
