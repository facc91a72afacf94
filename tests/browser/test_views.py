"""Simple and Lab: what each shows, and that nothing is lost between them."""

import re

import pytest

from inverse.web.elements.damaged import examples

pytestmark = pytest.mark.browser

KEPT = "localStorage['inverse-settings']"
LABS = (
    "#prior",
    "#share",
    "#solver",
    "#seed",
    "#samples",
    "#curves",
    "#tabs > .tab-wrapper",
    "#task",
    "#sigma_y",
    "#mode",
)


def ticked(page):
    return page.locator("#faults [aria-pressed=true]").all_inner_texts()


def settled(page):
    page.wait_for_selector("#faults [aria-pressed=true]")
    page.wait_for_selector("#run:not([disabled])")


def shown(page, selectors):
    return [each for each in selectors if page.locator(each).first.is_visible()]


def test_nothing_is_lost_between_the_views(visit):
    page = visit(view=None)
    settled(page)
    page.get_by_role("radio", name="Draft").check()
    settled(page)
    page.get_by_role("radio", name="Lab").check()
    assert set(shown(page, LABS)) == set(LABS)
    assert ticked(page) == ["Scratched"]
    assert page.get_by_role("radio", name="Draft").is_checked()
    page.get_by_role("tab", name="Compare").click()
    page.get_by_role("radio", name="Simple").check()
    assert page.locator("#run").is_visible(), "what is not in Simple is left"
    assert page.get_by_role("radio", name="Draft").is_checked()
    page.get_by_role("radio", name="Lab").check()
    page.reload()
    settled(page)
    assert set(shown(page, LABS)) == set(LABS), "the view is remembered"
    assert ticked(page) == ["Scratched"] and page.get_by_role("radio", name="Draft").is_checked()
    assert "scratched" in page.inner_text("#photo b")


def test_a_link_says_which_view(visit, app):
    page = visit(view=None)
    settled(page)
    before = page.evaluate(KEPT)
    page.click("[data-example='damaged/grainy']")  # a link carries no mask
    page.wait_for_function(f"before => {KEPT} !== before", arg=before)
    settled(page)
    code = page.evaluate(KEPT)
    page.goto(f"{app[0]}/?c={code}")
    page.wait_for_selector("#run:not([disabled])")
    assert shown(page, ["#solver"]), "settings are of the Lab"
    page.goto(f"{app[0]}/?view=simple&c={code}")
    page.wait_for_selector("#run:not([disabled])")
    assert not shown(page, LABS)


def test_an_example_of_each_damage(visit):
    page = visit(view=None)
    settled(page)
    for kind, title in examples().items():
        page.click(f"[data-example='damaged/{kind}']")
        page.wait_for_selector(f"#faults [aria-pressed=true]:has-text('{title}')")
        settled(page)
        assert ticked(page) == [title]


def test_restore_is_at_hand_on_a_phone(visit):
    page = visit(width=390, height=844, view=None)
    settled(page)
    for at in (0, 400, 5000):
        page.evaluate("at => window.scrollTo(0, at)", at)
        box = page.locator("#run").bounding_box()
        assert box and box["y"] >= 0 and box["y"] + box["height"] <= 844
    assert re.match("Restore", page.inner_text("#run"))


def test_what_the_verdict_proposes_is_tried_by_a_click(visit):
    page = visit(view=None)
    settled(page)
    page.click("[data-example='damaged/missing']")
    page.wait_for_function("document.querySelector('#photo b').textContent.includes('missing')")
    settled(page)
    page.get_by_role("radio", name="Draft").check()
    settled(page)
    page.click("#run")
    page.wait_for_selector("#viewer [data-phase=done]")
    proposed = page.locator("#verdict button").first
    proposed.wait_for()
    words = proposed.inner_text()
    before = page.evaluate(KEPT)
    proposed.click()
    page.wait_for_selector("#stop:not([disabled])")  # it runs
    page.wait_for_function("document.querySelectorAll('.inv-result').length === 2")
    assert page.evaluate(KEPT) != before, words
    assert ticked(page) == ["Parts are missing"], "what is wrong with the photo stays said"
