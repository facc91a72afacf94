"""Everybody can use it: axe-core's findings on every tab, light and dark; keyboard; reduced motion."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_app import choose, phase, ready, set_number, small

from inverse.operators import TASKS

pytestmark = pytest.mark.browser


def findings(page, where):
    """What axe-core calls serious or critical, each with the elements that it is about."""
    page.wait_for_timeout(400)  # a button that can be pressed again fades in, and half way it lacks contrast
    violations = Axe().run(page).response["violations"]
    return [
        f"{where}: {each['id']} ({each['impact']}): {[node['html'][:160] for node in each['nodes'][:4]]}"
        for each in violations
        if each["impact"] in ("critical", "serious")
    ]


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_axe_finds_nothing_serious_in_the_simple_view(visit, theme):
    page = visit(query=f"?__theme={theme}", view="simple")
    page.wait_for_selector("#faults [aria-pressed=true]")
    ready(page)
    found = findings(page, "at the start")
    page.click("#run")
    phase(page, "done")
    ready(page)
    page.wait_for_selector("#verdict li")
    page.click(".inv-result")
    found += findings(page, "with a result and its verdict")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", [pytest.param("light", marks=pytest.mark.thorough), "dark"])
def test_axe_finds_nothing_serious_on_any_tab(visit, theme):
    page = visit(query=f"?__theme={theme}")
    small(page)
    found = findings(page, "at the start")
    page.click("#prior input")
    found += findings(page, "with the menu of priors open")
    page.keyboard.press("Escape")
    page.click("#task input")
    found += findings(page, "with a menu open")
    page.keyboard.press("Escape")
    page.click("#card-method .inv-how")
    found += findings(page, "with how a method works")
    page.keyboard.press("Escape")
    choose(page, "#task", TASKS["inpaint-mask"].title)
    page.wait_for_selector("#mask canvas")
    page.select_option("#mask select", "box")
    page.wait_for_selector(".inv-note:not(.inv-fault)")
    page.locator("#solver-cse-vml-map-steps .inv-ask").click()
    set_number(page, "#samples", 2)
    page.click("#run")
    phase(page, "done")
    ready(page)
    found += findings(page, "with samples and a mask")
    page.locator(".inv-strip input[value=spread]").check(force=True)
    found += findings(page, "with the spread")
    for name in ("Sweep", "Compare"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_timeout(300)
        page.click("#sweep" if name == "Sweep" else "#compare")
        page.wait_for_selector("#grid [data-phase=running]" if name == "Sweep" else "#rows [data-phase=running]")
        page.keyboard.press("Escape")
        page.wait_for_selector("#sweep:not([disabled])" if name == "Sweep" else "#compare:not([disabled])")
        found += findings(page, name)
    assert not found, "\n".join(found)
