"""Presets fit the registries, and every pair that the app offers can be made."""

import math
from pathlib import Path

import pytest

from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import DDPM, EMBEDDED, LATENT
from inverse.errors import ParameterError
from inverse.evaluation.preset_tables import to_toml
from inverse.evaluation.presets_page import page
from inverse.operators import TASKS
from inverse.restoration import degrade, stream
from inverse.solvers import SOLVERS, presets
from inverse.solvers.advice import BASELINES, VIEWS, advice, lead
from inverse.solvers.defaults import GENERAL, SOLVER_OF, default_solver
from inverse.solvers.presets import (
    CLOSE,
    DEFAULT_TASK,
    PRESETS,
    Preset,
    possible,
    preset,
    solvers_for,
)


@pytest.mark.parametrize("task", TASKS)
def test_every_pair_has_valid_settings(task):
    offered = solvers_for(task)
    assert offered
    for solver in offered:
        assert isinstance(preset(task, solver), SOLVERS[solver])


@pytest.mark.parametrize("task", TASKS)
def test_for_latents_no_solver_is_offered_that_needs_the_operator_itself(task):
    offered = solvers_for(task, LATENT)
    assert offered == [name for name in SOLVERS if name in offered] and set(offered) <= set(solvers_for(task))
    assert not {"ddrm", "ddnm", "pigdm"} & set(offered) and GENERAL in offered


def test_the_table_names_only_what_exists():
    for solver, tasks in PRESETS.items():
        for task, row in tasks.items():
            assert TASKS[task] and set(row.settings) <= set(SOLVERS[solver].specs())


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_possible_pair_was_measured_and_no_other(solver):
    rows = PRESETS[solver]
    assert set(rows) == {task for task in TASKS if possible(task, solver)}
    for task, row in rows.items():
        assert math.isfinite(row.psnr), task
        # Where whole photos decided as well, the defaults may be the better ones on the crops.
        assert row.whole is not None or row.psnr >= row.defaults, task


def test_a_row_says_only_what_differs():
    for solver, tasks in PRESETS.items():
        defaults = SOLVERS[solver].defaults()
        for row in tasks.values():
            assert all(defaults[name] != value for name, value in row.settings.items())


def test_the_documentation_is_made_of_the_tables():
    file = Path(__file__).parents[2] / "docs" / "presets.md"
    assert file.read_text(encoding="utf-8") == page(), "python -m inverse.evaluation.presets_page docs/presets.md"


def test_every_task_has_a_default_solver_that_can_do_it_and_a_reason():
    assert list(SOLVER_OF) == list(TASKS)
    for task, default in SOLVER_OF.items():
        assert possible(task, default.solver) and default.reason.endswith(".")
        assert default_solver(task) == default.solver
    assert default_solver("a task of somebody else") == GENERAL and not SOLVERS[GENERAL].linear_only


@pytest.mark.parametrize("task", TASKS)
def test_classical_methods_were_measured_on_every_task(task):
    assert BASELINES[task]
    for figures in BASELINES[task].values():
        assert set(figures) == set(VIEWS) and all(0 < value < 60 for value in figures.values())


def test_advice_is_given_where_the_preset_loses_and_only_there():
    said = {True: 0, False: 0}
    for solver, tasks in PRESETS.items():
        for task, row in tasks.items():
            views = [view for view in VIEWS if getattr(row, view) is not None]
            own = sum(getattr(row, view) for view in views) / len(views)
            best = max(sum(figures[view] for view in views) / len(views) for figures in BASELINES[task].values())
            loses = best - own >= 0.05
            said[loses] += 1
            words = advice(task, solver)
            assert bool(words) is loses
            assert not loses or (f"{best - own:.1f} dB" in words and lead(task, solver)[0] in words)
            assert not loses or SOLVERS[solver].title in words
    assert all(said.values())


def test_advice_compares_only_what_was_measured_for_both():
    table = {"ddrm": {"denoise": Preset(psnr=30.0)}}
    methods = {"denoise": {"Method": {"psnr": 29.0, "whole": 90.0}}}
    assert lead("denoise", "ddrm", table, methods) is None
    table["ddrm"]["denoise"] = Preset(psnr=30.0, whole=20.0)
    assert lead("denoise", "ddrm", table, methods) == ("Method", 34.5)
    assert lead("denoise", "ddrm", table, {}) is lead("denoise", "dps", table, methods) is None


@pytest.mark.parametrize("task", TASKS)
def test_solvers_that_came_close_to_the_best_are_offered_first(task):
    reached = [PRESETS[solver][task].psnr for solver in solvers_for(task)]
    close = [psnr >= max(reached) - CLOSE for psnr in reached]
    assert close == sorted(close, reverse=True) and close[0]
    assert sorted(solvers_for(task)) == sorted(solvers_for(task, DDPM)), "none is left out without a table"


def test_overrides_win_and_mistakes_are_named():
    assert preset(DEFAULT_TASK, GENERAL, {"steps": 7}).steps == 7
    for task, solver, values in [
        ("no", GENERAL, {}),
        (DEFAULT_TASK, "no", {}),
        (DEFAULT_TASK, GENERAL, {"no": 1}),
        (DEFAULT_TASK, GENERAL, {"steps": 0}),
    ]:
        with pytest.raises(ParameterError):
            preset(task, solver, values)


def test_presets_belong_to_a_kind_of_prior(tmp_path, monkeypatch):
    task, solver = "inpaint-box", SOLVERS[GENERAL]
    assert preset(task, GENERAL) == preset(task, GENERAL, kind=EMBEDDED) != solver()
    for kind in (DDPM, ""):
        assert preset(task, GENERAL, {"steps": 7}, kind=kind) == solver(steps=7)
        assert advice(task, GENERAL, kind=kind) == presets.remark(kind) and "own defaults" in presets.remark(kind)
    assert presets.remark(EMBEDDED) == ""
    monkeypatch.setattr(presets, "FILE", tmp_path / "presets.toml")
    presets.table_of.cache_clear()
    presets.file_of(DDPM).write_text(to_toml({GENERAL: {task: Preset({"guidance_scale": 3.0}, 20.0)}}))
    try:
        assert preset(task, GENERAL, kind=DDPM) == solver(guidance_scale=3.0) and presets.remark(DDPM) == ""
        assert preset("hdr", GENERAL, kind=DDPM) == solver()
    finally:
        presets.table_of.cache_clear()


@pytest.mark.parametrize("kind", [EMBEDDED, ""])
def test_a_solver_by_name_is_at_the_preset_of_the_prior_at_hand(photo, kind):
    class Mean(Denoiser):
        sigma_min, sigma_max, data_std = 0.01, 100.0, 0.5

        def denoise(self, x, sigma):
            return x / (1 + sigma.square()[:, None, None, None])

    prior, problem = Mean(), degrade(photo, "inpaint-box", size=16)
    prior.kind = kind
    solver = preset("inpaint-box", GENERAL) if kind else SOLVERS[GENERAL]()
    first, expected = (next(stream(problem, asked, prior)) for asked in (GENERAL, solver))
    assert first.sigma == expected.sigma and (first.x0_hat == expected.x0_hat).all()


def test_linear_solvers_are_offered_for_linear_tasks_only():
    for task, kind in TASKS.items():
        for solver in solvers_for(task):
            assert kind.linear or not SOLVERS[solver].linear_only
    with pytest.raises(ParameterError):
        solvers_for("no")
