"""What a quality is, for every task and prior: possible, within its cost, and the same by every way to ask for it."""

import pytest
import torch
from click.testing import CliRunner
from toys import run, setup

from inverse.__main__ import main
from inverse.denoisers.catalog import load_prior
from inverse.errors import ParameterError
from inverse.estimators.estimator import COST
from inverse.estimators.exact import ExactEstimator
from inverse.operators import TASKS
from inverse.operators.chain import Chain
from inverse.restoration import restore
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.settings.listing import listing
from inverse.solvers import SOLVERS
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import fits, preset
from inverse.solvers.qualities import ANY, LEARNED, NATURAL, QUALITIES, STANDARD, TABLE, at_quality, offered, quality_of

CHAIN = Chain((TASKS["deblur-gaussian"](), TASKS["jpeg"]()))
LEARNABLE = [name for name, kind in TASKS.items() if kind().estimable]


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("task", [*TASKS, "chain"])
def test_every_quality_is_possible_with_every_task_and_prior(quality, task):
    damage = CHAIN if task == "chain" else TASKS[task]()
    for kind, estimator in (("embedded", True), ("embedded", False), ("ddpm", False), ("latent", False)):
        solver = at_quality(quality, damage, kind, estimator)
        assert fits(damage, solver.name, kind) and (estimator or not solver.needs_estimator)


@pytest.mark.parametrize("task", TASKS)
def test_standard_is_the_default(task):
    solver = preset(task, default_solver(task))
    assert at_quality(STANDARD, TASKS[task]()) == solver == Settings.create(task=task).solver
    assert Settings.create(task=task).quality == STANDARD


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("task", LEARNABLE)
def test_a_quality_costs_no_more_than_it_says_where_there_is_an_estimator(task, quality):
    """Calls of the network at full size; what surrounds an estimate that is told the measurement comes on top."""
    settings = Settings.create(task=task, quality=quality, size=256)
    told = settings.solver.told * settings.solver.cost[0] * settings.guides
    assert round(settings.passes - told * (COST - 1), 6) <= QUALITIES[quality].passes or (task, quality) in DEARER


DEARER = {("colorize", "standard")}
"""Colours need twenty levels: in ten they are paler, by 0.2 dB."""


def test_the_table_names_what_exists():
    assert set(TABLE) <= set(QUALITIES) - {STANDARD}
    for rows in TABLE.values():
        for task, row in rows.items():
            assert task in (*TASKS, LEARNED, ANY)
            SOLVERS[row.solver].create(row.settings)


@pytest.mark.parametrize("task", TASKS)
def test_only_qualities_that_differ_are_offered_and_each_is_told_by_its_solver(task):
    names = offered(TASKS[task]())
    solvers = [at_quality(name, TASKS[task]()) for name in names]
    assert STANDARD in names and len(set(solvers)) == len(solvers)
    assert [quality_of(solver, TASKS[task]()) for solver in solvers] == names
    assert quality_of(solvers[0].replace(sigma_min=0.123), TASKS[task]()) == ""


def test_the_command_line_settings_files_and_python_mean_the_same(tmp_path, photo):
    photo.resize((24, 24)).save(tmp_path / "photo.png")
    out = tmp_path / "out.png"
    for quality in ("draft", NATURAL):
        meant = Settings.create(task="super-resolution", quality=quality).solver
        flags = ["--task", "super-resolution", "--quality", quality]
        made = CliRunner().invoke(main, ["restore", str(tmp_path / "photo.png"), "-o", str(out), "-q", *flags])
        assert made.exit_code == 0, made.output
        assert Settings.from_dict(read(out.read_bytes()))[0].solver == meant
        assert Settings.from_dict({"task": "super-resolution", "quality": quality})[0].solver == meant
    made = restore(tmp_path / "photo.png", "super-resolution", quality="draft")
    assert made.step.nfe == 1
    told = {task["name"]: task["qualities"] for task in listing()["tasks"]}
    draft = at_quality("draft", TASKS["super-resolution"]())
    assert told["super-resolution"]["draft"] == {"name": "cse", "parameters": draft.to_dict()}


def test_a_flag_that_is_a_number_is_that_of_the_task(tmp_path, photo):
    photo.resize((24, 24)).save(tmp_path / "photo.png")
    asked = ["restore", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out.png"), "-q", "--task", "jpeg"]
    for words, quality, solver in (
        (["--quality", "50", "--steps", "2"], 50, None),
        (["--quality", "draft"], TASKS["jpeg"]().quality, at_quality("draft", TASKS["jpeg"]())),
    ):
        made = CliRunner().invoke(main, [*asked, *words])
        assert made.exit_code == 0, made.output
        found, _ = Settings.from_dict(read((tmp_path / "out.png").read_bytes()))
        assert found.task.quality == quality and solver in (None, found.solver)


def test_a_quality_and_a_solver_are_one_too_many(tmp_path, photo):
    for call in (
        lambda: Settings.create(solver="cse", quality="draft"),
        lambda: Settings.from_dict({"solver": {"name": "cse"}, "quality": "draft"}),
        lambda: Settings.from_dict({"task": "denoise", "quality": "finest"}),
    ):
        with pytest.raises(ParameterError, match=r"\.$"):
            call()
    photo.save(tmp_path / "photo.png")
    asked = ["restore", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out.png"), "--solver", "dps"]
    assert "Leave one of" in CliRunner().invoke(main, [*asked, "--quality", "best"]).output


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_first_estimate_is_in_the_result_and_costs_nothing(share):
    prior, operator, y = setup()
    solver = SOLVERS["cse-vml-map"](guidance_scale=5.0)
    first, *_, last = run(solver, ExactEstimator(prior), operator, y)
    *_, mixed = run(solver.replace(mean_share=share), ExactEstimator(prior), operator, y)
    torch.testing.assert_close(mixed.x0_hat, torch.lerp(last.x0_hat, first.x0_hat, share))
    assert mixed.nfe == last.nfe and not torch.allclose(first.x0_hat, last.x0_hat)


def test_what_settings_foretell_is_what_a_run_counts(photo):
    """With the pyramid and without, for solvers that ask equally often at every level."""
    for solver, pyramid in (("vml-map", True), ("vml-map", False), ("cse-vml-map", True)):
        settings = Settings.create(
            task="super-resolution", size=128, solver=solver, pyramid=pyramid, solver_parameters={"steps": 3}
        )
        problem = settings.problem(photo.resize((128, 128)))
        *_, last = problem.steps(settings.solver, settings.guided(load_prior("embedded", "cpu", "float32")))
        assert last.passes == pytest.approx(settings.passes)
        assert (last.passes < last.nfe) == (pyramid and solver == "vml-map")
