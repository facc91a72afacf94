"""Examples of each damage: what happened to them is found, set up at once, and found again after a reload."""

import sys
from pathlib import Path

import numpy as np
import pytest
from pages import changed, sent

from inverse import restore
from inverse.diagnosis import diagnose
from inverse.diagnosis.kinds import TITLES
from inverse.errors import ImageError
from inverse.imaging import images
from inverse.settings import CLEAN, DEGRADED
from inverse.solvers.qualities import at_quality
from inverse.web.base.gradio_internals import functions, new_file
from inverse.web.elements import damaged, photos
from inverse.web.elements.picker import DAMAGED
from inverse.web.elements.share import BROUGHT
from inverse.web.page import adopting, choices, form, share


def test_there_is_one_for_all_that_may_be_wrong():
    sys.path.insert(0, str(Path(__file__).parents[3] / "tools"))
    from damaged_examples import EXAMPLE

    assert set(EXAMPLE) == set(TITLES) == {file.stem for file in damaged.FOLDER.iterdir()}
    assert set(damaged.examples()) < set(TITLES)


@pytest.mark.parametrize("kind", TITLES)
def test_what_happened_is_found(kind):
    assert kind in diagnose(damaged.file(kind)).kinds


def test_a_blur_is_not_undone_with_less_noise_than_a_file_has():
    """It comes back with less roughness than its noise, made stronger by the inverse, leaves."""
    seen = diagnose(damaged.file("blurry"))
    photo = images.load(damaged.file("blurry")).crop((130, 20, 290, 180))

    def rough(sigma_y):
        restored = restore(photo, seen.settings().task, degraded=True, sigma_y=sigma_y).image
        grey = np.asarray(restored.convert("L"), float)
        around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
        return np.abs(4 * grey[1:-1, 1:-1] - around).mean()

    assert rough(seen.settings().sigma_y) < 0.7 * rough(seen.sigma_y)


@pytest.mark.parametrize("kind", damaged.examples())
def test_a_click_sets_up_its_repair(page, kind):
    seen = diagnose(damaged.file(kind))
    values = sent(page, picker={"example": DAMAGED + kind}, diagnosis=None)
    changes = choices.receive_photo(page, values)
    assert changes[page.mode] == DEGRADED and changes[page.faults]["ticked"] == [kind]
    assert changes[page.photo_file].name == kind and not changes[page.photo_file].own
    settings, meant = form.settings(page, changed(values, changes)), seen.settings([kind])
    assert settings.task == meant.task and settings.sigma_y == meant.sigma_y and settings.solver == meant.solver


def test_an_own_photo_in_the_simple_view_is_set_up_as_it_was_found(page):
    path = new_file("IMG_2.jpg")
    path.write_bytes(damaged.file("scratched").read_bytes())
    for simple in (True, False):
        values = sent(page, picker={"path": str(path), "simple": simple}, diagnosis=None)
        changes = choices.receive_photo(page, values)
        assert changes[page.mode] == DEGRADED and changes[page.photo_file].own
        assert changes[page.faults]["ticked"] == (["scratched"] if simple else [])
        assert ("mask" in changes[page.mask] and bool(changes[page.mask]["mask"])) == simple


def test_the_simple_view_opens_with_an_example_and_a_reload_finds_it_again(page):
    loaded = next(each for each in functions(page.blocks).values() if each.js == BROUGHT)
    first = {"example": DAMAGED + damaged.FIRST}
    opened = share.arrived(page, {page.share: first, page.photo: None, page.auxiliary: {}})
    assert set(opened) <= set(loaded.outputs)
    assert opened[page.mode] == DEGRADED and opened[page.faults]["ticked"] == [damaged.FIRST]
    kept = diagnose(damaged.file(damaged.FIRST)).settings().link
    again = share.arrived(page, sent(page, share={**first, "kept": kept, "ticked": [damaged.FIRST, "nonsense"]}))
    assert set(again) <= set(loaded.outputs)
    assert again[page.photo].tobytes() == opened[page.photo].tobytes()
    assert again[page.faults]["ticked"] == [damaged.FIRST]


def test_a_good_example_comes_back_after_a_reload(page, settings):
    again = share.arrived(page, sent(page, share={"kept": settings.link, "example": "coffee"}))
    assert again[page.photo_file].name == "coffee" and again[page.mode] == CLEAN


@pytest.mark.parametrize("name", ["damaged/", "damaged/faded", "damaged/coffee", "scratched", "../prior/prior", ""])
def test_other_names_are_refused(page, name):
    with pytest.raises(ImageError):
        choices.receive_photo(page, sent(page, picker={"example": name}))
    if name:
        with pytest.raises(ImageError):
            share.arrived(page, {page.share: {"example": name}, page.photo: None, page.auxiliary: {}})


def test_the_quality_stays_whatever_is_wrong(page):
    seen = diagnose(damaged.file("blurry"))
    photo, file = photos.example(DAMAGED + "blurry")
    values = sent(page, mode=DEGRADED, quality="draft", photo=photo, photo_file=file, diagnosis=seen)
    for ticked in (["blurry"], ["grainy"], ["blocky"]):
        values[page.faults] = {"ticked": ticked}
        now = changed(values, adopting.change_faults(page, values))
        assert form.settings(page, now).solver == at_quality("draft", seen.settings(ticked).damage)
