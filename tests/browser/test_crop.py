"""A visitor with a grainy photo tries treatments on a part of it, clicks one, and restores by its settings."""

import numpy as np
import pytest
from PIL import Image

from inverse.resources import EXAMPLES
from inverse.settings import Settings
from inverse.settings.carriers import read

pytestmark = pytest.mark.browser
NOISE = "#sigma_y input[type=number]"


@pytest.fixture(scope="module")
def grainy(tmp_path_factory):
    path = tmp_path_factory.mktemp("grain") / "grain.png"
    pixels = np.asarray(Image.open(EXAMPLES / "coffee.jpg").convert("RGB").resize((480, 330)), float)
    noise = np.random.default_rng(0).normal(0, 15, pixels.shape)
    Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(path)
    return path


def test_tried_on_a_crop_and_one_is_taken_for_the_whole(visit, grainy):
    page = visit()
    assert page.locator("#card-treatments:visible").count() == 0, "the photo is clean"
    page.set_input_files("#photo input[type=file]", grainy)
    page.wait_for_selector("#faults button[data-found]")
    page.get_by_label("Draft", exact=True).check()
    page.wait_for_selector("#try-promise:has-text('Less grain')")
    page.wait_for_selector("#try:not([disabled])")
    page.click("#try")
    page.wait_for_selector("#treatments [data-phase=done]")
    ways = page.locator("#treatments button.inv-way")
    assert ways.locator("b").all_inner_texts() == ["As it is set", "Less grain", "Sharper", "Keeps more grain"]
    assert page.locator("#treatments button.inv-way img").count() == ways.count()
    assert page.locator("#treatments .inv-place img").count() == 1

    before = float(page.input_value(NOISE))
    ways.nth(1).focus()
    page.keyboard.press("Enter")
    page.wait_for_function("([field, least]) => document.querySelector(field).value > least", arg=[NOISE, 1.5 * before])
    assert ways.nth(1).get_attribute("aria-pressed") == "true"
    assert "Less grain is what the page is set to now" in page.inner_text("#treatments .inv-message")
    page.wait_for_selector("#run:not([disabled])")
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    used, _ = Settings.from_dict(read(download.value.path().read_bytes()))
    assert used.sigma_y == float(page.input_value(NOISE)) and used.degraded, "Restore used them"

    page.focus("#treatments .inv-place")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.querySelector('#treatments .inv-message').textContent.includes('once more')")
