"""Tune and compare, as people do it: settings travel, sweeps, comparisons."""

import io
import json

import pytest
from PIL import Image
from test_app import BROKEN, SIDEWAYS, choose, phase, ready, set_number, small

from inverse.settings import Settings, read
from inverse.solvers import SOLVERS

pytestmark = pytest.mark.browser


def result(page):
    """The bytes that Save PNG gives."""
    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    return download.value.path().read_bytes()


def pixels(content):
    with Image.open(io.BytesIO(content)) as picture:
        return picture.tobytes()


def settled(page, action):
    """Does something that changes the measurement, and waits for the new one."""
    before = page.get_attribute("[data-part=measured] img", "src")
    action()
    page.wait_for_function("b => document.querySelector('[data-part=measured] img').src !== b", arg=before)


def copied(page, kind):
    page.click("#share .inv-menu-open")
    page.get_by_role("menuitem", name=kind).click()
    page.wait_for_function("document.querySelector('.inv-said').textContent.startsWith('Copied')")
    return page.evaluate("navigator.clipboard.readText()")


def adjust(page):
    """Settings that differ from what the page opens with, quick to run."""
    small(page)
    choose(page, "#solver", SOLVERS["diffpir"].title)
    page.wait_for_selector("#solver-diffpir-steps")
    set_number(page, "#solver-diffpir-steps", 12)
    settled(page, lambda: set_number(page, "#sigma_y", 0.11))
    settled(page, lambda: set_number(page, "#seed", 77))


def assert_adjusted(page):
    page.wait_for_function("document.querySelector('#seed input').value === '77'")
    page.wait_for_function("document.querySelector('#solver-diffpir-steps input[type=number]')?.value === '12'")
    assert page.input_value("#sigma_y input[type=number]") == "0.11"
    assert page.get_by_label("128", exact=True).is_checked()
    assert page.input_value("#solver input") == SOLVERS["diffpir"].title


def test_a_saved_png_brings_everything_back_and_the_same_pixels(visit, tmp_path, measured):
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    adjust(page)
    page.click("#run")
    phase(page, "done")
    ready(page)
    first = result(page)
    (tmp_path / "restored.png").write_bytes(first)
    told, notes = Settings.from_dict(read(first))
    assert told.seed == 77 and told.sigma_y == 0.11 and told.size == 128 and not notes
    assert Settings.from_dict(json.loads(copied(page, "JSON"))) == (told, [])
    assert "--seed 77" in copied(page, "Command line") and "seed=77" in copied(page, "Python")
    link = copied(page, "Link")

    page = visit()
    page.set_input_files("#share input[type=file]", tmp_path / "restored.png")
    assert_adjusted(page)
    page.click("#run")
    phase(page, "done")
    second = result(page)
    assert pixels(second) == pixels(first) and read(second) == read(first)
    measured["PNG loaded again and run"] = "same pixels"

    page = visit(query="?c=" + link.split("?c=")[1])
    assert_adjusted(page)
    assert "?c=" not in page.url, "a reload must not undo what is changed from here on"


def test_a_reload_keeps_the_settings(visit):
    page = visit()
    adjust(page)
    page.wait_for_timeout(300)
    page.reload()
    page.wait_for_selector("[data-part=measured] img")
    assert_adjusted(page)


def test_a_dropped_png_with_settings_is_not_taken_for_a_photo(visit):
    page = visit()
    buffer = io.BytesIO()
    settings = Settings.create(size=128, seed=77, sigma_y=0.11, solver="diffpir", solver_parameters={"steps": 12})
    text = json.loads(settings.to_json()) | {"colour": "<b>red</b>"}
    from inverse.settings import png_text

    Image.new("RGB", (40, 40)).save(buffer, "PNG", pnginfo=png_text(json.dumps(text)))
    page.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "a.png", {type: "image/png"}));
          document.querySelector("#stage").dispatchEvent(
            new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(buffer.getvalue()),
    )
    words = page.wait_for_selector("[data-testid=toast-body]").inner_text()
    assert "colour" in words
    assert_adjusted(page)
    assert page.evaluate(BROKEN) == []


@pytest.mark.parametrize("query", ["?c=nonsense", "?c="])
def test_a_bad_link_is_refused_in_words_and_the_page_works(visit, query):
    page = visit(query=query)
    assert "link" in page.wait_for_selector("[data-testid=toast-body]").inner_text()
    ready(page)
    assert page.evaluate(SIDEWAYS) <= 0
