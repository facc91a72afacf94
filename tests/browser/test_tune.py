"""Tune and compare, as people do it: settings travel, sweeps, comparisons."""

import io
import itertools
import json
import time

import pytest
from PIL import Image
from test_app import BROKEN, SIDEWAYS, choose, phase, ready, set_number, small

from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS
from inverse.web.page import sweeping

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
    page.wait_for_timeout(500)  # until the preset has arrived
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
    assert told.seed == 77 and told.sigma_y == 0.11 and told.size == 128 and told.solver.steps == 12 and not notes
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

    assert "?view=lab&" in link
    page = visit(query="?c=" + link.split("&c=")[1])
    assert_adjusted(page)
    assert "c=" not in page.url, "a reload must not undo what is changed from here on"


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
    from inverse.settings.carriers import png_text

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


@pytest.mark.parametrize("query", ["?c=nonsense", pytest.param("?c=", marks=pytest.mark.thorough)])
def test_a_bad_link_is_refused_in_words_and_the_page_works(visit, query):
    page = visit(query=query)
    assert "link" in page.wait_for_selector("[data-testid=toast-body]").inner_text()
    ready(page)
    page.wait_for_function("document.querySelector('#run').textContent.includes('~')")
    assert page.evaluate(SIDEWAYS) <= 0


def test_what_is_not_there_yet_is_not_copied(visit, chromium, app):
    context = chromium.new_context()
    page = context.new_page()
    page.route("**/queue/join*", lambda route: None)  # the page's first question is never answered
    page.goto(f"{app[0]}/?view=lab")
    page.click("#share .inv-menu-open")
    page.get_by_role("menuitem", name="JSON").click()
    page.wait_for_function("document.querySelector('.inv-said').textContent.startsWith('Not ready yet')")
    context.close()


def sweep_axes(page, columns, rows):
    page.get_by_role("tab", name="Sweep").click()
    page.locator("#x-values :is(input, textarea)").fill(columns)
    page.click("#y-name input")
    page.get_by_role("option", name="Seed", exact=True).click()
    page.wait_for_function("document.querySelector('#y-values :is(input, textarea)').value !== ''")
    page.locator("#y-values :is(input, textarea)").fill(rows)


def test_a_sweep_fills_its_grid_and_a_cell_is_adopted(visit, measured):
    page = visit()
    small(page)
    sweep_axes(page, "4,6", "3,4")
    assert page.locator("#grid .inv-empty").is_visible() and not page.locator("#grid .inv-scroll").is_visible()
    page.wait_for_function("document.querySelector('#promise').innerText.trim().startsWith('4 runs, about')")
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=done]")
    page.wait_for_selector("#sweep:not([disabled])")
    assert page.locator("#grid .inv-cell-figure", has_text="dB").count() == 4
    assert page.locator("#grid .inv-best").count() == 1 and page.evaluate(BROKEN) == []
    assert page.evaluate(SIDEWAYS) <= 0
    measured["sweep"] = page.inner_text("#grid .inv-message")
    with page.expect_download() as download:
        page.click("#grid [data-download=csv]")
    assert len(download.value.path().read_text().splitlines()) == 5
    with page.expect_download() as download:
        page.click("#grid [data-download=png]")
    assert Settings.from_dict(read(download.value.path().read_bytes()))[0].size == 128

    shown = page.inner_text("#grid [data-index='3'] .inv-cell-figure")
    page.click("#grid [data-index='3']")
    page.wait_for_function("document.querySelector('#seed input').value === '4'")
    assert page.input_value("#solver-cse-vml-map-steps input[type=number]") == "6"
    page.click("#run")
    phase(page, "done")
    assert shown.strip("★ ") in page.inner_text("#status .inv-message"), "the same picture as in the cell"


def test_a_stopped_sweep_keeps_its_finished_cells(visit):
    page = visit()
    small(page)
    sweep_axes(page, "20", "1,2,3,4,5,6,7,8,9")  # long enough to be stopped by a browser that is slow
    page.click("#sweep")
    page.wait_for_selector("#grid .inv-cell-figure:has-text('dB')")
    page.click("#stop-sweep")
    page.wait_for_selector("#grid [data-phase=stopped]")
    page.wait_for_selector("#sweep:not([disabled])")
    finished = page.locator("#grid .inv-cell-figure", has_text="dB").count()
    assert 1 <= finished < 9 and "Stopped" in page.inner_text("#grid .inv-message")
    page.wait_for_timeout(1000)
    assert page.locator("#grid .inv-cell-figure", has_text="dB").count() == finished
    sweep_axes(page, "1:2", "1")
    page.wait_for_selector("#promise .inv-refused")
    page.wait_for_selector("#sweep[disabled]")
    assert "gives no values" in page.inner_text("#promise")
    assert page.locator("#grid .inv-cell-figure", has_text="dB").count() == finished, "of the earlier sweep"


def test_a_late_suggestion_does_not_write_over_what_is_typed(visit, monkeypatch):
    calls, suggested = itertools.count(1), sweeping._suggested

    def later_each_time(settings, name):
        time.sleep(1.0 * next(calls))
        return suggested(settings, name)

    monkeypatch.setattr(sweeping, "_suggested", later_each_time)
    page = visit()
    sweep_axes(page, "4", "1,2")
    page.wait_for_timeout(3000)
    assert page.input_value("#y-values :is(input, textarea)") == "1,2"


def test_a_sweep_that_waits_says_so_and_keeps_the_earlier_one(visit, unhurried):
    busy, page = visit(), visit()
    small(busy)
    small(page)
    sweep_axes(page, "3", "1,2")
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=done]")
    page.wait_for_selector("#sweep:not([disabled])")
    set_number(busy, "#solver-cse-vml-map-steps", 300)
    busy.click("#run")
    busy.wait_for_selector(".inv-after")
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=waiting]")
    assert "Next in line, about" in page.inner_text("#grid .inv-message")
    page.click("#stop-sweep")
    page.wait_for_selector("#grid [data-phase=stopped]")
    page.wait_for_selector("#sweep:not([disabled])")
    assert "before it began" in page.inner_text("#grid .inv-message")
    assert page.locator("#grid .inv-cell-figure", has_text="dB").count() == 2
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=waiting]")
    busy.keyboard.press("Escape")
    page.wait_for_selector("#grid [data-phase=done]")


def test_solvers_are_compared_and_one_is_adopted(visit):
    page = visit()
    small(page)
    page.get_by_role("tab", name="Compare").click()
    wanted = {SOLVERS[name].title for name in ("vml-map", "diffpir")}
    for box in page.locator("#contenders label").all():
        box.locator("input").set_checked(box.inner_text().strip() in wanted)
    page.wait_for_function("document.querySelector('#compare-promise').innerText.trim().startsWith('2 runs, about')")
    page.click("#compare")
    page.wait_for_selector("#rows [data-phase=done]")
    assert page.locator("#rows tbody tr").count() == 2 and page.evaluate(BROKEN) == []
    assert page.locator("#rows [data-key=psnr]", has_text="dB").count() == 2
    page.click("#rows [data-look='1']")
    shown = page.locator("#rows dialog[open]")
    assert shown.locator("img").count() == 2 and page.evaluate(BROKEN) == []
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('#rows dialog img').length === 1")  # the same on both sides
    page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelectorAll('#rows dialog img').length === 2")
    shown.get_by_role("button", name="Use these settings").nth(1).click()
    assert not shown.is_visible()
    page.wait_for_selector("#solver-diffpir-steps")
    assert page.input_value("#solver input") == SOLVERS["diffpir"].title


# Whether what stands before the first run lies in its frame, and above what follows.
FITS = """name => {
  const hint = document.querySelector(`${name} .inv-empty`);
  const [frame, next] = [hint, document.querySelector('#solver')].map((each) => each.getBoundingClientRect());
  return hint.scrollHeight <= hint.clientHeight && frame.height > 60 && frame.bottom < next.top;
}"""


def test_tune_on_a_phone_in_the_dark(visit):
    page = visit(390, 844, "?__theme=dark", is_mobile=True, has_touch=True)
    small(page)
    for tab, name in (("Compare", "#rows"), ("Sweep", "#grid")):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(f"{name} .inv-empty")
        assert page.evaluate(FITS, name)
    sweep_axes(page, "4,6", "3")
    page.tap("#sweep")
    page.wait_for_selector("#grid [data-phase=done]")
    assert page.evaluate(SIDEWAYS) <= 0 and page.evaluate(BROKEN) == []
    page.get_by_role("tab", name="Compare").click()
    assert page.evaluate(SIDEWAYS) <= 0
