"""The Findings tab in a real Chromium: it fills, stops, saves, and fits any screen."""

import xml.etree.ElementTree as ET
from itertools import product

import pytest
from PIL import Image
from test_access import findings as faults
from test_app import SIDEWAYS

from inverse.solvers import SOLVERS

pytestmark = pytest.mark.browser

SVGS = "#found .inv-chart svg"


def opened(visit, **options):
    page = visit(**options)
    page.get_by_role("tab", name="Findings").click()
    page.wait_for_selector("#findings:not([disabled])")
    return page


def few(page):
    """DPS alone, with one step size: seconds on any machine."""
    for title in ("DMAP", "PiGDM", SOLVERS["vml-map"].title):
        page.locator("#finding-solvers").get_by_label(title, exact=True).uncheck()
    page.fill("#finding-step-sizes input, #finding-step-sizes textarea", "2")
    page.wait_for_function("() => document.querySelector('#findings-promise').innerText.includes(' 5 samplers')")


def done(page):
    page.wait_for_selector("#found [data-phase=done]")
    page.wait_for_selector("#findings:not([disabled])")


def test_the_panels_fill_and_their_figures_are_saved(visit, tmp_path):
    page = opened(visit)
    few(page)
    page.click("#findings")
    page.wait_for_selector("#found [data-figure=moving] svg")  # points that move, before it is done
    done(page)
    assert page.locator("#found [data-figure=moving]").is_hidden()
    assert page.locator("#found .inv-finding:not([hidden]) svg").count() == 7
    assert all(text.startswith("On six spots") for text in page.locator("#found .inv-sentence").all_inner_texts())
    assert page.locator("#found .inv-verdict:not([hidden])").count() == 3
    saved = {}
    for kind, at in {"svg": "[data-figure=score] ", "png": "[data-figure=score] ", "csv": "", "page": ""}.items():
        with page.expect_download() as download:
            page.click(f"#found {at}button[name={kind}]")
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    assert ET.parse(saved["svg"]).getroot().tag.endswith("svg") and saved["csv"].name == "findings-modes-inpainting.csv"
    assert saved["page"].read_text().startswith("# Findings")
    root = ET.parse(saved["svg"]).getroot()
    picture = Image.open(saved["png"])
    assert picture.size == (2 * int(root.attrib["width"]), 2 * int(root.attrib["height"]))
    assert len(picture.convert("RGB").getcolors(2**20)) > 20


def test_stop_keeps_what_there_is_and_another_study_begins(visit):
    page = opened(visit)
    page.click("#findings")
    page.wait_for_selector("#found [data-figure=moving] svg")
    page.click("#stop-findings")
    page.wait_for_selector("#found [data-phase=stopped]")
    page.wait_for_selector("#findings:not([disabled])")
    assert "stays" in page.inner_text("#found .inv-message") and page.locator(SVGS).count() >= 5
    assert page.locator("#found button[name=csv]").is_visible()
    few(page)
    page.click("#findings")
    done(page)


def test_a_truth_brings_its_tasks_and_nonsense_is_refused_before_it_begins(visit):
    page = opened(visit)
    page.click("#finding-truth input")
    page.get_by_role("option", name="Gaussian field").click()
    page.wait_for_function("() => document.querySelector('#finding-task input').value === 'A box is missing'")
    page.fill("#finding-step-sizes input, #finding-step-sizes textarea", "zero")
    page.wait_for_selector("#findings[disabled]")
    assert "between commas" in page.inner_text("#findings-promise")


SCREENS = list(product(["light", "dark"], [1440, 820, 390]))


@pytest.mark.parametrize(
    ("theme", "width"),
    [SCREENS[0], *(pytest.param(*each, marks=pytest.mark.thorough) for each in SCREENS[1:-1]), SCREENS[-1]],
)
def test_it_fits_and_everybody_can_use_it(visit, width, theme):
    page = opened(visit, width=width, query=f"?__theme={theme}")
    few(page)
    page.click("#findings")
    done(page)
    assert page.evaluate(SIDEWAYS) == 0
    for svg in page.locator("#found .inv-finding:not([hidden]):not(.inv-wide) svg").all():
        assert svg.bounding_box()["width"] > 300
    assert not faults(page, f"{width}, {theme}")
