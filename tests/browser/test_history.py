"""Curves and results of the Restore tab, with real clicks."""

import io
import time
import zipfile

import pytest
from PIL import Image
from test_app import BROKEN, SIDEWAYS, phase, ready, set_number, small
from test_tune import pixels, result, settled

from inverse.settings import Settings
from inverse.settings.carriers import read

pytestmark = pytest.mark.browser

STEPS = "#solver-cse-vml-map-steps"
LINE = (
    "(name) => (document.querySelector(`[data-plot=${name}] .inv-line`)?.getAttribute('d').match(/[ML]/g) ?? []).length"
)
PLACE = """(where) => {
  const { x, y, width, height } = document.querySelector(where).getBoundingClientRect();
  return [x, y + scrollY, width, height].map(Math.round);
}"""
STORED = """async (n) => {
  const settled = (request) => new Promise((resolve) => { request.onsuccess = () => resolve(request.result); });
  const database = await settled(indexedDB.open("inverse-results", 1));
  const keys = await settled(database.transaction("results").objectStore("results").getAllKeys());
  database.close();
  return keys.filter(([tab]) => tab === sessionStorage["inverse-tab"]).length === n;
}"""
COUNT = "(n) => document.querySelectorAll('.inv-result').length === n"


def run(page, steps=None):
    if steps is not None:
        set_number(page, STEPS, steps)
        page.wait_for_timeout(300)
    cards = page.locator(".inv-result").count()
    page.click("#run")
    page.wait_for_function("n => document.querySelectorAll('.inv-result').length === n + 1", arg=cards)
    phase(page, "done")
    ready(page)


def two_runs(page):
    """#1 of 5 steps with seed 0, #2 of 7 steps with seed 3."""
    small(page)
    run(page, 5)
    settled(page, lambda: set_number(page, "#seed", 3))
    run(page, 7)


def card(page, number):
    return page.locator(".inv-result", has_text=f"#{number}")


def reload(page):
    """Reloads once the page's last question is answered: Gradio logs an error when one is cut off."""
    page.wait_for_selector(".inv-detail .inv-words", state="attached")  # needs the present settings
    page.reload()
    page.wait_for_selector("[data-part=measured] img")


def chips(page):
    return page.locator(".inv-chips li").all_inner_texts()


def shown(page):
    """What the viewer shows on top: left of the divider, and right of it."""
    return page.get_attribute("img.inv-before", "src"), page.get_attribute("img.inv-after", "src")


def test_an_earlier_result_is_shown_compared_and_used_again(visit):
    page = visit()
    assert page.is_visible(".inv-history-empty") and page.is_disabled("#history [data-do=zip]")
    two_runs(page)
    assert page.locator(".inv-result").count() == 2 and page.is_hidden(".inv-history-empty")
    second = result(page)

    place = page.evaluate(PLACE, ".inv-stage")
    card(page, 1).click()
    assert page.evaluate(PLACE, ".inv-stage") == place, "the layout does not jump"
    assert card(page, 1).get_attribute("aria-pressed") == "true"
    assert {"noise levels 7 → 5", "seed 3 → 0"} <= set(chips(page))
    assert page.input_value(f"{STEPS} input[type=number]") == "7", "looking changes no setting"
    first = result(page)
    settings, _ = Settings.from_dict(read(first))
    assert settings.solver.steps == 5 and settings.seed == 0 and pixels(first) != pixels(second)
    assert "Result #1" in page.inner_text("#viewer .inv-back") and page.evaluate(BROKEN) == []

    page.click("#viewer .inv-back")
    assert pixels(result(page)) == pixels(second) and page.is_hidden(".inv-detail")

    card(page, 1).click()
    page.get_by_role("button", name="Use these settings").click()
    page.wait_for_function(f"document.querySelector('{STEPS} input[type=number]').value === '5'")
    page.wait_for_function("document.querySelector('#seed input').value === '0'")
    page.wait_for_function("document.querySelector('.inv-detail').innerText.includes('are the present ones')")
    run(page)
    assert page.locator(".inv-result").count() == 3 and page.is_hidden("#viewer .inv-back")
    assert pixels(result(page)) == pixels(first), "the same settings give the same pixels"


def test_a_run_takes_the_player_back_and_scrubbing_works_meanwhile(visit):
    page = visit()
    two_runs(page)
    card(page, 1).click()
    page.wait_for_selector("#viewer .inv-back:visible")
    set_number(page, STEPS, 300)
    page.click("#run")
    phase(page, "running")
    page.wait_for_selector("#viewer .inv-back", state="hidden")
    page.wait_for_function("Number(document.querySelector('.inv-timeline input').max) >= 3")
    page.get_by_label("Look back at earlier steps").fill("0")
    early = page.get_attribute("img.inv-after", "src")
    page.wait_for_function("Number(document.querySelector('.inv-timeline input').max) >= 5")
    assert page.get_attribute("img.inv-after", "src") == early
    assert page.evaluate(LINE, "residual") >= 2, "the curves grow while it runs"

    card(page, 2).click()
    looked = page.get_attribute("img.inv-after", "src")
    page.wait_for_timeout(1500)
    assert page.get_attribute("img.inv-after", "src") == looked, "the run goes on behind it"
    assert "back to the run" in page.inner_text("#viewer .inv-back"), page.inner_text("#status")
    page.click("#viewer .inv-back")
    page.wait_for_function("b => document.querySelector('img.inv-after').src !== b", arg=looked)
    page.click("#stop")
    page.wait_for_function(COUNT, arg=3)
    ready(page)
    card(page, 3).click()
    assert "stopped at step" in page.inner_text(".inv-detail")


def test_two_pins_are_laid_over_each_other(visit):
    page = visit()
    two_runs(page)
    pictures = {}
    for number, letter in ((1, "A"), (2, "B")):
        card(page, number).click()
        pictures[letter] = page.get_attribute("img.inv-after", "src")
        page.get_by_role("button", name=f"Pin {letter}").click()
    page.wait_for_selector("#viewer .inv-pair")
    assert shown(page) == (pictures["A"], pictures["B"]) and page.evaluate(BROKEN) == []
    assert {"noise levels 5 → 7", "seed 0 → 3"} <= set(chips(page)), "from A to B"
    assert card(page, 1).locator(".inv-pin").inner_text() == "A"
    clip = "getComputedStyle(document.querySelector('img.inv-before')).clipPath"
    assert "50%" in page.evaluate(clip), "half of each at first"

    page.locator("[data-do=flip]").scroll_into_view_if_needed()
    place = page.locator("[data-do=flip]").bounding_box()
    page.mouse.move(place["x"] + 9, place["y"] + 9)
    page.mouse.down()
    assert page.evaluate(clip) == "none", "A over all"
    page.mouse.up()
    assert "50%" in page.evaluate(clip)
    page.focus("#history [data-do=swap]")
    page.keyboard.down("p")
    assert page.evaluate(clip) == "none"
    page.keyboard.up("p")

    page.click("[data-do=difference]")
    assert page.evaluate("getComputedStyle(document.querySelector('img.inv-before')).mixBlendMode") == "difference"
    page.click("[data-do=difference]")
    page.click("[data-do=swap]")
    assert shown(page) == (pictures["B"], pictures["A"])
    page.click("[data-do=unpin]")
    assert page.locator(".inv-pin").count() == 0 and page.is_hidden("#viewer .inv-back")


def test_the_curves_are_complete_at_the_end_and_are_told_in_words(visit):
    page = visit()
    assert "no run yet" in page.get_attribute("[data-plot=psnr] svg", "aria-label")
    small(page)
    place = page.evaluate(PLACE, "#curves")
    run(page)
    assert page.evaluate(PLACE, "#curves") == place, "the layout does not jump"
    total = int(page.inner_text("#status dd >> nth=0").split("/")[1])
    for name, unit in (("residual", "× noise"), ("psnr", "dB")):
        assert 4 <= page.evaluate(LINE, name) <= total
        words = page.get_attribute(f"[data-plot={name}] svg", "aria-label")
        assert f"at update {total} of {total}" in words and unit in words
    assert page.locator("[data-plot=residual] .inv-noise-words").text_content() == "what the noise explains"
    assert page.locator(".inv-noise-line").count() == 1
    last = page.inner_text("[data-plot=psnr] output")
    assert last.split()[0] in page.inner_text("#status")
    page.get_by_label("Look back at earlier steps").fill("0")
    assert page.inner_text("[data-plot=psnr] output") != last, "the curve follows the player"


def test_results_outlive_a_reload_and_leave_when_cleared(visit):
    page = visit()
    two_runs(page)
    card(page, 1).click()
    first = result(page)
    page.fill(".inv-name", "The best one?")
    page.press(".inv-name", "Tab")
    page.click("#history [data-do=rate-4]")
    page.wait_for_function("document.querySelector('.inv-stars:not(:empty)')?.textContent === '★★★★'")
    reload(page)
    page.wait_for_function(COUNT, arg=2)
    card(page, 1).click()
    assert result(page) == first and page.evaluate(BROKEN) == []
    with page.expect_download() as download:
        page.click("#history [data-do=zip]")
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 2
        assert archive.read(sorted(archive.namelist())[0]) == first
        assert sorted(archive.namelist())[0] == "01-The_best_one_.png"
    assert page.input_value(".inv-name") == "The best one?"
    assert "4 of 5 stars" in card(page, 1).get_attribute("aria-label")
    page.click("#history [data-do=rate-4]")
    assert "stars" not in card(page, 1).get_attribute("aria-label"), "once more takes it back"

    page.wait_for_selector(".inv-detail .inv-words")
    page.click("#history [data-do=remove]")
    page.wait_for_function(COUNT, arg=1)
    page.click("#history [data-do=clear]")
    page.wait_for_selector(".inv-history-empty")
    page.reload()
    page.wait_for_selector("[data-part=measured] img")
    page.wait_for_timeout(1500)
    assert page.locator(".inv-result").count() == 0


PUT = """(entries) => new Promise((resolve) => {
  indexedDB.open("inverse-results", 1).onsuccess = ({target}) => {
    const writing = target.result.transaction("results", "readwrite");
    for (const [tab, key] of entries) writing.objectStore("results").put({tab, key, at: key});
    writing.oncomplete = () => resolve(target.result.close());
  };
})"""
TABS = """() => new Promise((resolve) => {
  indexedDB.open("inverse-results", 1).onsuccess = ({target}) => {
    const asked = target.result.transaction("results").objectStore("results").getAllKeys();
    asked.onsuccess = () => resolve(asked.result.map(([tab]) => tab), target.result.close());
  };
})"""
SPY = """
window.read = [];
const getAll = IDBObjectStore.prototype.getAll;
IDBObjectStore.prototype.getAll = function (...range) {
  const asked = getAll.apply(this, range);
  asked.addEventListener("success", () => window.read.push(...asked.result.map((each) => each.tab)));
  return asked;
};"""


def test_results_of_tabs_that_are_gone_leave_after_a_day_and_are_not_read(visit):
    page = visit()
    page.evaluate(TELL, [finished(1)])
    page.wait_for_function(COUNT, arg=1)
    now = 1000 * time.time()
    page.evaluate(PUT, [["gone", now - 25 * 3.6e6], ["open", now - 3.6e6]])
    page.context.add_init_script(SPY)
    page.wait_for_function("document.querySelector('#run').textContent.includes('~')")
    page.reload()
    page.wait_for_function(COUNT, arg=1)
    own = page.evaluate("sessionStorage['inverse-tab']")
    page.wait_for_timeout(500)
    assert page.evaluate("window.read") == [own]
    assert sorted(page.evaluate(TABS)) == sorted([own, "open"])


TELL = """(entries) => entries.forEach((detail) =>
  document.dispatchEvent(new CustomEvent("inverse-finished", {detail})))"""


def finished(number, words="Solver", side=8):
    """What the viewer says at the end of a run."""
    from inverse.web.base.pictures import png

    picture = png(Image.new("RGB", (side, side), (number * 9 % 256, 99, 99)))
    settings = {"seed": number, "prior": words, "sigma_y": 0.1}
    settings |= {part: {"name": words, "parameters": {words: words, "steps": number}} for part in ("task", "solver")}
    record = {
        "settings": settings, "origin": {"photo": words}, "task": words, "solver": words, "psnr": 20.0 + number,
        "residual": 1.0, "seconds": 1.0, "step": 5, "total": 5, "thumb": picture,
    }  # fmt: skip
    frame = {"index": 5, "total": 5, "x0": [picture], "xt": [picture]}
    view = {"run": number, "phase": "done", "before": picture, "truth": None, "width": side, "height": side}
    return {**view, "samples": 1, "filename": "restored.png", "frame": frame, "curve": None, "record": record}


def test_only_so_many_results_are_kept_and_the_keyboard_walks_through_them(visit):
    page = visit()
    page.evaluate(TELL, [finished(number) for number in range(1, 31)])
    assert page.locator(".inv-result").count() == 24
    assert card(page, 30).count() == 1 and page.locator(".inv-result b", has_text="#6").count() == 0
    assert page.locator(".inv-result[tabindex='0']").count() == 1
    page.locator(".inv-result").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert card(page, 29).get_attribute("aria-pressed") == "true"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert card(page, 7).get_attribute("aria-pressed") == "true" and "#7" in page.inner_text(".inv-back")
    assert "27.00 dB" in card(page, 7).get_attribute("aria-label")
    page.wait_for_function(STORED, arg=24)
    reload(page)
    page.wait_for_function(COUNT, arg=24)
    page.wait_for_timeout(1500)


def test_whole_numbers_are_shown_whole(visit):
    page = visit()
    page.evaluate(TELL, [finished(1052397747), finished(4294967295)])
    for number, letter in ((1, "A"), (2, "B")):
        card(page, number).click()
        page.get_by_role("button", name=f"Pin {letter}").click()
    assert "seed 1052397747 → 4294967295" in chips(page)


def test_hostile_words_in_settings_stay_words(visit):
    page = visit()
    hostile = "<img src=x onerror='window.hacked=1'>`${1}`{{x}}"
    page.evaluate(TELL, [finished(1, hostile), finished(2, "other")])
    for number, letter in ((1, "A"), (2, "B")):
        card(page, number).click()
        page.get_by_role("button", name=f"Pin {letter}").click()
    assert "<img src=x" in page.inner_text(".inv-detail")
    assert page.locator("#history img").count() == 2 and page.evaluate("window.hacked") is None
    assert page.evaluate(BROKEN) == []


def test_results_on_a_phone_in_the_dark(visit):
    page = visit(390, 844, "?__theme=dark", is_mobile=True, has_touch=True)
    page.evaluate(TELL, [finished(number, "Task and solver of many words " * 3) for number in range(1, 9)])
    assert page.evaluate(SIDEWAYS) <= 0
    strip = page.locator(".inv-cards")
    assert strip.evaluate("strip => strip.scrollWidth > strip.clientWidth"), "the strip scrolls, the page does not"
    card(page, 7).tap()
    assert page.evaluate(SIDEWAYS) <= 0 and page.evaluate(BROKEN) == []
    order = ["#card-damage", "#inputs", "#viewer", "#history", "#curves"]
    tops = [page.locator(where).first.bounding_box()["y"] for where in order]
    assert tops == sorted(tops)
