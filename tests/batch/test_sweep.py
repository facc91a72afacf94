"""Sweeps: the text of an axis, the cells it makes, what runs give back, and the grid on paper."""

import contextlib
import csv
import io
import math
import time
from dataclasses import replace

import pytest
import torch
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inverse.__main__ import main
from inverse.batch import grid
from inverse.batch.runs import run_all
from inverse.batch.sweep import MAX_TEXT, RANGE, Sweep, axis, suggestion, sweepable, value_of, values, with_value
from inverse.denoisers.catalog import load_prior
from inverse.errors import ParameterError
from inverse.operators import TASKS
from inverse.parameters import Choice, Flag, Integer, Real, Text
from inverse.restoration import restore
from inverse.results.record import best
from inverse.settings import Settings
from inverse.settings.carriers import read
from inverse.solvers import SOLVERS
from inverse.solvers.cost import at_cost, misses, passes
from inverse.solvers.presets import solvers_for

REAL = Real(help="", low=0.0, high=10.0)
WHOLE = Integer(help="", low=1, high=100)
QUICK = Settings.create(task="denoise", solver="diffpir", solver_parameters={"steps": 10}, sigma_y=0.1, size=32, seed=1)


# Axes


@pytest.mark.parametrize(
    ("spec", "text", "meant"),
    [
        (REAL, "1,2,3", (1, 2, 3)), (REAL, " 1 , 2.5 ", (1, 2.5)), (REAL, "3", (3,)), (REAL, "1,1,1", (1,)),
        (REAL, "0.1:10:log 3", (0.1, 1, 10)), (REAL, ".1:10:log3", (0.1, 1, 10)),
        (REAL, "0:10:5", (0, 2.5, 5, 7.5, 10)),
        (REAL, " 0 : 10 : 5 ", (0, 2.5, 5, 7.5, 10)), (REAL, "\t0.1 :10: log  3\n", (0.1, 1, 10)),
        (REAL, "4:1:4", (4, 3, 2, 1)), (REAL, "1e-1:1:2", (0.1, 1)), (WHOLE, "1:100:log 3", (1, 10, 100)),
        (WHOLE, "1:3:9", (1, 2, 3)), (Choice(help="", options=("a", "b")), "b,a", ("b", "a")),
        (Flag(help=""), "false,true", (False, True)),
    ],
)  # fmt: skip
def test_what_a_text_means(spec, text, meant):
    found = values("it", spec, text)
    assert found == (pytest.approx(meant) if isinstance(spec, Real) else meant)


@pytest.mark.parametrize(
    "text",
    ["", ",", "1,,2", "1;2", "a", "1:2", "1:2:3:4", "1:2:1", "1:2:65", "1:2:9999999999999",
     "0:1:log 3", "-1:1:3", "1,99",
     "nan", "1:nan:3", "inf", ",".join("1" * 80), "1:2:x", " :2:3", "1: :3", "1:2:log", "1:2:loglog 3", "1" * 1001],
)  # fmt: skip
def test_what_is_not_understood_ends_in_a_sentence(text):
    with pytest.raises(ParameterError, match=r"it.*\.$"):
        values("it", REAL, text)


HOSTILE = (
    "{0}a:b:{0}x",
    "a:b:{0}x",
    "a{0}:b{0}:log{0}x",
    "a:b:{0}log{0}",
    "{0}",
    "{0}:{0}:{0}",
    "a:b:{1}x",
    "{1}:{1}:{1}",
)
"""With spaces, and digits, of which there may be many."""


@pytest.mark.parametrize("form", HOSTILE)
def test_no_text_makes_its_reading_slow(form):
    """The server stands still meanwhile. What went back and forth over 400 spaces took seconds."""

    def filled(length):
        pieces = form.count("{")
        return form.format(" " * (length // pieces), "1" * (length // pieces))

    with contextlib.suppress(ParameterError):
        values("it", REAL, filled(MAX_TEXT - 10))
    with pytest.raises(ParameterError):
        values("it", REAL, "x" + filled(10_000_000) + "x")
    # 16 times the text takes 16 times as long; going back and forth over it takes 256 times, or for ever.
    assert seconds_to_match(filled(32_000)) < 64 * seconds_to_match(filled(2000))


def seconds_to_match(text):
    """Of the processor, the least of five."""
    taken = []
    for _ in range(5):
        begun = time.process_time()
        RANGE.fullmatch(text)
        taken.append(time.process_time() - begun)
    return min(taken)


def test_words_have_no_range():
    with pytest.raises(ParameterError, match="no range"):
        values("it", Choice(help="", options=("a", "b")), "a:b:3")


@given(st.floats(0, 10), st.floats(0, 10), st.integers(2, 64))
def test_a_range_stays_within_its_ends_and_in_order(low, high, n):
    found = values("it", REAL, f"{low}:{high}:{n}")
    assert found[0] == low and found[-1] == high and 1 <= len(found) <= n
    assert list(found) == sorted(found, reverse=low > high)


def test_every_parameter_of_every_task_and_solver_can_be_swept_as_suggested():
    for task in TASKS:
        for solver in solvers_for(task):
            settings = Settings.create(task=task, solver=solver)
            for name, spec in sweepable(settings).items():
                made = axis(settings, name, suggestion(spec, value_of(settings, name)))
                for value in made.values:
                    assert value_of(with_value(settings, name, value), name) == value
                if not isinstance(spec, Text):  # which other priors there are, an app knows
                    assert len(made.values) >= 2 or spec.low == spec.high, (task, solver, name)


def test_the_cells_are_the_settings_with_both_values():
    sweep = Sweep(QUICK, (axis(QUICK, "steps", "10,20,30"), axis(QUICK, "seed", "1,2")))
    assert (sweep.columns, sweep.rows) == (3, 2)
    assert [(run.solver.steps, run.seed) for run in sweep.runs] == [(s, seed) for seed in (1, 2) for s in (10, 20, 30)]
    assert {replace(run, seed=1, solver=QUICK.solver) for run in sweep.runs} == {QUICK}


def test_an_axis_is_used_once_and_must_exist():
    with pytest.raises(ParameterError, match="one axis or two"):
        Sweep(QUICK, (axis(QUICK, "steps", "10"), axis(QUICK, "steps", "20")))
    with pytest.raises(ParameterError, match=r"cannot be swept.*steps"):
        axis(QUICK, "flux", "1")


# Runs


def test_a_cell_is_the_run_of_its_settings(photo):
    sweep = Sweep(QUICK, (axis(QUICK, "steps", "10,12"), axis(QUICK, "sigma_y", "0.1,0.2")))
    done = {p.index: p.record for p in run_all(sweep.runs, photo) if p.record}
    assert len(done) == 4
    for index, record in done.items():
        run = sweep.runs[index]
        alone = restore(photo, run.task, run.solver, sigma_y=run.sigma_y, size=run.size, seed=run.seed)
        assert record.image.tobytes() == alone.image.tobytes()
        assert (record.quality["psnr"], record.quality["ssim"]) == (alone.psnr[0], alone.ssim[0])
        assert record.nfe == alone.step.nfe
        assert record.quality["residual"] == pytest.approx(float(alone.step.residual[0]) / run.sigma_y)


def test_a_cell_that_fails_says_why_and_the_next_one_goes_on(photo):
    wild = replace(QUICK, solver=SOLVERS["vml-map-published"](steps=5))
    object.__setattr__(wild.solver, "step_size", 1e9)  # beyond its range
    impossible = replace(QUICK, task=TASKS["inpaint-mask"]())
    done = {p.index: p.record for p in run_all([wild, impossible, QUICK], photo) if p.record}
    assert "diverged" in done[0].failure and "step_size" in done[0].failure
    assert "mask" in done[1].failure and done[1].image is None
    assert done[2].failure == "" and done[2].nfe == 10 and best(done, "psnr") == 2


def test_cells_in_one_batch_are_what_they_are_one_by_one(photo):
    sweep = Sweep(QUICK, (axis(QUICK, "steps", "10,12"), axis(QUICK, "seed", "1,2")))
    one, all_ = (
        {p.index: (p.step.x0_hat, p.record) for p in run_all(sweep.runs, photo, denoiser=prior, pixels=n) if p.record}
        for prior in [load_prior("embedded", "cpu", "float32")]
        for n in (1, 10**6)
    )
    assert list(one) == [0, 1, 2, 3] and sorted(all_) == [0, 1, 2, 3]
    for index in one:
        torch.testing.assert_close(one[index][0], all_[index][0], rtol=0, atol=1e-5)
        assert one[index][1].nfe == all_[index][1].nfe


def test_closing_stops_between_steps(photo):
    stream = run_all([QUICK] * 3, photo)
    assert next(stream).step.index == 1
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


def test_the_best_residual_is_the_one_nearest_to_the_noise(photo):
    done = next(p.record for p in run_all([QUICK], photo) if p.record)

    def winner(metric, *values):
        return best({key: replace(done, quality={metric: value}) for key, value in enumerate(values)}, metric)

    assert winner("residual", 0.2, 1.1, 3.0) == 1
    assert winner("psnr", None) is None
    assert winner("psnr", math.nan, 3.0) == 1


def test_equal_cost_is_as_equal_as_steps_allow():
    for kind in SOLVERS.values():
        solver = at_cost(kind(), 300)
        spec = kind.specs()["steps"]
        near = [solver.replace(steps=n) for n in (solver.steps - 1, solver.steps + 1) if spec.low <= n <= spec.high]
        assert all(abs(passes(solver) - 300) <= abs(passes(other) - 300) for other in near)


@pytest.mark.parametrize("budget", [5, 30, 300, 20_000])
def test_equal_cost_is_kept_within_a_step_or_said_not_to_be(budget):
    for kind in SOLVERS.values():
        solver = at_cost(kind(), budget)
        spec, words = kind.specs()["steps"], misses(solver, budget)
        other = solver.replace(steps=solver.steps + (1 if solver.steps < spec.high else -1))
        kept = abs(passes(solver) - budget) <= abs(passes(other) - passes(solver))
        assert kept != bool(words), kind.name
        if words:
            assert solver.steps in (spec.low, spec.high)
            assert f"{solver.steps} steps" in words and f"{passes(solver):.0f} network passes" in words
    assert any(misses(at_cost(kind(), 5), 5) for kind in SOLVERS.values())


def test_the_cost_of_a_run_is_what_its_solver_promised(photo):
    for name in ("vml-map", "dps"):
        asked = replace(QUICK, solver=SOLVERS[name]())
        asked = replace(asked, solver=asked.solver.replace(steps=10))
        (record,) = [p.record for p in run_all([asked], photo) if p.record]
        assert record.cost == pytest.approx(passes(asked.solver))
    assert record.vjp and record.cost > record.nfe


def test_whole_numbers_are_suggested_whole():
    steps = SOLVERS["dps"].specs()["steps"]
    assert suggestion(steps, 1000) == "500:1000:log 3"
    for value in range(steps.low, steps.high + 1):
        assert "e+" not in suggestion(steps, value)


# On paper


def test_the_grid_and_the_table_hold_every_finished_cell(photo):
    sweep = Sweep(QUICK, (axis(QUICK, "steps", "10,12"), axis(QUICK, "seed", "1,2")))
    done = {p.index: p.record for p in run_all(sweep.runs[:3], photo) if p.record}
    sheet = grid.picture(sweep, done, "psnr", side=40)
    width, height = sheet.size
    first = done[0].image.resize((40, 31), Image.Resampling.LANCZOS)
    assert any(sheet.crop((x, 44, x + 40, 75)).tobytes() == first.tobytes() for x in range(width - 40)), (
        "the first cell is in the sheet"
    )
    assert width > 80 and height > 60
    rows = list(csv.DictReader(io.StringIO(grid.table(sweep, done))))
    assert [(row["steps"], row["seed"]) for row in rows] == [("10", "1"), ("12", "1"), ("10", "2")]
    assert float(rows[0]["psnr"]) == pytest.approx(done[0].quality["psnr"], rel=1e-4)


@pytest.fixture
def run(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    flags = ["--task", "denoise", "--solver", "diffpir", "--size", "32"]
    return lambda *arguments: CliRunner().invoke(main, ["sweep", "photo.png", *arguments, *flags])


def test_the_command_writes_grid_and_figures(run, tmp_path):
    result = run(
        "-o", "grid.png", "--x", "steps=10:20:2", "--y", "seed=0,1", "--csv", "cells.csv", "--figure", "grid.svg"
    )
    assert result.exit_code == 0, result.output
    assert (tmp_path / "grid.svg").read_text().count("<image ") == 4
    assert Image.open("grid.png").width > 100 and "best" in result.output
    assert len((tmp_path / "cells.csv").read_text().splitlines()) == 5
    assert Settings.from_dict(read((tmp_path / "grid.png").read_bytes()))[0].solver.name == "diffpir"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--x", "steps=10", "--csv", "none/cells.csv"], "cells.csv cannot be written"),
        (["--x", "steps=10", "--figure", "cells.jpg"], "an SVG or a PNG"),
        (["--x", "steps=10", "--figure", "grid.png"], "two results"),
        (["--x", "steps"], "NAME=VALUES"), (["--x", "steps=1:2"], "gives no values"),
        (["--x", "flux=1"], "cannot be swept"),
        (["--x", "steps=0"], "steps must be"), (["--x", "steps=10", "--y", "steps=20"], "one axis or two"),
    ],
)  # fmt: skip
def test_mistakes_end_in_a_sentence(run, arguments, said):
    result = run("-o", "grid.png", *arguments)
    assert result.exit_code == 1 and said in result.output and "Traceback" not in result.output
