"""Treatments on a part of a photo: which part, which treatments, and that each does what its name says, visibly."""

import io
import json
import shlex
from dataclasses import replace

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from inverse import diagnose, restore, try_on_crop
from inverse.__main__ import main
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators import make_task
from inverse.resources import EXAMPLES
from inverse.settings import DEGRADED, Settings
from inverse.settings.carriers import read
from inverse.treatments import Trial, proposed, telling_box, trial
from inverse.treatments.candidates import AS_SET, MOST, VISIBLE
from inverse.treatments.crop import BLOCK, box_at, detail, grid


def good():
    return Image.open(EXAMPLES / "coffee.jpg").convert("RGB")


def noisy(photo, levels):
    noise = np.random.default_rng(1).normal(0, levels, (photo.height, photo.width, 3))
    return Image.fromarray((np.asarray(photo) + noise).clip(0, 255).astype(np.uint8))


def saved(photo, quality):
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def holed(photo):
    photo = photo.copy()
    photo.paste("white", (200, 150, 240, 190))
    return photo


def chosen(**values):
    return Settings.create(mode=DEGRADED, **{"sigma_y": 0.01, **values})


# Which part


def scene(at, size=(640, 480), side=160):
    """A sky that gets darker downwards, and a square of texture whose upper left corner is given."""
    pixels = np.broadcast_to(np.linspace(220, 160, size[1])[:, None, None], (size[1], size[0], 3)).copy()
    texture = np.kron(np.random.default_rng(0).integers(60, 200, (side // 8, side // 8)), np.ones((8, 8)))
    pixels[at[1] : at[1] + side, at[0] : at[0] + side] = texture[..., None]
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("at", [(0, 0), (420, 40), (100, 320), (480, 320)])
@pytest.mark.parametrize("levels", [0, 20])
def test_the_part_is_where_the_detail_is_and_not_in_the_sky_however_grainy(at, levels):
    photo = noisy(scene(at), levels)
    box = telling_box(photo, 192, levels / 127.5)
    assert box == telling_box(photo, 192, levels / 127.5) and box.size == (192, 192)
    assert box.left % BLOCK == box.top % BLOCK == 0 and box.right <= 640 and box.bottom <= 480
    inside = [max(0, min(high, begin + 160) - max(low, begin))
              for low, high, begin in ((box.left, box.right, at[0]), (box.top, box.bottom, at[1]))]  # fmt: skip
    assert inside[0] * inside[1] > 0.8 * 160**2


def test_noise_is_no_detail():
    plain = noisy(Image.new("RGB", (128, 128), "grey"), 20)
    assert detail(plain, 20).mean() < 0.2
    assert detail(noisy(scene((0, 0)), 20), 20)[:160, :160].mean() > 1


def test_the_part_is_where_something_is_missing_whatever_is_elsewhere():
    photo, missing = scene((420, 40)), np.zeros((480, 640), bool)
    missing[300:306, 40:200] = True
    box = telling_box(photo, 128, 0.01, missing)
    assert missing[box.top : box.bottom, box.left : box.right].sum() >= 0.7 * 6 * 128
    missing[:, :400] = True
    box = telling_box(photo, 128, 0.01, missing)
    assert 0.1 < missing[box.top : box.bottom, box.left : box.right].mean() < 0.9, "with its surroundings"


def test_a_plain_photo_is_tried_in_the_middle_and_a_small_one_as_a_whole():
    plain = Image.new("RGB", (640, 480), "grey")
    left, top, right, bottom = telling_box(plain, 192)
    assert abs(left + right - 640) <= BLOCK and abs(top + bottom - 480) <= BLOCK
    assert telling_box(scene((0, 0), (100, 90), 80), 192) == (0, 0, 100, 90)


def test_the_visitor_may_choose_the_part():
    assert box_at((640, 480), (0.5, 0.5), 192) == (224, 144, 416, 336)
    assert box_at((640, 480), (0.0, 1.0), 192) == (0, 288, 192, 480)
    assert box_at((100, 480), (0.9, 0.0), 192) == (0, 0, 100, 192)


def test_a_part_has_the_damage_where_the_whole_has_it():
    assert grid(make_task("jpeg")) == BLOCK
    assert grid(make_task("inpaint-periodic", {"period": 3})) == 3 * BLOCK


# Which treatments

OFFERED = {
    "good": (good, chosen(), []),
    "grainy": (lambda: noisy(good(), 15), None, ["Less grain", "Sharper", "Keeps more grain"]),
    "blurry": (lambda: Image.fromarray(cv2.GaussianBlur(np.asarray(good()), (0, 0), 2.5)), None, ["Sharper", "Softer"]),
    "blurry, denoised": (
        lambda: Image.fromarray(cv2.GaussianBlur(np.asarray(good()), (0, 0), 2.5)), chosen(), ["Sharper"],
    ),
    "small": (lambda: good().resize((300, 200)), None, ["Larger", "More texture"]),
    "small, denoised": (lambda: good().resize((300, 200)), chosen(), ["Larger"]),
    "blocky": (lambda: saved(good(), 20), None, ["Sharper", "Softer"]),
    "blocky, denoised": (lambda: saved(good(), 20), chosen(), ["No blocks"]),
    "missing": (lambda: holed(good()), None, ["More texture", "Filled another way"]),
    "grey": (lambda: good().convert("L"), chosen(task="colorize"), ["Other colours"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", OFFERED)
def test_what_is_offered_is_what_the_photo_may_need(kind):
    make, settings, names = OFFERED[kind]
    found = diagnose(make())
    settings = settings or found.settings()
    treatments = proposed(settings, found)
    assert [each.name for each in treatments] == [AS_SET, *names] and len(treatments) <= MOST
    assert treatments[0].settings == settings
    assert len({each.settings for each in treatments}) == len(treatments)
    for each in treatments[1:]:
        one, two = vars(each.settings), vars(settings)
        differing = [name for name in one if one[name] != two[name]]
        assert 1 <= len(differing) <= 2, (each.name, differing)
        assert each.words.endswith(".")


def test_one_that_was_chosen_is_what_the_next_ones_start_from():
    found = diagnose(noisy(good(), 15))
    _, less, *_ = proposed(found.settings(), found)
    again = proposed(less.settings, found)
    assert again[0].settings == less.settings and again[1].settings.sigma_y > less.settings.sigma_y
    most = replace(less.settings, sigma_y=1.0)
    assert "Less grain" not in [each.name for each in proposed(most, found)], "there is no more than that"


def test_what_was_saved_as_a_jpeg_was_so_after_all_else():
    found = diagnose(saved(good(), 20))
    _, blocks = proposed(chosen(), found)
    assert [each.name for each in blocks.settings.then] == ["jpeg"] and blocks.settings.then[0].quality == 20


# That each does what its name says


def grain(image):
    """Mean of the finest diagonal details, in levels."""
    a, b, c, d = (np.asarray(image, float)[i::2, j::2] for i in (0, 1) for j in (0, 1))
    return np.abs(a - b - c + d).mean()


def edges(image):
    luma = cv2.GaussianBlur(np.asarray(image.convert("L"), np.float32), (0, 0), 0.7)
    return float(np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)).mean())


def blocks(image):
    """Times that brightness changes more across the edges of a JPEG's blocks than within them."""
    across = np.abs(np.diff(np.asarray(image.convert("L"), float), axis=1)).mean(0)
    return across[7::8].mean() / np.delete(across, np.s_[7::8]).mean()


SAYS = {
    "Less grain": lambda before, after: grain(after) < 0.97 * grain(before),
    "Keeps more grain": lambda before, after: grain(after) > 1.5 * grain(before),
    "Sharper": lambda before, after: edges(after) > 1.02 * edges(before),
    "Softer": lambda before, after: edges(after) < 0.98 * edges(before),
    "No blocks": lambda before, after: blocks(after) < 0.85 * blocks(before),
    "Larger": lambda before, after: after.width == 2 * before.width,
    "More texture": lambda before, after: True,
    "Filled another way": lambda before, after: True,
    "Other colours": lambda before, after: abs(edges(after) / edges(before) - 1) < 0.1,
}
"""What a name promises; those of which more is invented, or something else, differ, which is tested of all."""


@pytest.mark.parametrize("kind", [kind for kind in OFFERED if kind != "good"])
def test_each_makes_a_visible_difference_in_the_direction_of_its_name(kind, monkeypatch):
    monkeypatch.setattr(trial, "RESTORED", 96)
    monkeypatch.setattr(trial, "LARGEST", 192)
    make, settings, names = OFFERED[kind]
    tried = try_on_crop(make(), settings)
    assert [each.treatment.name for each in tried] == [AS_SET, *names]
    before = tried[0].image
    assert tried[0].difference == 0 and before.width in (96, 80)
    for each in tried[1:]:
        assert each.difference > VISIBLE and not each.note, (each.treatment.name, each.difference)
        assert SAYS[each.treatment.name](before, each.image), each.treatment.name


def test_a_part_is_restored_as_restore_does_it():
    photo = noisy(good(), 15)
    settings = diagnose(photo).settings()
    settings = replace(settings, solver=Settings.create(mode=DEGRADED, quality="draft").solver)
    found = Trial.of(photo, settings, diagnose(photo), at=(0.1, 0.1))
    found = replace(found, treatments=found.treatments[:1])
    (one,) = found.run()
    same = restore(photo.crop(found.box), settings.task, settings.solver, degraded=True, sigma_y=settings.sigma_y)
    assert np.array_equal(np.asarray(one.image), np.asarray(same.image))


def test_the_mask_goes_with_the_part():
    photo, found = holed(good()), diagnose(holed(good()))
    made = Trial.of(photo, found.settings(), found)
    assert np.array_equal(np.asarray(made.auxiliary), np.asarray(found.mask.crop(made.box)))
    assert np.array_equal(np.asarray(made.photo), np.asarray(photo.crop(made.box)))
    assert made.runs[0].auxiliary == "" and made.filled is made.auxiliary
    with pytest.raises(ProblemError, match="Nothing is missing in this part"):
        Trial.of(photo, found.settings(), found, at=(1, 1))
    with pytest.raises(ProblemError, match="needs a mask"):
        Trial.of(photo, chosen(task="inpaint-mask"), found)


def test_what_cannot_be_tried_on_a_part_is_refused():
    found = diagnose(good())
    with pytest.raises(ParameterError, match="clean"):
        Trial.of(good(), Settings.create(), found)
    with pytest.raises(ParameterError, match="whole photo at once"):
        Trial.of(good(), chosen(task="inpaint-half"), found)


def test_a_photo_that_is_shrunk_is_tried_at_the_size_at_which_it_is_restored():
    photo, found = noisy(good(), 15), diagnose(noisy(good(), 15))
    made = Trial.of(photo, replace(found.settings(), size=220), found)
    shrunk = images.fit(photo, 220)
    assert made.whole == shrunk.size and np.array_equal(np.asarray(made.photo), np.asarray(shrunk.crop(made.box)))


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(trial, "RESTORED", 64)
    noisy(good(), 15).save("grain.png")
    run = CliRunner().invoke(main, ["inspect", "grain.png", "--try", "ways.png", "--at", "0.5", "0.5", "--json"])
    assert run.exit_code == 0, run.output
    ways = json.loads(run.stdout)["treatments"]
    assert [way["name"] for way in ways] == [AS_SET, "Less grain", "Sharper", "Keeps more grain"]
    settings = diagnose("grain.png").settings()
    words = shlex.split(ways[1]["command"])
    assert float(words[words.index("--sigma-y") + 1]) == ways[1]["settings"]["sigma_y"] > settings.sigma_y
    carried, _ = Settings.from_dict(read((tmp_path / "ways.png").read_bytes()))
    assert carried == settings
    for wrong in (["--at", "0.5", "0.5"], ["--try", "ways.txt"], ["--try", "ways.png", "--at", "2", "0"]):
        assert CliRunner().invoke(main, ["inspect", "grain.png", *wrong]).exit_code > 0
