"""Someone who came for the papers: how a method works, a comparison at equal cost, and the figures of it."""

from xml.etree import ElementTree

import pytest
from PIL import Image
from test_app import choose, phase, ready, set_number

from inverse.operators import TASKS
from inverse.resources import EXAMPLES
from inverse.solvers import SOLVERS
from inverse.solvers.papers import PAPERS

pytestmark = pytest.mark.browser


def saved(page, button):
    with page.expect_download() as download:
        page.click(button)
    return download.value


@pytest.fixture
def tiny(tmp_path):
    """So small that gradients through the prior take no time."""
    path = tmp_path / "tiny.png"
    Image.open(EXAMPLES / "chelsea.jpg").convert("RGB").resize((64, 48)).save(path)
    return path


def test_dmap_with_k_5_is_understood_compared_with_dps_and_its_figures_are_saved(visit, tiny):
    page = visit()
    page.set_default_timeout(300_000)  # two runs with gradients through the prior, on a busy machine
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.set_input_files("#photo input[type=file]", tiny)
    page.wait_for_selector("#faults button[data-found], #faults button", state="attached")
    choose(page, "#task", TASKS["denoise"].title)
    page.wait_for_function("document.querySelector('#problem').textContent.includes('64 × 48')")
    choose(page, "#solver", SOLVERS["dmap"].title)
    page.wait_for_selector("#solver-dmap-steps")
    page.click("#card-method .inv-how")
    panel = page.locator("#method-panel")
    assert panel.locator("math").count() and panel.locator(".inv-algorithm li").count() > 9
    assert "Line 6. Gradient steps" in panel.inner_text().replace("\n", " ")
    width = page.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector('#method-panel'))"
    )
    assert width <= 0, "nothing of it is beyond its edge"
    panel.get_by_role("button", name="Copy BibTeX").click()
    page.wait_for_selector("#method-panel .inv-said:has-text('Copied.')")
    assert page.evaluate("navigator.clipboard.readText()") == PAPERS[SOLVERS["dmap"].paper].bibtex
    with page.context.expect_page() as opened:
        panel.get_by_text("The judge's table").click()
    assert "The judge" in opened.value.inner_text("h1")
    opened.value.close()
    panel.get_by_text("Measure it yourself").click()
    page.wait_for_selector("#finding-truth", state="visible")
    assert not panel.is_visible()

    page.get_by_role("tab", name="Restore").click()
    page.wait_for_timeout(500)  # until the preset has arrived
    set_number(page, "#solver-dmap-steps", 10)
    set_number(page, "#solver-dmap-gradient_steps", 5)
    page.get_by_role("tab", name="Compare").click()
    checked = page.locator("#contenders input:checked").evaluate_all("all => all.map((each) => each.name)")
    for name in {*checked} ^ {"dmap", "dps"}:
        page.get_by_role("checkbox", name=SOLVERS[name].title, exact=True).set_checked(name in ("dmap", "dps"))
    page.locator("#budget label").nth(1).click()
    page.wait_for_selector("#compare-promise:has-text('2 runs')")
    page.click("#compare")
    page.wait_for_selector("#rows [data-phase=done]")
    figure = saved(page, "#rows [data-download=figure-svg]")
    words = " ".join(part.text for part in ElementTree.parse(figure.path()).iter("{http://www.w3.org/2000/svg}text"))
    assert "gradient_steps 5" in words and "DPS: steps" in words and figure.suggested_filename.endswith(".svg")

    page.get_by_role("tab", name="Restore").click()
    choose(page, "#solver", SOLVERS["ddrm"].title)
    page.wait_for_selector("#solver-ddrm-steps")
    assert page.is_disabled("#curves [data-save=png]")
    page.click("#run")
    phase(page, "done")
    ready(page)
    with Image.open(saved(page, "#curves [data-save=png]").path()) as curves:
        assert curves.width / curves.info["dpi"][0] * 25.4 == pytest.approx(180, abs=1)
