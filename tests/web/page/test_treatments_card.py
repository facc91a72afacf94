"""Treatments on a part of the photo, on the page: offered for damaged ones, run, adopted, tried elsewhere."""

from dataclasses import replace

import numpy as np
import pages
import pytest
from pages import sent
from PIL import Image

from inverse.settings import DEGRADED
from inverse.treatments import trial
from inverse.web.elements.photos import PhotoFile
from inverse.web.elements.reason import is_refusal
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.trying import NOTHING


@pytest.fixture(scope="module")
def page():
    return pages.built()


@pytest.fixture(scope="module")
def grainy():
    pixels = 120 + 60 * np.sin(np.arange(360)[None, :, None] / 20) + np.zeros((340, 360, 3))
    noise = np.random.default_rng(0).normal(0, 15, pixels.shape)
    return Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))


def asked(page, photo, **changes):
    file = PhotoFile("grain", photo.size, own=True, digest="grain")
    values = sent(page, mode=DEGRADED, photo=photo, photo_file=file, task="denoise", sigma_y=0.12, **changes)
    return {**values, page.diagnosis: diagnosed(photo), page.solver_by_hand: False}


def planned(page, values):
    changes = pages.preview(page, values)
    card = changes[page.treat.card]["visible"]
    return card, changes[page.treat.start]["interactive"], changes[page.treat.promise]


def test_offered_for_a_damaged_photo_by_name(page, grainy):
    values = asked(page, grainy)
    card, can, words = planned(page, values)
    assert card and can and words.startswith("As it is set, Less grain, Sharper, Keeps more grain: about")
    assert planned(page, {**values, page.mode: "clean"}) == (False, False, "")
    assert planned(page, {**values, page.diagnosis: None})[1], "a photo that nobody has looked at yet"


def test_what_cannot_be_tried_is_said(page, grainy):
    plain = Image.fromarray(np.broadcast_to(np.linspace(40, 220, 400)[:, None, None], (400, 400, 3)).astype(np.uint8))
    card, can, words = planned(page, asked(page, plain) | {page.settings["sigma_y"]: 0.01})
    assert card and not can and NOTHING in words
    for changes, said in (
        ({page.task: "inpaint-mask", page.solver: "vml-map"}, "mask"),
        ({page.task: "inpaint-half", page.solver: "vml-map"}, "whole photo at once"),
        ({page.settings["sigma_y"]: -1}, "Noise must be"),
    ):
        card, can, words = planned(page, asked(page, grainy) | changes)
        assert card and not can and is_refusal(words) and said in words


@pytest.fixture(scope="module")
def tried(page, grainy):
    """What was sent, all that the page was shown, and the batch."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial, "RESTORED", 64)
        values = asked(page, grainy)
        batch = page.treat.new({component: values[component] for component in page.held}, None)
        values[page.treat.state] = batch
        views = [updates[page.treat.seen] for updates in page.treat.run(page, values)]
    return values, views, batch


def test_the_part_and_every_treatment_are_shown(page, tried):
    _, views, _ = tried
    last = views[-1]
    assert last["phase"] == "done" and [cell["index"] for cell in last["cells"]] == [0, 1, 2, 3]
    assert [each["name"] for each in last["treatments"]][:2] == ["As it is set", "Less grain"]
    assert last["before"].startswith("data:image/png") and last["photo"].startswith("data:image/jpeg")
    left, top, right, bottom = last["part"]
    assert right - left == pytest.approx(64 / 360) and bottom - top == pytest.approx(64 / 340)
    assert set(last["notes"]) == {"0", "1", "2", "3"} and last["notes"]["0"] == ""
    assert any(view.get("live") for view in views) or len(views) > 2, "it is seen on its way"


def test_a_click_uses_the_settings_on_the_whole_page(page, tried):
    values, _, batch = tried
    values = {**values, page.treat.state: batch, page.treat.seen: {"adopt": 1}}
    changes = pages.behind(page, page.treat.seen, "select")(values)
    assert changes[page.settings["sigma_y"]] == pytest.approx(1.6 * 0.12, abs=1e-3)
    assert page.settings["samples"] not in changes and page.mask not in changes
    assert changes[page.mode] == DEGRADED and changes[page.task]["value"] == "denoise"
    assert set(changes) <= set(pages.outputs(page, page.treat.seen, "select"))
    for wrong in (None, {}, {"adopt": 4}, {"adopt": -1}, {"adopt": "1"}):
        with pytest.raises(Exception, match="earlier photo"):
            page.treat.adopt(page, {**values, page.treat.seen: wrong})


def test_another_part_is_tried_where_the_visitor_put_it(page, grainy, tried):
    values, views, _ = tried
    moved = pages.behind(page, page.treat.seen, "release")
    place = moved({page.treat.seen: {"at": [0.0, 1]}, page.photo_file: values[page.photo_file]})[page.treat.place]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trial, "RESTORED", 64)
        batch = page.treat.new({}, None)
        (_, second, *_) = (
            updates[page.treat.seen]
            for updates in page.treat.run(page, {**values, page.treat.state: batch, page.treat.place: place})
        )
    assert second["part"][0] == 0 and second["part"] != views[-1]["part"]
    for wrong in (None, {}, {"at": [2, 0]}, {"at": ["a", 0]}, {"at": [0.5]}, {"at": [float("nan"), 0]}):
        with pytest.raises(Exception, match="no place on the photo"):
            moved({page.treat.seen: wrong, page.photo_file: values[page.photo_file]})


def test_another_photo_takes_the_treatments_off(page, tried):
    values, _, batch = tried
    values = {**values, page.treat.state: batch}
    assert page.treat.seen not in pages.preview(page, values)
    another = replace(values[page.photo_file], digest="another")
    assert pages.preview(page, {**values, page.photo_file: another})[page.treat.seen] == {"phase": "idle"}
