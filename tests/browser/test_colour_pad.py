"""Strokes of colour are painted on a grey photo, and come back from an upload and from Undo."""

import pytest
from PIL import Image, ImageDraw

from inverse.operators import TASKS

pytestmark = pytest.mark.browser
SHOWN = "document.querySelector('[data-part=measured] img').src"


def painted(page, colour, start, end):
    page.locator("#strokes [type=color]").fill(colour)
    place = page.locator("#strokes canvas").bounding_box()
    at = lambda part: (place["x"] + part[0] * place["width"], place["y"] + part[1] * place["height"])  # noqa: E731
    page.mouse.move(*at(start))
    page.mouse.down()
    page.mouse.move(*at(end), steps=3)
    page.mouse.up()


def changed(page, act):
    before = page.get_attribute("[data-part=measured] img", "src")
    act()
    page.wait_for_function(f"b => {SHOWN} !== b", arg=before)
    return page.get_attribute("[data-part=measured] img", "src")


def test_strokes_are_painted_uploaded_and_taken_back(visit, tmp_path):
    page = visit()
    photo = Image.linear_gradient("L").resize((96, 80))
    photo.save(tmp_path / "grey.png")
    strokes = Image.new("RGBA", photo.size)
    ImageDraw.Draw(strokes).line((10, 60, 80, 60), "seagreen", 4)
    strokes.save(tmp_path / "strokes.png")
    page.set_input_files("#photo input[type=file]", tmp_path / "grey.png")
    page.wait_for_function("document.querySelector('.inv-note').textContent.startsWith('96 × 80')")
    page.click("#task input")
    page.get_by_role("option", name=TASKS["colorize-strokes"].title, exact=True).click()
    page.wait_for_selector(".inv-note.inv-fault")
    assert "strokes" in page.inner_text(".inv-note") and not page.locator("#mask canvas").is_visible()
    page.wait_for_function("document.querySelector('#strokes canvas')?.width === 96")
    first = changed(page, lambda: painted(page, "#b05030", (0.2, 0.3), (0.6, 0.3)))
    page.wait_for_selector(".inv-note:not(.inv-fault)")
    changed(page, lambda: page.set_input_files("#strokes input[type=file]", tmp_path / "strokes.png"))
    assert changed(page, lambda: page.click("#strokes [data-do=undo]")) == first
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
