"""Looking closer, with real clicks: samples and their spread, misfit, photons, masks, and where everything stands."""

import io

import pytest
from PIL import Image
from test_app import BROKEN, SIDEWAYS, choose, phase, ready, set_number, small

from inverse.operators import TASKS
from inverse.settings import Settings
from inverse.settings.carriers import read

pytestmark = pytest.mark.browser


def saved(page):
    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    return download.value.suggested_filename, download.value.path().read_bytes()


def look(page, name, value):
    """Shows something else, and returns its picture."""
    before = page.get_attribute(".inv-after", "src")
    page.locator(f"[name={name}][value='{value}']").check(force=True)
    page.wait_for_function("b => document.querySelector('.inv-after')?.src !== b", arg=before)
    return page.get_attribute(".inv-after", "src")


def test_samples_are_looked_at_one_by_one_and_together(visit, tmp_path):
    page = visit()
    small(page)
    set_number(page, "#samples", 3)
    set_number(page, "#photons", 60)
    page.wait_for_function("document.querySelector('#card-method').innerText.includes('each of 3 samples')")
    page.click("#run")
    page.wait_for_selector(".inv-strip img")
    stage = page.locator(".inv-stage").bounding_box()
    page.locator("[name=inv-sample][value='1']").check(force=True)  # while it runs
    phase(page, "done")
    ready(page)
    assert page.locator(".inv-stage").bounding_box() == stage, "the layout does not jump"
    assert "sample 2 of 3" in page.get_attribute(".inv-after", "alt")
    name, second = saved(page)
    told, notes = Settings.from_dict(read(second))
    assert name.endswith("-2.png") and told.samples == 3 and told.photons == 60 and "sample 2" in notes[0]

    look(page, "inv-sample", "spread")
    assert "grey levels" in page.inner_text(".inv-explain") and "grey levels" in page.get_attribute(".inv-after", "alt")
    assert page.is_visible("[data-legend=spread]") and page.is_disabled("[name=inv-view][value=xt]")
    assert saved(page)[0].endswith("-spread.png")
    assert len({look(page, "inv-sample", value) for value in ("0", "2", "mean")}) == 3
    look(page, "inv-sample", "0")
    look(page, "inv-view", "misfit")
    assert page.is_visible("[data-legend=misfit]") and "× noise" in page.inner_text("[data-legend=misfit]")
    page.get_by_label("Look back at earlier steps").fill("0")
    assert "update 1 of" in page.get_attribute(".inv-after", "alt"), "the first frame has a misfit too"
    assert page.evaluate(BROKEN) == []

    (tmp_path / "second.png").write_bytes(second)
    page = visit()
    page.set_input_files("#share input[type=file]", tmp_path / "second.png")
    page.wait_for_function("document.querySelector('#samples input').value === '3'")
    assert page.input_value("#photons input[type=number]") == "60"


def test_a_mask_is_made_downloaded_and_uploaded_again(visit, tmp_path, measured):
    page = visit()
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_function("document.querySelector('#mask canvas')?.width > 300")
    shown = "[data-part=measured] img"

    def changed(action):
        before = page.get_attribute(shown, "src") if page.locator(shown).count() else ""
        action()
        page.wait_for_function(f"b => (document.querySelector('{shown}')?.src ?? '') !== b", arg=before)
        return page.get_attribute(shown, "src")

    with_box = changed(lambda: page.select_option("#mask select", "box"))
    changed(lambda: page.click("[data-do=invert]"))
    assert changed(lambda: page.click("[data-do=undo]")) == with_box
    with page.expect_download() as download:
        page.click("[data-do=download]")
    content = download.value.path().read_bytes()
    with Image.open(io.BytesIO(content)) as mask:
        assert mask.size[1] == 256 and set(mask.convert("L").tobytes()) == {0, 255}
    page.click("[data-do=clear]")
    page.wait_for_selector(".inv-note.inv-fault")
    (tmp_path / "mask.png").write_bytes(content)
    page.set_input_files("#mask input[type=file]", tmp_path / "mask.png")
    page.wait_for_function(f"b => document.querySelector('{shown}')?.src === b", arg=with_box)

    # By keyboard, and the most that a request then carries.
    page.click("[data-do=clear]")
    page.wait_for_selector(".inv-note.inv-fault")
    page.focus("#mask canvas")
    changed(lambda: [page.keyboard.press("Shift+ArrowRight") for _ in range(4)])
    sent = []

    def note(request):
        if "json" in request.headers.get("content-type", ""):
            sent.append(len(request.post_data or ""))

    page.on("request", note)
    noise = Image.effect_noise((770, 512), 200).point(lambda value: 255 * (value > 127))
    noise.save(tmp_path / "noise.png")
    page.get_by_label("512", exact=True).check()
    page.wait_for_function("document.querySelector('#mask canvas').height > 500")
    page.set_input_files("#mask input[type=file]", tmp_path / "noise.png")
    assert "coarser" in page.wait_for_selector("[data-testid=toast-body]").inner_text()
    page.wait_for_timeout(1000)
    changed(lambda: page.click("[data-do=invert]"))
    measured["largest request with a mask of noise"] = f"{max(sent) / 1000:.0f} kB"
    assert max(sent) < 64_000


def bottom(page, where):
    box = page.locator(where).first.bounding_box()
    return box["y"] + box["height"]


@pytest.mark.parametrize("task", ["inpaint-random", "inpaint-box", "inpaint-mask", "hdr"])
def test_a_run_needs_nothing_below_the_fold(visit, task):
    page = visit()
    choose(page, "#task", TASKS[task].title)
    page.wait_for_function("t => document.querySelector('#task input').value === t", arg=TASKS[task].title)
    page.wait_for_timeout(1500)
    for where in ("#rail", "#viewer", "#reset", "#problem"):
        assert bottom(page, where) <= 900, where
    assert page.evaluate(SIDEWAYS) <= 0


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
def test_menus_open_below_their_field_and_within_the_window(visit, size):
    page = visit(*size)
    for where in ("#prior", "#task", "#solver"):
        page.click(f"{where} input")
        field, menu = (page.locator(f"{where} {each}").bounding_box() for each in ("input", "[role=listbox]"))
        assert menu["y"] >= field["y"] + field["height"]
        assert menu["x"] >= 0 and menu["x"] + menu["width"] <= size[0]
        page.keyboard.press("Escape")
        assert page.locator(f"{where} [role=listbox]").is_hidden()
    assert page.evaluate(SIDEWAYS) <= 0
    page.focus("#task input")
    page.keyboard.type("deno")
    page.keyboard.press("Enter")
    page.wait_for_function("t => document.querySelector('#task input').value === t", arg=TASKS["denoise"].title)


TRANSFORMS = "() => [...document.querySelectorAll('.inv-frame img')].map((each) => getComputedStyle(each).transform)"
CUT = """() => {
  const [frame, before] = ['.inv-frame', '.inv-before'].map((name) => document.querySelector(name));
  const hidden = parseFloat(getComputedStyle(before).clipPath.match(/inset\\(0px ([\\d.]+)/)?.[1] ?? 0);
  const { left, width } = before.getBoundingClientRect();
  return (left + width * (1 - hidden / 100) - frame.getBoundingClientRect().left) / frame.clientWidth;
}"""


def test_a_picture_is_looked_at_closely(visit):
    page = visit()
    small(page)
    page.click("#run")
    phase(page, "done")
    ready(page)
    page.locator(".inv-divider").fill("40")
    place = page.locator(".inv-frame").bounding_box()
    middle = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    page.mouse.move(*middle)
    zoom = page.locator(".inv-zoom [data-zoom=fit]")
    page.mouse.wheel(0, -100)
    assert zoom.inner_text() == "Fit", "a wheel scrolls the page"
    page.keyboard.down("Control")
    page.mouse.wheel(0, -120)
    page.keyboard.up("Control")
    page.wait_for_function("document.querySelector('.inv-zoom [data-zoom=fit]').textContent !== 'Fit'")
    enlarged = page.evaluate(TRANSFORMS)
    assert len(enlarged) == 2 and len(set(enlarged)) == 1, "both show the same place"
    assert page.evaluate(CUT) == pytest.approx(0.4, abs=0.01), "the divider stays where it stands"
    page.mouse.down()
    page.mouse.move(middle[0] + 60, middle[1] + 30, steps=3)
    page.mouse.up()
    assert page.evaluate(TRANSFORMS) != enlarged and len(set(page.evaluate(TRANSFORMS))) == 1
    assert page.input_value(".inv-divider") == "40", "a drag moves the picture, and not the divider"
    page.mouse.move(place["x"] + 0.4 * place["width"], middle[1])
    page.mouse.down()
    page.mouse.move(place["x"] + 0.6 * place["width"], middle[1], steps=3)
    page.mouse.up()
    assert page.evaluate(CUT) == pytest.approx(0.6, abs=0.01), "but for one at the divider"

    page.locator(".inv-stage").focus()
    page.keyboard.press("1")
    assert zoom.inner_text() == "100 %"
    shown = page.evaluate("document.querySelector('.inv-after').getBoundingClientRect().width * devicePixelRatio")
    assert shown == pytest.approx(page.evaluate("document.querySelector('.inv-after').naturalWidth"), abs=1)
    page.keyboard.press("f")
    viewport = page.evaluate("[innerWidth, innerHeight]")
    filled = page.locator("#viewer [popover]").bounding_box()
    assert [filled["width"], filled["height"]] == viewport
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer [popover]", state="detached")
    page.keyboard.press("0")
    assert zoom.inner_text() == "Fit" and page.evaluate(BROKEN) == []
