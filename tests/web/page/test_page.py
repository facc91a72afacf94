"""The page: what is shown of all that is chosen, what can be started, and what a person reads."""

import re
from pathlib import Path

import pages
import pytest
from pages import sent, sweep_of

import inverse.web
from inverse.errors import ParameterError
from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED
from inverse.solvers import SOLVERS
from inverse.web.page import form

WEB = Path(inverse.web.__file__).parent


def test_the_web_code_names_no_task_and_no_solver():
    quoted = re.compile(r"""["']([a-z0-9-]+)["']""")
    for file in [*WEB.rglob("*.py"), *WEB.rglob("*.js")]:
        named = set(quoted.findall(file.read_text(encoding="utf-8"))) & {*TASKS, *SOLVERS}
        assert not named, file.name


def test_no_handler_is_a_public_endpoint(page):
    assert page.blocks.get_api_info()["named_endpoints"] == {}, "those of api.py are added by `inverse.web.build`"


def test_a_button_can_be_pressed_while_nothing_is_wrong_and_nothing_under_way(page):
    values = sent(page)
    starts = values[page.starts]
    for button, promise in ((page.run, page.why), *((tab.start, tab.promise) for tab in page.tabs)):
        wrong = pages.preview(page, {**values, page.settings["sigma_y"]: 7})
        assert wrong[button]["interactive"] is False and "Noise must be a number from 0 to 1" in wrong[promise]
        assert starts.end(button)["interactive"] is False, "the end of a run does not make it right"
        mended = pages.preview(page, values)
        assert mended[button]["interactive"] is True and "must be" not in mended[promise]
        assert starts.begin(button)["interactive"] is False
        assert pages.preview(page, values)[button]["interactive"] is False, "what is under way is not begun again"
        assert starts.end(button)["interactive"] is True


@pytest.mark.parametrize(
    ("changes", "blocked"),
    [
        ({"task": "inpaint-mask"}, {"run", "sweep", "compare"}), ({"x_values": "no"}, {"sweep"}),
        ({"contenders": []}, {"compare"}),
    ],
)  # fmt: skip
def test_only_what_cannot_be_run_is_blocked(page, changes, blocked):
    found = pages.preview(page, sent(page, **changes))
    starts = [page.run, *(tab.start for tab in page.tabs)]
    assert {button.elem_id for button in starts if not found[button]["interactive"]} == blocked


def test_refusals_call_a_parameter_what_the_page_calls_it(page):
    solver = page.solvers.groups[page.solver.value].controls["gradient_steps"]
    values = sent(page)
    with pytest.raises(ParameterError, match=r"^Gradient steps must be a whole number .* Choose a value"):
        form.settings(page, {**values, solver: -1})
    tab = sweep_of(page)
    promise = tab.plan(page, {**values, tab.x_values: "-1"}, form.job(page, values))[tab.promise]
    assert ">Noise levels must be" in promise


def test_a_broken_number_does_not_call_a_damaged_photo_the_original(page):
    values = sent(page, sigma_y=-1)
    for mode in (CLEAN, DEGRADED):
        shown = pages.preview(page, {**values, page.mode: mode})[page.problem]
        assert shown["fault"] and "Noise must be" in shown["caption"] and "sigma_y" not in shown["caption"]
        assert (shown["truth"] is None) == (mode == DEGRADED) and (shown["measured"] is None) == (mode == CLEAN)
