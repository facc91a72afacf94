"""Presets fit the registries, and every pair that the app offers can be made."""

import math
from pathlib import Path

import pytest

from inverse.errors import ParameterError
from inverse.operators import TASKS
from inverse.presets import (
    CLOSE,
    DEFAULT_SOLVER,
    DEFAULT_TASK,
    PRESETS,
    possible,
    preset,
    solvers_for,
    to_markdown,
)
from inverse.solvers import SOLVERS


@pytest.mark.parametrize("task", TASKS)
def test_every_pair_has_valid_settings(task):
    offered = solvers_for(task)
    assert offered
    for solver in offered:
        assert isinstance(preset(task, solver), SOLVERS[solver])


def test_the_table_names_only_what_exists():
    for solver, tasks in PRESETS.items():
        for task, row in tasks.items():
            assert TASKS[task] and set(row.settings) <= set(SOLVERS[solver].specs())


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_possible_pair_was_measured_and_no_other(solver):
    rows = PRESETS[solver]
    assert set(rows) == {task for task in TASKS if possible(task, solver)}
    for task, row in rows.items():
        assert math.isfinite(row.psnr) and row.psnr >= row.defaults, task


def test_a_row_says_only_what_differs():
    for solver, tasks in PRESETS.items():
        defaults = SOLVERS[solver].defaults()
        for row in tasks.values():
            assert all(defaults[name] != value for name, value in row.settings.items())


def test_the_documentation_shows_the_table():
    text = (Path(__file__).parents[1] / "docs" / "presets.md").read_text(encoding="utf-8")
    assert to_markdown(PRESETS) in text


@pytest.mark.parametrize("task", TASKS)
def test_solvers_that_came_close_to_the_best_are_offered_first(task):
    reached = [PRESETS[solver][task].psnr for solver in solvers_for(task)]
    close = [psnr >= max(reached) - CLOSE for psnr in reached]
    assert close == sorted(close, reverse=True) and close[0]
    assert sorted(solvers_for(task)) == sorted(solvers_for(task, {})), "none is left out without a table"


def test_overrides_win_and_mistakes_are_named():
    assert preset(DEFAULT_TASK, DEFAULT_SOLVER, {"steps": 7}).steps == 7
    for task, solver, values in [
        ("no", DEFAULT_SOLVER, {}),
        (DEFAULT_TASK, "no", {}),
        (DEFAULT_TASK, DEFAULT_SOLVER, {"no": 1}),
        (DEFAULT_TASK, DEFAULT_SOLVER, {"steps": 0}),
    ]:
        with pytest.raises(ParameterError):
            preset(task, solver, values)


def test_linear_solvers_are_offered_for_linear_tasks_only():
    for task, kind in TASKS.items():
        for solver in solvers_for(task):
            assert kind.linear or not SOLVERS[solver].linear_only
    with pytest.raises(ParameterError):
        solvers_for("no")
