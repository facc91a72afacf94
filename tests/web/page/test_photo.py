"""The photo of a visitor: what it counts as, how large it is, what is saved under its name, and whose it is."""

import gradio as gr
import numpy as np
import pages
import pytest
from pages import changed, sent, sweep_of
from PIL import Image

from inverse.imaging import images
from inverse.settings import CLEAN, DEGRADED
from inverse.solvers.presets import default_task
from inverse.web.base.gradio_internals import upload_folder
from inverse.web.jobs.batches import Batch
from inverse.web.page import choices, form, share


def upload(page, values, file):
    """What follows from a file that a visitor uploads."""
    folder = upload_folder() / "hash"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.name
    path.write_bytes(file.read_bytes())
    return choices.receive_photo(page, {**values, page.picker: {"path": str(path)}})


@pytest.fixture
def photograph(tmp_path):
    """As a phone saves it: large, and turned by what its header says."""
    stored = Image.effect_noise((4032, 3024), 30).convert("RGB")
    exif = stored.getexif()
    exif[0x0112] = 6
    stored.save(tmp_path / "IMG 47 (1).JPG", "JPEG", quality=20, exif=exif)
    return tmp_path / "IMG 47 (1).JPG"


def test_a_visitors_photo_counts_as_damaged_and_an_example_as_clean(page, photograph):
    values = sent(page)
    changes = upload(page, values, photograph)
    assert changes[page.mode] == DEGRADED and "<b>Clean, to try</b>" in changes[page.mode_note]
    assert (
        changes[page.task]["value"] == default_task(degraded=True)
        and changes[page.settings["size"]]["visible"] is False
    )
    values = changed(values, changes)
    assert form.settings(page, values).degraded
    back = choices.change_mode(page, {**values, page.mode: CLEAN})
    values = changed({**values, page.mode: CLEAN}, back)
    assert page.mode not in upload(page, values, photograph), "who says that it is clean is believed"
    values[page.mode] = DEGRADED
    chosen = choices.receive_photo(page, {**values, page.picker: {"example": "coffee"}})
    assert chosen[page.mode] == CLEAN and chosen[page.settings["size"]]["visible"] is True


def test_a_task_that_can_have_happened_stays_when_a_photo_is_uploaded(page, photograph):
    changes = upload(page, sent(page, task="super-resolution"), photograph)
    assert changes[page.mode] == DEGRADED and changes[page.task]["value"] == "super-resolution"


def test_a_photos_true_size_is_said_and_what_it_is_worked_on_at(page, photograph):
    changes = upload(page, sent(page), photograph)
    assert changes[page.picker]["caption"] == "Your photo, 3024 × 4032" and max(changes[page.photo].size) == 2048
    for mode, words in (
        (CLEAN, "128 × 171 pixels, of a photo of 3024 × 4032"),
        (DEGRADED, "photo of 3024 × 4032 is shrunk"),
    ):
        values = {
            **sent(page, mode=mode, task="denoise"),
            **{each: changes[each] for each in (page.photo, page.photo_file)},
        }
        assert words in pages.preview(page, values)[page.problem]["caption"]


def test_a_run_and_a_sweep_are_saved_under_the_photos_name(page, photograph):
    values = changed(sent(page), upload(page, sent(page), photograph))
    values |= {page.photo: Image.new("RGB", (64, 48), "grey"), sweep_of(page).x_values: "2,3"}
    latest = pages.behind(page, page.run, "click")(values)[page.latest]
    *_, last = pages.after(page, page.run, "click")({**values, page.latest: latest})
    assert last[page.viewer]["filename"] == "IMG_47_1-restored.png"
    batch, tab = Batch(), sweep_of(page)
    list(tab.run(page, {**values, tab.batch: batch}))
    saved = tab.download(page, {tab.batch: batch, tab.table: {"download": "csv"}})[tab.file]
    assert saved["name"] == "IMG_47_1-sweep-steps.csv"


def test_a_run_takes_the_photo_of_the_moment_when_it_was_asked_for(page, photo):
    """While it waits for the device the visitor may choose another."""
    other, values = Image.new("RGB", (72, 56)), sent(page)
    latest = pages.behind(page, page.run, "click")({**values, page.photo: photo})[page.latest]
    run = pages.after(page, page.run, "click")(
        {**values, page.photo: other, page.latest: latest, page.settings["size"]: 64}
    )
    *_, (last, problem) = [(update, latest.problem) for update in run]
    truth = images.to_image(problem.truth)
    assert truth.size == (64 * 72 // 56 // problem.task.multiple * problem.task.multiple, 64)
    assert np.asarray(truth).std() > 5 and last[page.status]["phase"] == "done"


def test_a_server_that_knows_no_photo_of_the_page_takes_no_other(page):
    shown = pages.preview(page, {**sent(page), page.photo: None})
    assert "reload the page" in shown[page.problem]["caption"] and shown[page.problem]["truth"] is None
    assert shown[page.share] == share.NOTHING
    with pytest.raises(gr.Error, match="reload the page"):
        list(pages.after(page, page.run, "click")({**sent(page), page.photo: None}))
