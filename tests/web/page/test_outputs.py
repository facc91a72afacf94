"""What a choice changes is among what its event may change: Gradio refuses anything else, in a browser only."""

import pages
import pytest

from inverse.operators import TASKS
from inverse.solvers import SOLVERS


@pytest.fixture(scope="module")
def page():
    return pages.built()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("task", list(TASKS)),
        ("solver", list(SOLVERS)),
        ("mode", ["clean", "degraded"]),
    ],
)
def test_a_choice_changes_what_its_event_may_change(page, name, values):
    component = pages.part(page, name)
    function, outputs = pages.behind(page, component, "input"), pages.outputs(page, component, "input")
    for value in values:
        task = next((task for task, kind in TASKS.items() if kind.linear), "") if name == "solver" else None
        changes = {name: value, **({"task": task} if task else {})}
        changed = function(pages.sent(page, **changes))
        assert changed and set(changed) <= set(outputs), (name, value, set(changed) - set(outputs))
