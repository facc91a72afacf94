"""What is wrong with the photo in plain words: found, ticked, and what the page becomes; scratches proposed."""

import numpy as np
import pytest
from pages import built, sent
from PIL import Image, ImageDraw

from inverse.diagnosis import TITLES
from inverse.settings import CLEAN, DEGRADED
from inverse.web.base.pictures import from_uri, mask_uri
from inverse.web.elements import faults
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.page import adopting, choices, drawn, form


@pytest.fixture(scope="module")
def page():
    return built()


@pytest.fixture(scope="module")
def scan():
    photo = Image.new("RGB", (420, 400))
    photo.putdata([(60 + x // 4, 80 + y // 5, 120) for y in range(400) for x in range(420)])
    ImageDraw.Draw(photo).line((40, 20, 360, 380), (250, 250, 250), 3)
    return photo


def asked(page, scan, **changes):
    values = sent(page, mode=DEGRADED, photo=scan, task="denoise", solver="vml-map", **changes)
    return {page.diagnosis: None, page.faults: None, page.solver_by_hand: False, **values}


def test_a_damaged_photo_is_looked_at_and_nothing_is_set(page, scan):
    changes = choices.change_mode(page, {**asked(page, scan), page.mode: DEGRADED})
    assert changes[page.faults_panel]["visible"] and changes[page.diagnosis].kinds == ["scratched"]
    assert set(changes[page.faults]["found"]) == {"scratched"} and changes[page.faults]["ticked"] == []
    assert changes[page.task]["value"] == "denoise" and page.mask not in changes
    clean = choices.change_mode(page, {**asked(page, scan), page.mode: CLEAN})
    assert not clean[page.faults_panel]["visible"] and clean[page.diagnosis] is None


def test_words_set_task_noise_and_mask(page, scan):
    values = {**asked(page, scan), page.faults: {"ticked": ["scratched"]}}
    values[page.diagnosis] = diagnosed(scan)
    values[page.settings["seed"]] = 7
    changes = adopting.change_faults(page, values)
    assert changes[page.task]["value"] == "inpaint-mask" and changes[page.mask_panel]["visible"]
    mask = np.asarray(from_uri(changes[page.mask]["mask"]).convert("L"))
    assert mask.shape == (400, 420) and 0.005 < (mask > 0).mean() < 0.05 and changes[page.mask]["load"]
    assert page.settings["seed"] not in changes and changes[page.faults]["ticked"] == ["scratched"]


def test_several_words_are_a_chain(page, scan):
    changes = adopting.change_faults(page, {**asked(page, scan), page.faults: {"ticked": ["grey", "blocky", "small"]}})
    assert changes[page.task]["value"] == "colorize"
    assert [each["name"] for each in changes[page.settings["then"]]] == ["super-resolution", "jpeg"]
    assert changes[page.mask] == {"mask": "", "reset": True}
    nothing = adopting.change_faults(page, {**asked(page, scan), page.faults: {"ticked": []}})
    assert nothing[page.task]["value"] == "denoise"


def test_a_task_by_hand_takes_back_what_was_ticked(page, scan):
    values = {**asked(page, scan), page.diagnosis: diagnosed(scan), page.faults: {"ticked": ["scratched"]}}
    assert choices.change_task(page, {**values, page.task: "deblur-gaussian"})[page.faults]["ticked"] == []


@pytest.mark.parametrize("value", [None, {}, {"ticked": 3}, {"ticked": ["none", {}]}, "x"])
def test_nonsense_ticks_nothing(value):
    assert faults.ticked(value) == []
    assert faults.ticked({"ticked": list(TITLES)}) == list(TITLES)


def test_scratches_are_proposed_beside_what_was_brushed(page, scan):
    values = asked(page, scan) | {page.task: "inpaint-mask"}
    first = drawn.receive_mask(page, {**values, page.mask: {"mask": "", "find": 1}})[page.mask]
    assert first["load"]
    found = np.asarray(from_uri(first["mask"]).convert("L")) > 0
    brushed = Image.new("L", scan.size)
    brushed.paste(255, (300, 10, 320, 30))
    uri, _ = mask_uri(brushed)
    both = drawn.receive_mask(page, {**values, page.mask: {"mask": uri, "find": 2}})[page.mask]
    assert np.array_equal(np.asarray(from_uri(both["mask"]).convert("L")) > 0, found | (np.asarray(brushed) > 0))
    assert form.auxiliary_picture(page, {**values, page.mask: both}).size == scan.size
