"""The pad over the photo as an editor: full screen, closer, undo and redo, mouse, pen, fingers and keys."""

import io

import numpy as np
import pytest
from PIL import Image
from test_app import choose, small

from inverse.operators import TASKS

pytestmark = pytest.mark.browser
# The pixels that are painted, as a list of [x, y].
PAINTED = """() => {
  const canvas = document.querySelector('#mask canvas');
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  const covered = Array.from({ length: data.length / 4 }, (_, at) => at).filter((at) => data[4 * at + 3]);
  return covered.map((at) => [at % canvas.width, Math.floor(at / canvas.width)]);
}"""
UNNAMED = """() => [...document.querySelectorAll('#mask :is(button, select, input, canvas)')]
  .filter((each) => !each.ariaLabel && !each.textContent.trim()).map((each) => each.outerHTML)"""
CLIPPED = """() => {
  const full = document.querySelector('#mask [popover]');
  return [...document.querySelectorAll('#mask :is(button, select, label, canvas)')].filter((each) => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    const out = left < 0 || right > innerWidth + 0.5 || (full && (top < 0 || bottom > innerHeight + 0.5));
    return out && each.checkVisibility();
  }).map((each) => each.outerHTML);
}"""
SHOWN = "document.querySelector('[data-part=measured] img')?.src ?? ''"
FULL = "#mask [popover]"


@pytest.fixture
def editor(visit):
    """A page with an empty pad over a photo."""

    def open_page(**options):
        page = visit(**options)
        small(page)
        choose(page, "#task", TASKS["inpaint-mask"].title)
        page.wait_for_selector("#mask .inv-pad img", state="attached")
        page.wait_for_function("document.querySelector('#mask canvas').height === 128")
        return page

    return open_page


def painted(page):
    return np.array(page.evaluate(PAINTED)).reshape(-1, 2)


def in_photo(page, at):
    """Where a point of the screen is in the photo, by the photo's own place."""
    photo = page.locator("#mask .inv-pad img").bounding_box()
    width, height = page.evaluate("(({ width, height }) => [width, height])(document.querySelector('#mask canvas'))")
    return (at[0] - photo["x"]) * width / photo["width"], (at[1] - photo["y"]) * height / photo["height"]


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def zoom(page, at, delta):
    before = page.inner_text("#mask [data-zoom=fit]")
    page.mouse.move(*at)
    page.mouse.wheel(0, delta)
    page.wait_for_function("b => document.querySelector('#mask [data-zoom=fit]').innerText !== b", arg=before)


def open_full(page):
    page.click("#mask [data-zoom=full]")
    page.wait_for_selector(FULL)
    page.wait_for_function("document.fullscreenElement === document.documentElement")


def test_what_is_painted_closely_is_what_is_under_the_pointer(editor):
    page = editor()
    open_full(page)
    filled = page.locator(FULL).bounding_box()
    assert [filled["width"], filled["height"]] == page.evaluate("[innerWidth, innerHeight]")
    middle = page.evaluate("[innerWidth / 2, innerHeight / 2]")
    at = [middle[0] + 150, middle[1] - 80]
    under = in_photo(page, at)
    zoom(page, at, -400)
    assert in_photo(page, at) == pytest.approx(under, abs=0.1), "what is under the pointer stays there"
    page.locator("#mask [type=range]").fill("30")
    size = 30 * in_photo(page, [1, 0])[0] - 30 * in_photo(page, [0, 0])[0]
    start, end = [at[0] - 120, at[1]], [at[0] + 120, at[1] + 60]
    drag(page, start, end)
    found, ends = painted(page), np.array([in_photo(page, start), in_photo(page, end)])
    assert len(found)
    low, high = ends.min(0) - size / 2, ends.max(0) + size / 2
    assert found.min(0) == pytest.approx(low - 0.5, abs=1) and found.max(0) == pytest.approx(high - 0.5, abs=1)
    # Space and a drag, and the middle button, move the photo with the pointer, and paint nothing.
    for space, button in ((True, "left"), (False, "middle")):
        under = in_photo(page, start)
        if space:
            page.keyboard.down(" ")
        page.mouse.move(*start)
        page.mouse.down(button=button)
        page.mouse.move(start[0] + 30, start[1] + 20, steps=3)
        page.mouse.up(button=button)
        if space:
            page.keyboard.up(" ")
        assert in_photo(page, [start[0] + 30, start[1] + 20]) == pytest.approx(under, abs=0.1)
        assert np.array_equal(painted(page), found)
    page.keyboard.press("0")
    assert page.inner_text("#mask [data-zoom=fit]") == "Fit"
    page.wait_for_function(f"{SHOWN}.startsWith('data:')")
    page.keyboard.press("Escape")
    page.wait_for_selector(FULL, state="detached")
    assert page.evaluate("document.fullscreenElement") is None
    with page.expect_download() as download:
        page.click("#mask [data-do=download]")
    mask = np.asarray(Image.open(io.BytesIO(download.value.path().read_bytes())).convert("L"))
    assert np.array_equal(np.argwhere(mask > 0)[:, ::-1], found), "what is sent is what is shown"


def test_every_change_is_taken_back_and_made_again(editor):
    page = editor()
    undo, redo = page.locator("#mask [data-do=undo]"), page.locator("#mask [data-do=redo]")
    assert undo.is_disabled() and redo.is_disabled()
    place = page.locator("#mask canvas").bounding_box()
    at = lambda x, y: [place["x"] + x * place["width"], place["y"] + y * place["height"]]  # noqa: E731
    states = [painted(page)]

    def done(act):
        act()
        states.append(painted(page))
        assert not np.array_equal(states[-1], states[-2])

    done(lambda: drag(page, at(0.2, 0.3), at(0.7, 0.4)))
    done(lambda: page.select_option("#mask select", "disk"))
    page.click("#mask [data-tool=eraser]")
    done(lambda: drag(page, at(0.2, 0.5), at(0.8, 0.5)))
    done(lambda: page.click("#mask [data-do=invert]"))
    done(lambda: page.click("#mask [data-do=clear]"))
    page.locator("#mask canvas").focus()
    for state in states[-2::-1]:
        page.keyboard.press("Control+z")
        assert np.array_equal(painted(page), state)
    assert undo.is_disabled() and redo.is_enabled()
    for number, state in enumerate(states[1:4]):
        page.keyboard.press("Control+Shift+z" if number else "Control+y")
        assert np.array_equal(painted(page), state)
    redo.click()
    assert np.array_equal(painted(page), states[4])
    undo.click()
    page.click("[data-tool=brush]")
    drag(page, at(0.1, 0.1), at(0.2, 0.1))
    assert redo.is_disabled(), "a new stroke is another way to go on"
    shown = page.evaluate(SHOWN)
    undo.click()
    page.wait_for_function(f"b => {SHOWN} !== b", arg=shown)
    assert np.array_equal(painted(page), states[3])


def test_what_is_painted_is_there_at_every_size_and_goes_with_the_photo(editor):
    page = editor()
    page.select_option("#mask select", "disk")
    before = painted(page)
    page.get_by_label("256", exact=True).check(force=True)
    page.wait_for_function("document.querySelector('#mask canvas').height === 256")
    assert len(painted(page)) == pytest.approx(4 * len(before), rel=0.05) and page.is_disabled("#mask [data-do=undo]")
    page.get_by_label("128", exact=True).check(force=True)
    page.wait_for_function("document.querySelector('#mask canvas').height === 128")
    assert np.array_equal(painted(page), before)
    page.locator(".inv-examples button").nth(1).click()
    page.wait_for_selector("#mask [data-do=download][disabled]")
    assert len(painted(page)) == 0


def touch(page, kind, *points):
    """What fingers do, as the system tells Chromium."""
    fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    page.touches.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


@pytest.mark.parametrize("full", [True, False], ids=["full", "pad"])
def test_one_finger_paints_and_two_look_closer(editor, full):
    page = editor(width=390, height=844, has_touch=True, is_mobile=True)
    page.touches = page.context.new_cdp_session(page)
    if full:
        open_full(page)
    else:
        page.locator("#mask canvas").scroll_into_view_if_needed()
    place, scrolled = page.locator("#mask .inv-pad").bounding_box(), page.evaluate("scrollY")
    x, y = place["x"] + place["width"] / 2, place["y"] + place["height"] / 2
    touch(page, "touchStart", (x - 20, y))
    touch(page, "touchMove", (x - 22, y))
    touch(page, "touchStart", (x - 22, y), (x + 22, y))
    for apart in (30, 50, 70, 90):
        touch(page, "touchMove", (x - apart, y), (x + apart, y))
    page.wait_for_function("document.querySelector('#mask [data-zoom=fit]').textContent !== 'Fit'")
    touch(page, "touchEnd", (x - 90, y))
    touch(page, "touchMove", (x - 60, y + 20))
    touch(page, "touchEnd")
    assert len(painted(page)) == 0 and page.is_disabled("#mask [data-do=undo]"), "a pinch does not paint"
    start, end = in_photo(page, (x - 20, y - 30)), in_photo(page, (x - 20, y + 40))
    touch(page, "touchStart", (x - 20, y - 30))
    touch(page, "touchMove", (x - 20, y))
    touch(page, "touchMove", (x - 20, y + 40))
    touch(page, "touchEnd")
    found = painted(page)
    assert len(found) and page.evaluate("scrollY") == scrolled, "and the page stays"
    assert found.mean(0) == pytest.approx((np.array(start) + end) / 2 - 0.5, abs=1)


def test_a_pen_paints_as_wide_as_it_is_pressed(editor):
    page = editor()
    pen = page.context.new_cdp_session(page)
    place = page.locator("#mask canvas").bounding_box()
    page.locator("#mask [type=range]").fill("60")
    widths = []
    for force in (0.2, 0.5, 1):
        for kind, x in (("mousePressed", 0.3), ("mouseMoved", 0.5), ("mouseReleased", 0.5)):
            pen.send("Input.dispatchMouseEvent", {
                "type": kind, "x": place["x"] + x * place["width"], "y": place["y"] + place["height"] / 2,
                "button": "left", "buttons": 1, "clickCount": 1, "pointerType": "pen", "force": force,
            })  # fmt: skip
        found = painted(page)
        widths.append(np.ptp(found[:, 1]) + 1)
        page.click("#mask [data-do=undo]")
    whole = 60 * page.evaluate("document.querySelector('#mask canvas').width") / place["width"]
    assert widths == pytest.approx([0.2 * whole, 0.5 * whole, whole], abs=2)


def test_the_editor_works_without_a_mouse(editor):
    page = editor()
    opens = page.locator("#mask [data-zoom=full]")
    opens.focus()
    page.keyboard.press("Enter")
    page.wait_for_selector(FULL)
    inside = "document.querySelector('#mask [popover]').contains(document.activeElement)"
    unnamed = page.evaluate(UNNAMED)
    assert unnamed == []
    assert page.evaluate(f"{inside} && document.activeElement.tagName") == "CANVAS"
    assert page.is_visible("#mask .inv-ring")
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate(f"{inside} || document.activeElement === document.body"), "the focus stays in the editor"
    page.locator("#mask canvas").focus()
    size = page.locator("#mask [type=range]")
    before = float(size.input_value())
    page.keyboard.press("]")
    larger = float(size.input_value())
    page.keyboard.press("[")
    assert larger > before > float(size.input_value()) - 0.5
    page.keyboard.press("+")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_selector("#mask [data-do=undo]:not([disabled])")
    assert len(painted(page))
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    ring, photo = (page.locator(f"#mask {which}").bounding_box() for which in (".inv-ring", ".inv-pad"))
    assert photo["x"] <= ring["x"] + ring["width"] / 2 <= photo["x"] + photo["width"], "the view follows the brush"
    page.keyboard.press("Escape")
    page.wait_for_selector(FULL, state="detached")
    assert page.evaluate("document.activeElement.dataset.zoom") == "full", "the focus is where it was"
    assert page.locator("[inert]").count() == 0


def test_what_is_said_while_the_editor_is_open_is_said_in_it(editor, tmp_path):
    page = editor()
    open_full(page)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    page.set_input_files("#mask input[type=file]", tmp_path / "broken.png")
    page.wait_for_function("document.querySelector('#mask [role=status]').textContent.length > 20")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_is_clipped_on_a_narrow_screen(editor, theme):
    page = editor(width=320, height=568, query=f"?__theme={theme}", has_touch=True, is_mobile=True)
    assert page.evaluate(CLIPPED) == []
    open_full(page)
    assert page.evaluate(CLIPPED) == []
    assert page.locator("#mask .inv-pad").bounding_box()["height"] > 200
