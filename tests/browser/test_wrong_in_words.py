"""A first-time visitor with a scratched photo: what is wrong in words, repaired and saved in a few clicks."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inverse.resources import EXAMPLES

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "scan.png"
    photo = Image.open(EXAMPLES / "chelsea.jpg").convert("RGB").resize((360, 330))
    for line in ((20, 15, 300, 310), (40, 300, 340, 60)):
        ImageDraw.Draw(photo).line(line, (252, 252, 252), 2)
    photo.save(path)
    return path


def test_said_in_words_repaired_and_saved_in_four_clicks(visit, scan):
    """Drop, accept what was found, restore, save; the known pixels are the photo's own."""
    page = visit()
    page.set_input_files("#photo input[type=file]", scan)
    page.wait_for_selector("#faults button[data-found]")
    found = [words.strip() for words in page.locator("#faults button[data-found]").all_inner_texts()]
    assert [words.removeprefix("● ") for words in found] == ["Scratched"]
    assert page.locator("#faults [aria-pressed=true]").count() == 0, "nothing is set before it is asked for"
    page.click("#faults .inv-small")
    page.wait_for_selector("#mask canvas")
    page.wait_for_function("document.querySelector('[data-part=measured]').textContent.includes('missing') || "
                           "document.querySelector('#problem').textContent.includes('missing')")  # fmt: skip
    assert "all other pixels stay as they" in page.inner_text("#faults")
    page.fill("#solver-cse-vml-map-steps input[type=number]", "2")
    page.wait_for_selector("#run:not([disabled])")
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    saved, photo = Image.open(io.BytesIO(download.value.path().read_bytes())), Image.open(scan)
    assert saved.size == photo.size
    same = (np.asarray(saved) == np.asarray(photo)).all(-1)
    assert 0.9 < same.mean() < 1, "all but the scratches"


@pytest.fixture
def missing(visit, scan):
    """The page of a visitor who says that parts of the scan are missing, and has not shown which."""
    page = visit()
    page.set_input_files("#photo input[type=file]", scan)
    page.wait_for_selector("#faults button[data-found]")
    page.locator("#faults").get_by_role("button", name="Parts are missing").click()
    page.wait_for_selector("#mask canvas")
    page.wait_for_selector("#run[disabled]")
    return page


def test_scratches_are_found_at_the_mask_and_can_be_erased(missing):
    page = missing
    page.click("#mask [data-do=find]")
    page.wait_for_selector("#run:not([disabled])")
    page.click("#mask [data-do=undo]")
    page.wait_for_selector("#run[disabled]")


def test_a_reload_brings_back_the_photo_and_the_mask(missing):
    page = missing
    page.click("#mask [data-do=find]")
    page.wait_for_selector("#run:not([disabled])")
    caption = page.inner_text("#photo .inv-drop-words b")
    drawn = page.evaluate("sessionStorage.getItem('inverse-mask')")
    page.reload()
    assert caption.startswith("Your photo, 360")
    same = "words => document.querySelector('#photo .inv-drop-words b')?.textContent === words"
    page.wait_for_function(same, arg=caption)
    page.wait_for_selector("#mask canvas")
    page.wait_for_selector("#mask [data-do=download]:not([disabled])")
    page.wait_for_selector("#run:not([disabled])")
    assert page.evaluate("sessionStorage.getItem('inverse-mask')") == drawn
    assert page.locator("text=not kept").count() == 0
    assert page.get_by_label("Damaged", exact=True).is_checked()


def test_a_thin_brush_leaves_whole_pixels(missing, brush):
    """Every pixel that the brush touches is missing, whatever it is painted to."""
    page = missing
    page.locator("#mask [type=range]").fill("2")
    brush(page, (20, 20), (150, 93), steps=8)
    page.wait_for_selector("#run:not([disabled])")
    with page.expect_download() as download:
        page.click("#mask [data-do=download]")
    mask = np.asarray(Image.open(download.value.path()).convert("L")) > 0
    rows = np.flatnonzero(mask.any(1))
    assert len(rows) == rows[-1] - rows[0] + 1, "no row of the line is left out"


def test_another_damage_is_added_and_taken_away(visit):
    page = visit()
    page.click("#then [data-do=add]")
    page.wait_for_selector("#then .inv-link")
    page.locator("#then [data-parameter='then1.quality']").fill("20")
    page.locator("#then [data-parameter='then1.quality']").press("Tab")
    page.wait_for_function("document.querySelector('#card-method').textContent.includes('not tuned')")
    page.wait_for_selector("#run:not([disabled])")
    page.locator("#then [data-parameter='then1.quality']").fill("1000")
    page.locator("#then [data-parameter='then1.quality']").press("Tab")
    page.wait_for_selector("#run[disabled]")
    page.get_by_role("button", name="Remove damage 2").click()
    page.wait_for_selector("#run:not([disabled])")
    assert page.locator("#then .inv-link").count() == 0
