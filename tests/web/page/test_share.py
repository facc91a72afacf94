"""Settings that come from a link, a picture or the last visit."""

import json
from dataclasses import replace

import pytest
from pages import sent, sweep_of
from PIL import Image

from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED, Settings, carriers
from inverse.solvers import SOLVERS
from inverse.solvers.presets import DEFAULT_TASK, solvers_for
from inverse.web.base.gradio_internals import functions, new_file
from inverse.web.base.pictures import mask_uri
from inverse.web.elements import photos
from inverse.web.elements.share import BROUGHT
from inverse.web.page import adopting, form, share


def test_settings_of_every_task_and_solver_come_back_from_the_page(page, photo):
    loaded = next(each for each in functions(page.blocks).values() if each.js == BROUGHT)
    for task in TASKS:
        for solver in solvers_for(task):
            made = Settings.create(
                mode=CLEAN, size=200, task=task, task_parameters={}, sigma_y=0.123, solver=solver,
                solver_parameters={"sigma_max": 3.5}, seed=99, photons=80.0, samples=3,
            )  # fmt: skip
            changes = adopting.adopt(page, made, photo, {})
            assert set(changes) <= set(loaded.outputs)
            values = sent(page)
            for component, change in changes.items():
                values[component] = change.get("value", values.get(component)) if isinstance(change, dict) else change
            assert form.settings(page, values) == made


def test_kept_settings_that_are_not_understood_are_passed_over_and_links_are_not(page):
    bad = {"kept": "nonsense"}
    assert list(share.arrived(page, sent(page, share=bad))) == [page.share]
    with pytest.raises(ParameterError):
        share.arrived(page, sent(page, share={"link": "nonsense"}))
    task = next(name for name in TASKS if len(solvers_for(name)) < len(SOLVERS))
    solver = next(name for name in SOLVERS if name not in solvers_for(task))
    made = Settings.create(task=DEFAULT_TASK, solver=solver)
    unfit = replace(made, task=TASKS.find(task)()).link
    with pytest.raises(ProblemError):
        share.arrived(page, sent(page, share={"link": unfit}))
    assert list(share.arrived(page, sent(page, share={"kept": unfit}))) == [page.share]


def test_what_the_page_has_no_control_for_is_named_when_it_is_left_out(page, photo, settings, monkeypatch):
    said = []
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    for changes, expected in (
        ({}, []),
        ({"photons": 50.0, "samples": 3}, []),
        ({"prior": "big"}, ["prior"]),
    ):
        said.clear()
        link = replace(settings, **changes).link
        share.arrived(page, sent(page, share={"link": link}))
        assert [sentence.split()[0] for sentence in said] == expected


def test_what_the_browser_kept_of_a_damaged_photo_is_not_said_of_the_example(page, settings):
    kept = replace(settings, mode=DEGRADED, size=None, sigma_y=0.123)
    values = {page.share: {"kept": kept.link}, page.photo: photos.example("chelsea")[0], page.auxiliary: {}}
    changes = share.arrived(page, values)
    assert changes[page.mode] == CLEAN and changes[page.settings["sigma_y"]] != 0.123


def test_a_reload_brings_back_the_photo_what_was_drawn_on_it_and_its_settings(page, photo, settings):
    path = new_file("IMG_1.png")
    photo.save(path)
    mask = mask_uri(Image.new("L", photo.size, 255))[0]
    masked = Settings.create(mode=DEGRADED, task="inpaint-mask", sigma_y=0.123, size=None)
    value = {"kept": masked.link, "photo": str(path), "mask": mask}
    changes = share.arrived(page, sent(page, share=value))
    loaded = next(each for each in functions(page.blocks).values() if each.js == BROUGHT)
    assert set(changes) <= set(loaded.outputs)
    assert changes[page.photo].tobytes() == photo.tobytes() and changes[page.photo_file].path == str(path)
    assert changes[page.mode] == DEGRADED and changes[page.settings["sigma_y"]] == 0.123
    assert changes[page.mask] == {"mask": mask, "load": True} and changes[page.diagnosis] is not None
    clean = share.arrived(page, sent(page, share={**value, "kept": settings.link, "mask": None}))
    assert clean[page.photo].tobytes() == photo.tobytes() and clean[page.mode] == CLEAN and page.mask not in clean
    hostile = share.arrived(page, sent(page, share={**value, "mask": "nonsense"}))
    assert page.mask not in hostile and hostile[page.mode] == DEGRADED


@pytest.mark.parametrize("path", [None, 7, "/etc/passwd", "gone.png"])
def test_a_photo_that_the_server_has_no_more_is_said_to_be_gone(page, settings, monkeypatch, path):
    said = []
    monkeypatch.setattr(share.gr, "Info", lambda sentence, **_: said.append(sentence))
    kept = replace(settings, mode=DEGRADED, size=None)
    changes = share.arrived(page, sent(page, share={"kept": kept.link, "photo": path}))
    assert changes[page.mode] == CLEAN and page.photo not in changes and len(said) == 1


def test_what_a_person_typed_is_shown_as_text_in_a_note_and_in_a_refusal(page, settings, monkeypatch):
    said, typed = [], "<img src=x onerror=alert(1)>"
    monkeypatch.setattr(share.gr, "Warning", lambda sentence, **_: said.append(sentence))
    share.arrived(
        page, sent(page, share={"link": carriers.pack(json.dumps({**json.loads(settings.to_json()), typed: 1}))})
    )
    values = sent(page, x_values=typed)
    said.append(sweep_of(page).plan(page, values, form.job(page, values))[sweep_of(page).promise])
    assert len(said) == 2 and all("&lt;img" in words and "<img" not in words for words in said)
