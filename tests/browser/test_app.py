"""The app as people use it: a real Chromium, real clicks, the real prior."""

import io
import re
import time
from dataclasses import replace
from statistics import median

import numpy as np
import pytest
from PIL import Image, ImageDraw

from inverse.imaging import images
from inverse.operators import TASKS
from inverse.solvers import SOLVERS
from inverse.web.base import limits
from inverse.web.elements.picker import EXAMPLES
from inverse.web.page.cards import EXAMPLE

pytestmark = pytest.mark.browser

OBSERVE = """() => {
  window.seen = {clicked: null, frames: [], painted: []};
  document.querySelector('#viewer').addEventListener('load', ({target}) => {
    const step = target.alt.match(/update (\\d+)/);
    if (target.classList.contains('inv-after') && step) {
      requestAnimationFrame(() => window.seen.painted.push([Number(step[1]), Date.now() / 1000]));
    }
  }, true);
  document.querySelector('#run').addEventListener('click', () => { window.seen.clicked ??= performance.now(); }, true);
  new MutationObserver((changes) => {
    for (const change of changes) {
      const images = change.type === 'attributes' ? [change.target] : [...change.addedNodes];
      for (const image of images) {
        if (image.nodeName === 'IMG' && image.classList.contains('inv-after') && image.src) {
          window.seen.frames.push(performance.now() - window.seen.clicked);
        }
      }
    }
  }).observe(document.querySelector('#viewer'), {subtree: true, childList: true, attributeFilter: ['src']});
}"""
BROKEN = "() => [...document.images].filter((i) => !(i.complete && i.naturalWidth > 0)).map((i) => i.alt)"
SHORTER = "n => (({ width, height }) => Math.min(width, height))(document.querySelector('#mask canvas')) === n"
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


def phase(page, name):
    page.wait_for_selector(f"#viewer [data-phase={name}]")
    page.wait_for_selector(f"#status [data-phase={name}]")


def ready(page):
    """Run can be pressed again, Stop cannot."""
    page.wait_for_selector("#run:not([disabled])")
    page.wait_for_selector("#stop[disabled]")


def small(page):
    """128 pixels, so that a run takes seconds on any machine."""
    before = page.get_attribute("[data-part=measured] img", "src")
    page.get_by_label("128", exact=True).check()
    page.wait_for_function("b => document.querySelector('[data-part=measured] img').src !== b", arg=before)


def set_number(page, where, value):
    box = page.locator(f"{where} input[type=number]")
    box.fill(str(value))
    box.press("Tab")


def choose(page, where, title):
    page.click(f"{where} input")
    page.get_by_role("option", name=title, exact=True).click()


def test_a_photo_is_restored_and_saved(visit, app, measured):
    begun = time.perf_counter()
    page = visit()
    measured["page ready"] = f"{time.perf_counter() - begun:.2f} s, {len(page.requests)} requests"
    assert page.evaluate(SIDEWAYS) <= 0
    assert page.locator(".inv-viewer-foot").bounding_box()["y"] < 880, "the result is above the fold"

    before = page.get_attribute("[data-part=truth] img", "src")
    page.click("[data-example=astronaut]")
    page.wait_for_function("b => document.querySelector('[data-part=truth] img').src !== b", arg=before)
    small(page)
    page.click("#run")  # warms everything up
    phase(page, "done")
    ready(page)

    page.get_by_label("256", exact=True).check()
    page.wait_for_timeout(500)
    page.evaluate(OBSERVE)
    stage = page.locator(".inv-stage").bounding_box()
    page.click("#run")
    phase(page, "running")
    phase(page, "done")
    ready(page)
    assert page.locator(".inv-stage").bounding_box() == stage, "the layout does not jump"
    frames, run = page.evaluate("window.seen.frames"), app[1].runs[-1]
    measured["warm click to first frame"] = f"{frames[0] / 1000:.2f} s"
    measured["frames shown"] = f"{len(frames)} in {frames[-1] / 1000:.1f} s"
    overhead = 1 - run["solving"] / run["seconds"]
    measured["preview overhead"] = f"{100 * overhead:.1f} % of {run['seconds']:.1f} s at 256 x 256"
    waits = [at - run["yielded"][step] for step, at in page.evaluate("window.seen.painted")[:-1]]
    measured["step to pixels"] = f"{1000 * median(waits):.0f} ms, at most {1000 * max(waits):.0f} ms"
    assert len(frames) >= 3 and 0 < median(waits) < run["seconds"] / 2, "seen while it runs; 150 ms on an idle machine"
    assert overhead < 0.35, "on a busy machine; idle it is below 0.1"
    assert page.evaluate(BROKEN) == []
    assert "PSNR" in page.inner_text("#status") and "× noise" in page.inner_text("#status")

    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    assert download.value.suggested_filename.endswith(".png")
    with Image.open(io.BytesIO(download.value.path().read_bytes())) as picture:
        assert picture.format == "PNG" and picture.size == (256, 256)

    last = page.get_attribute(".inv-after", "src")
    page.get_by_label("Look back at earlier steps").fill("0")
    assert page.get_attribute(".inv-after", "src") != last and page.evaluate(BROKEN) == []
    page.locator("[name=inv-view][value=xt]").check(force=True)
    assert page.evaluate(BROKEN) == []
    page.locator(".inv-divider").fill("40")
    assert page.evaluate("getComputedStyle(document.querySelector('.inv-before')).clipPath") != "none"


def test_stop_takes_effect_within_a_step_and_keeps_the_picture(visit, app, measured):
    page = visit()
    set_number(page, "#solver-cse-vml-map-steps", 300)
    page.click("#run")
    page.wait_for_selector(".inv-after")
    run = app[1].runs[-1]
    asked = time.time()
    page.keyboard.press("Escape")
    ready(page)
    back = time.time() - asked
    phase(page, "stopped")
    told = time.time() - asked
    deadline = time.time() + 60
    while run["closed"] is None and time.time() < deadline:
        time.sleep(0.02)
    closed, step = run["closed"] - asked, run["solving"] / run["steps"]
    measured["Stop to closed generator"] = f"{closed:.2f} s (a step takes {step:.2f} s)"
    measured["Stop to buttons back"] = f"{back:.2f} s"
    assert closed < told + 3 * step and run["steps"] < 300
    assert page.get_attribute(".inv-after", "src").startswith("data:image/png") and page.evaluate(BROKEN) == []
    assert page.is_enabled("#viewer .inv-save")
    page.wait_for_timeout(1000)
    assert "Stopped" in page.inner_text("#status"), "nothing late overwrites it"


def test_what_comes_late_of_a_stopped_run_takes_nothing_from_the_next(visit, unhurried):
    page, held = visit(), []
    small(page)
    jobs = page.evaluate("window.gradio_config.dependencies.map(d => [d.id, d.targets.map(t => t[1])])")
    ends = [job for job, kinds in jobs if {"then", "success", "failure"} & set(kinds)]
    set_number(page, "#solver-cse-vml-map-steps", 300)
    page.wait_for_timeout(500)
    page.click("#run")
    page.wait_for_selector(".inv-after")
    page.route("**/run/predict*", lambda route: held.append(route) if _job(route) in ends else route.continue_())
    page.keyboard.press("Escape")
    phase(page, "stopped")
    for _ in range(40):
        page.wait_for_timeout(250)
        if held:
            break
    assert held, "something follows a stopped run"
    pressed = page.is_enabled("#run")
    if pressed:
        page.click("#run")
    for route in held:
        route.continue_()
    page.unroute_all(behavior="ignoreErrors")
    if not pressed:
        ready(page)
        page.click("#run")
    phase(page, "running")
    page.wait_for_timeout(500)
    assert page.is_enabled("#stop") and page.is_disabled("#run")
    page.keyboard.press("Escape")
    ready(page)


def _job(route):
    return route.request.post_data_json["fn_index"]


def test_every_tab_keeps_its_own_settings_and_a_new_one_takes_the_last(visit):
    first = visit()
    set_number(first, "#seed", 5)
    first.wait_for_function("sessionStorage.getItem('inverse-settings')")
    second = visit(beside=first)
    second.wait_for_function("document.querySelector('#seed input[type=number]').value == 5")
    kept = second.evaluate("localStorage.getItem('inverse-settings')")
    set_number(second, "#seed", 999)
    second.wait_for_function("kept => localStorage.getItem('inverse-settings') !== kept", arg=kept)
    first.reload()
    first.wait_for_selector("[data-part=measured] img")
    first.wait_for_timeout(1500)
    assert first.input_value("#seed input[type=number]") == "5"


def test_a_run_that_waits_keeps_its_photo_and_says_that_it_waits(visit, unhurried):
    busy, page = visit(), visit()
    small(busy)
    set_number(busy, "#solver-cse-vml-map-steps", 50)
    busy.click("#run")
    busy.wait_for_selector(".inv-after")
    small(page)
    page.click("#run")
    page.wait_for_selector("#status [data-phase=waiting]")
    before = page.get_attribute("[data-part=truth] img", "src")
    page.click("[data-example=astronaut]")
    page.wait_for_function("b => document.querySelector('[data-part=truth] img').src !== b", arg=before)
    words = page.locator("#status .inv-message", has_text=re.compile(r"^Next in line, about [\d.]+ (s|min)\.$"))
    words.wait_for()
    first = words.inner_text()
    page.wait_for_function("first => document.querySelector('#status .inv-message').innerText !== first", arg=first)
    assert words.inner_text().startswith("Next in line"), "the time is told anew"
    busy.keyboard.press("Escape")
    phase(page, "done")
    restored = page.evaluate("document.querySelector('.inv-before').src")
    assert restored != page.get_attribute("[data-part=truth] img", "src"), "it is the photo of the moment of asking"
    assert "the photo that the page had before" in page.inner_text(".inv-explain")


def test_keys_are_heard_by_what_they_are_meant_for(visit, unhurried):
    page = visit()
    small(page)
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'p', bubbles: true}))")
    page.wait_for_selector("#viewer .inv-frame.inv-peek")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    assert page.locator("#viewer .inv-peek").count() == 0, "the key was released in another window"

    set_number(page, "#solver-cse-vml-map-steps", 300)
    page.click("#run")
    page.wait_for_selector(".inv-after")
    page.get_by_role("tab", name="Sweep").click()
    page.click("#y-name input")
    page.get_by_role("option", name="Seed", exact=True).wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("option", name="Seed", exact=True).wait_for(state="hidden")
    # As Gradio's API panel is, whose own requests do not belong here.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p role=dialog id=panel>Panel</p>')")
    page.keyboard.press("Escape")
    page.evaluate("document.querySelector('#panel').remove()")
    page.get_by_role("tab", name="Restore").click()
    page.wait_for_timeout(500)
    assert page.is_enabled("#stop"), "Esc stops a run only where it closes nothing"
    page.keyboard.press("Escape")
    phase(page, "stopped")
    ready(page)


def test_a_closed_tab_frees_the_device(visit, app, measured, monkeypatch):
    """At the end of the time in which it might have been a reload."""
    allowed = replace(limits.current(), away=1)
    monkeypatch.setattr(limits, "current", lambda: allowed)
    page = visit()
    set_number(page, "#solver-cse-vml-map-steps", 300)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".inv-after")
    run = app[1].runs[-1]
    gone = time.time()
    page.close()
    while run["closed"] is None and time.time() < gone + 60:
        time.sleep(0.05)
    measured["closed tab to closed generator"] = f"{run['closed'] - gone:.2f} s"


def test_brushing_a_mask_changes_the_measurement_and_survives_other_choices(visit, brush):
    page = visit()
    small(page)
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_function("document.querySelector('#mask canvas')?.width < 300")
    page.wait_for_selector(".inv-note.inv-fault")
    assert "mask" in page.inner_text(".inv-note")
    brush(page, (40, 50), (160, 90), steps=3)
    page.wait_for_selector(".inv-note:not(.inv-fault)")
    masked = page.get_attribute("[data-part=measured] img", "src")
    choose(page, "#solver", SOLVERS["dps"].title)
    page.wait_for_selector("#solver-dps-steps")
    set_number(page, "#solver-dps-steps", 10)
    choose(page, "#task", TASKS["denoise"].title)
    page.wait_for_function("b => document.querySelector('[data-part=measured] img').src !== b", arg=masked)
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_function("b => document.querySelector('[data-part=measured] img').src === b", arg=masked)
    set_number(page, "#solver-dps-steps", 10)
    page.click("#run")
    phase(page, "done")
    page.get_by_role("button", name="Clear").click()
    page.wait_for_selector(".inv-note.inv-fault")


def test_a_scratch_in_an_uploaded_mask_outlives_every_size(visit, tmp_path):
    page = visit()
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_selector("#mask canvas")
    photo = images.load(EXAMPLES / f"{EXAMPLE}.jpg")
    scan = Image.new("RGBA", tuple(4 * side for side in photo.size))
    ImageDraw.Draw(scan).line((scan.width // 2, 0, scan.width // 2 + 90, scan.height - 1), "black", 3)
    scan.save(tmp_path / "scan.png")
    page.set_input_files("#mask input[type=file]", tmp_path / "scan.png")
    page.wait_for_selector(".inv-note:not(.inv-fault)")
    for size in (256, 128, 256):
        page.get_by_label(str(size), exact=True).check(force=True)
        page.wait_for_function(SHORTER, arg=size)
        ready(page)
        with page.expect_download() as download:
            page.click("#mask [data-do=download]")
        mask = np.asarray(Image.open(download.value.path()).convert("L"))
        assert min(mask.shape) == size and mask.any(1).all() and (mask > 0).mean() < 0.05
    assert "missing" in page.inner_text(".inv-note")


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nbroken", b"not a picture"])
def test_a_bad_file_is_refused_in_words(visit, tmp_path, content):
    page = visit()
    (tmp_path / "photo.png").write_bytes(content)
    shown = page.get_attribute("[data-part=truth] img", "src")
    page.set_input_files("#photo input[type=file]", tmp_path / "photo.png")
    words = page.wait_for_selector("[data-testid=toast-body]").inner_text()
    assert words.strip().endswith(".") and len(words.split()) > 6, words
    ready(page)
    assert page.get_attribute("[data-part=truth] img", "src") == shown, "the photo before it stays"


def test_a_wrong_value_is_marked_where_it_stands_and_nothing_is_started_with_it(visit, app):
    page, runs = visit(), len(app[1].runs)
    box = page.locator("#sigma_y input[type=number]")
    box.fill("7")
    assert page.inner_text("#sigma_y .inv-fault") == "Noise must be a number from 0 to 1."
    page.keyboard.press("Control+Enter")  # at once, before the server knows of it
    page.wait_for_selector("#run[disabled]")
    assert page.get_attribute("#run", "title").startswith("Noise must be a number from 0 to 1, and 7 is not.")
    assert "Noise" in page.inner_text("#keys")
    box.fill("0.1")
    page.wait_for_selector("#run:not([disabled])")
    assert page.get_attribute("#run", "title") == "" and "run" in page.inner_text("#keys")
    assert len(app[1].runs) == runs


def test_a_photo_counts_as_damaged_and_gives_its_name_to_the_result(visit, tmp_path):
    page = visit()
    assert page.get_by_label("Clean, to try", exact=True).is_checked()
    Image.effect_noise((96, 72), 40).convert("RGB").save(tmp_path / "IMG_4711.jpg")
    page.set_input_files("#photo input[type=file]", tmp_path / "IMG_4711.jpg")
    page.wait_for_function("document.querySelector('.inv-note').textContent.startsWith('96 × 72')")
    assert page.get_by_label("Damaged", exact=True).is_checked()
    assert page.input_value("#task input") == TASKS["denoise"].title
    assert "taken as it is" in page.inner_text("#card-photo") and "Your photo, 96 × 72" in page.inner_text("#photo")
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_selector("#mask canvas")
    page.wait_for_selector(".inv-note.inv-fault")
    page.locator("#mask select").wait_for(state="hidden")
    assert "upload your mask" in page.inner_text("#mask")
    choose(page, "#task", TASKS["denoise"].title)
    page.wait_for_selector("#run:not([disabled])")
    page.click("#run")
    phase(page, "done")
    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    assert download.value.suggested_filename == "IMG_4711-restored.png"
    page.get_by_label("Clean, to try", exact=True).check()
    page.wait_for_selector("#size")
    page.wait_for_function("document.querySelector('.inv-note').textContent.includes('of a photo of 96 × 72')")
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.locator("#mask select").wait_for()


def test_a_damaged_photo_is_restored_as_it_is(visit, tmp_path):
    page = visit()
    Image.effect_noise((96, 72), 40).convert("RGB").save(tmp_path / "photo.jpg")
    page.get_by_label("Damaged", exact=True).check()
    page.wait_for_selector("[data-part=truth]", state="hidden")
    page.set_input_files("#photo input[type=file]", tmp_path / "photo.jpg")
    page.wait_for_function("document.querySelector('.inv-note').textContent.startsWith('96 × 72')")
    assert float(page.input_value("#sigma_y input[type=number]")) > 0.1, "the noise was estimated"
    page.click("#run")
    phase(page, "done")
    assert "PSNR" not in page.inner_text("#status .inv-message")
    assert page.evaluate("document.querySelector('.inv-after').naturalWidth") == 96


SHIFTS = """(() => {
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
  }).observe({type: "layout-shift", buffered: true});
})()"""
CLIPPED = """() => [...document.querySelectorAll("gradio-app *")].filter((each) => {
  const {left, right, width, height} = each.getBoundingClientRect();
  const outside = left < -0.5 || right > document.documentElement.clientWidth + 0.5;
  return width && height && outside && !each.closest(".inv-scroll");
}).map((each) => each.id || each.className)"""


@pytest.mark.parametrize(
    ("width", "height"), [(1440, 900), pytest.param(390, 844, marks=pytest.mark.thorough), (320, 640)]
)
def test_the_page_opens_without_shifts_in_english_and_whole(visit, measured, width, height):
    page = visit(width, height, locale="de-DE")
    page.add_init_script(SHIFTS)
    for kept in (False, True):
        page.reload()
        page.wait_for_selector("[data-part=measured] img")
        page.wait_for_timeout(1500)
        shifted = page.evaluate("window.shifted")
        measured[f"layout shift at {width} pixels{', settings kept' if kept else ''}"] = f"{shifted:.3f}"
        assert shifted < 0.1
        set_number(page, "#sigma_y", 0.2)
        page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.lang") == "en" and "Settings" in page.inner_text("footer")
    for name in ("Sweep", "Compare", "Restore"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(200)
        assert page.evaluate(CLIPPED) == [] and page.evaluate(SIDEWAYS) <= 0


def test_the_paper_is_a_link(visit):
    page = visit()
    choose(page, "#solver", SOLVERS["pigdm"].title)
    link = page.locator("#card-method a[target=_blank]").first
    page.wait_for_function("document.querySelector('#card-method a').textContent.startsWith('Song')")
    assert link.get_attribute("href") == SOLVERS["pigdm"].paper and link.get_attribute("rel") == "noopener"


def test_a_phone_in_the_dark(visit):
    page = visit(390, 844, "?__theme=dark", is_mobile=True, has_touch=True)
    assert page.evaluate(SIDEWAYS) <= 0
    order = ["#card-photo", "#card-damage", "#problem", "#actions", "#viewer", "#history", "#card-method"]
    tops = [page.locator(where).first.bounding_box()["y"] for where in order]
    assert tops == sorted(tops)
    small(page)
    page.tap("#run")
    phase(page, "done")
    assert page.evaluate(SIDEWAYS) <= 0 and page.evaluate(BROKEN) == []
    red, green, blue = page.evaluate(
        "getComputedStyle(document.querySelector('gradio-app')).backgroundColor.match(/\\d+/g)"
    )[:3]
    assert int(red) + int(green) + int(blue) < 200
