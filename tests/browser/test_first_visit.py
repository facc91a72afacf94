"""A first-time visitor: a photo, words for what is wrong, a restoration, its file at full size; and many at once."""

import io
import re
import zipfile

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inverse.resources import EXAMPLES

pytestmark = pytest.mark.browser

GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
COUNTED = "window.clicks = 0; document.addEventListener('click', (event) => (window.clicks += event.isTrusted), true)"
SEEN = "document.body.innerText + [...document.querySelectorAll('[title]')].map((each) => each.title)"


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "IMG_4711.jpg"
    photo = Image.open(EXAMPLES / "chelsea.jpg").convert("RGB").resize((320, 290))
    ImageDraw.Draw(photo).line((30, 40, 240, 200), (252, 252, 252), 2)
    photo.save(path, quality=92)
    return path


def seen(page):
    """All that the visitor may read, tooltips included."""
    return page.evaluate(SEEN)


def ticked(page):
    """What is ticked once something is, and can be restored."""
    page.wait_for_selector("#faults [aria-pressed=true]")
    page.wait_for_selector("#run:not([disabled])")
    return page.locator("#faults [aria-pressed=true]").all_inner_texts()


def test_the_first_visit_is_simple_and_restores_an_example(visit):
    page = visit(view=None)
    assert ticked(page) == ["Scratched"]
    assert page.locator("#viewer .inv-awaiting").is_visible(), "what is to be restored is seen before"
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    assert not GREEK.findall(seen(page))


def test_an_own_photo_is_saved_in_three_clicks(visit, scan, measured):
    page = visit(view=None)
    assert ticked(page) == ["Scratched"]
    page.evaluate(COUNTED)
    page.set_input_files("#photo input[type=file]", scan)  # a click, or a drop
    page.wait_for_function("document.querySelector('#photo b').textContent.startsWith('Your photo')")
    assert ticked(page) == ["Scratched"], "what was found is set up by itself"
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    clicks = 1 + page.evaluate("window.clicks")
    measured["clicks from a photo to its file in Simple"] = str(clicks)
    assert clicks <= 5
    assert download.value.suggested_filename == "IMG_4711-restored.png"


def test_five_clicks_in_the_lab_to_a_file_at_full_size_and_no_greek_letter(visit, scan, measured):
    page = visit()
    page.evaluate(COUNTED)
    words = [seen(page)]
    page.set_input_files("#photo input[type=file]", scan)  # a click, or a drop
    page.wait_for_selector("#faults button[data-found]")
    words.append(seen(page))
    page.click("#faults .inv-small")
    page.wait_for_selector("#run:not([disabled])")
    words.append(seen(page))
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    words.append(seen(page))
    page.click("#full")
    page.wait_for_selector("#fullsize [data-phase=done] .inv-saved:not([hidden])")
    words.append(seen(page))
    with page.expect_download() as download:
        page.click("#fullsize .inv-saved")
    clicks = 1 + page.evaluate("window.clicks")
    measured["clicks from a photo to its file at full size"] = str(clicks)
    assert clicks <= 5
    assert not [found for text in words for found in GREEK.findall(text)]
    assert download.value.suggested_filename == "IMG_4711-restored.jpg"
    saved, photo = Image.open(io.BytesIO(download.value.path().read_bytes())), Image.open(scan)
    assert saved.size == photo.size and saved.quantization == photo.quantization
    far = np.asarray(saved, int)[220:] - np.asarray(photo, int)[220:]
    assert np.abs(far).mean() < 1, "below the scratch nothing changes"


def test_many_photos_become_files_a_sum_and_a_zip_and_outlive_a_reload(visit, tmp_path):
    photo = Image.open(EXAMPLES / "chelsea.jpg").convert("RGB").resize((96, 80))
    for number in (1, 3):
        photo.rotate(90 * number).save(tmp_path / f"scan_0{number}.png")
    (tmp_path / "scan_02.png").write_bytes(b"broken")
    page = visit()
    page.set_input_files("#photo input[type=file]", sorted(tmp_path.iterdir()))
    page.wait_for_selector("#many:not([disabled])")
    assert "3 photos, one after another" in page.inner_text("#many-promise")
    page.click("#many")
    page.wait_for_selector("#photos [data-phase=done]")
    assert page.inner_text("#photos .inv-message") == "3 photos: 2 restored; 1 failed: scan_02.png."
    assert "not a picture" in page.inner_text("#photos li[data-status=failed]")
    with page.expect_download() as download:
        page.click("#photos [name=archive]")
    names = ["scan_01-restored.png", "scan_03-restored.png"]
    assert zipfile.ZipFile(download.value.path()).namelist() == names
    page.reload()
    page.wait_for_selector("#photos li[data-status=restored]")
    assert page.locator("#photos a").all_inner_texts() == [f"Save {name}" for name in names]
    page.wait_for_selector("#many:not([disabled])")
    page.click("#photos [name=clear]")
    page.wait_for_selector("#card-many", state="hidden")
