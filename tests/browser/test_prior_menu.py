"""The menu of priors in a browser: chosen, refused, run, compared, swept, and named by the picture that is saved."""

import io
import re

import pytest
from PIL import Image
from test_app import SIDEWAYS, choose, phase, ready, set_number
from test_player import bottom

from inverse.denoisers.cards import PRIORS
from inverse.denoisers.identity import identity_of
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS

pytestmark = pytest.mark.browser

COUNTED = """() => {
  window.phases = 0;
  new MutationObserver((changes) => { window.phases += changes.length; })
    .observe(document.querySelector("#viewer"), {subtree: true, attributeFilter: ["data-phase"]});
}"""
"""Counts the viewer's phases from now on."""
WORDS = "t => document.querySelector('#prior-note').textContent.includes(t)"


def pick(page, title):
    """A prior, and all that follows from it."""
    page.click("#prior input")
    page.locator("#prior [role=option]", has_text=title).click()
    page.wait_for_function("t => document.querySelector('#prior input').value === t", arg=title)


def quick(page, steps=2):
    choose(page, "#task", "Denoising")
    choose(page, "#solver", SOLVERS["ddnm"].title)
    page.wait_for_selector("#solver-ddnm-steps input[type=number]")
    set_number(page, "#solver-ddnm-steps", steps)


def saved(page):
    with page.expect_download() as download:
        page.click("#viewer .inv-save")
    return download.value.path().read_bytes()


def test_a_prior_is_chosen_run_and_named_by_the_picture(visit, own_priors, tmp_path):
    page = visit()
    quick(page)
    pick(page, "faces")
    page.wait_for_function(WORDS, arg="Not tuned for this prior: sweep it.")
    assert page.get_by_label("16", exact=True).is_checked() and page.locator("#estimator_scale").is_hidden()
    for where in ("#rail", "#viewer", "#reset", "#problem"):
        assert bottom(page, where) <= 900, where
    page.click("#run")
    phase(page, "done")
    ready(page)
    content = saved(page)
    data = read(content)
    assert data["prior"] == identity_of(own_priors[0]) and str(own_priors[0].parent) not in str(data)
    first = Image.open(io.BytesIO(content)).tobytes()

    pick(page, "Embedded")
    page.wait_for_selector("#estimator_scale")
    page.wait_for_function("() => !document.querySelector('#prior-note').textContent.includes('16 × 16')")
    assert page.get_by_label("256", exact=True).is_checked()
    (tmp_path / "saved.png").write_bytes(content)
    page.set_input_files("#share input[type=file]", tmp_path / "saved.png")
    page.wait_for_function("() => document.querySelector('#prior input').value === 'faces'")
    page.wait_for_function(WORDS, arg="16 × 16")
    page.wait_for_timeout(500)
    page.evaluate(COUNTED)
    page.click("#run")
    page.wait_for_function("() => window.phases > 1")  # begun and ended, which may be too quick to be seen
    phase(page, "done")
    ready(page)
    assert Image.open(io.BytesIO(saved(page))).tobytes() == first
    assert page.locator("#history").get_by_text(re.compile("faces")).count()


def test_one_that_does_not_fit_is_grey_says_why_and_cannot_be_chosen(visit):
    page = visit()
    page.click("#prior input")
    card = PRIORS["ddpm-cat-256"]
    option = page.locator("#prior [role=option]", has_text=card.title)
    assert option.get_attribute("aria-disabled") == "true" and card.command in option.inner_text()
    option.click(force=True)
    assert page.locator("#prior [role=listbox]").is_visible() and page.input_value("#prior input") == "Embedded"
    page.keyboard.type(card.title[:4])
    page.keyboard.press("Enter")
    assert page.locator("#prior [role=listbox]").is_visible() and page.input_value("#prior input") == "Embedded"
    page.keyboard.press("Escape")
    assert page.locator("#prior [role=listbox]").is_hidden()


def test_two_priors_are_compared_and_a_row_is_adopted(visit):
    page = visit()
    page.get_by_label("128", exact=True).check()
    quick(page)
    page.get_by_role("tab", name="Compare").click()
    for name in page.locator("#contenders label").all():
        box = name.locator("input")
        if box.is_checked() != (name.inner_text().strip() == SOLVERS["ddnm"].title):
            box.click()
    page.locator("#contending-priors").get_by_label("faces").check()
    page.wait_for_selector("#compare-promise:has-text('2 runs')")
    page.click("#compare")
    page.wait_for_selector("#rows [data-phase=done]")
    rows = page.locator("#rows tbody tr th b").all_inner_texts()
    assert rows == [f"{SOLVERS['ddnm'].title}, embedded", f"{SOLVERS['ddnm'].title}, faces"]
    page.locator("#rows tbody tr").nth(1).locator("button").first.click()
    page.wait_for_function("() => document.querySelector('#prior input').value === 'faces'")
    assert page.get_by_role("tab", name="Restore").get_attribute("aria-selected") == "true"


@pytest.mark.thorough
def test_priors_are_swept_by_name(visit):
    page = visit()
    page.get_by_label("128", exact=True).check()
    quick(page)
    page.get_by_role("tab", name="Sweep").click()
    page.click("#x-name input")
    page.get_by_role("option", name="Prior", exact=True).click()
    page.wait_for_function(
        "() => document.querySelector('#x-values textarea, #x-values input').value.startsWith('emb')"
    )
    assert page.get_by_label("Values").first.input_value() == "embedded,faces,mine.safetensors"
    page.wait_for_selector("#promise:has-text('3 runs')")
    page.click("#sweep")
    page.wait_for_selector("#grid [data-phase=done]")
    assert "mine.safetensors" in page.inner_text("#grid")


@pytest.mark.parametrize("size", [(1440, 900), (900, 900), (390, 844), (320, 700)])
def test_the_menu_opens_within_the_window_at_every_size(visit, size):
    page = visit(*size)
    pick(page, "faces")
    page.wait_for_function(WORDS, arg="Not tuned")
    assert page.evaluate(SIDEWAYS) <= 0
    page.click("#prior input")
    field, menu = (page.locator(f"#prior {each}").bounding_box() for each in ("input", "[role=listbox]"))
    assert menu["y"] >= field["y"] + field["height"] and menu["x"] >= 0 and menu["x"] + menu["width"] <= size[0]
    assert page.evaluate(SIDEWAYS) <= 0
