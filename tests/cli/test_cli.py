"""The command line: results on disk, sentences for mistakes, and instant help."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from inverse.__main__ import COMMANDS, main
from inverse.cli.judge import table
from inverse.cli.places import save_picture
from inverse.evaluation.judge import JUDGE_TASKS, judge
from inverse.imaging import images, metrics
from inverse.imaging.files import WRITTEN
from inverse.operators import TASKS
from inverse.settings import Settings
from inverse.settings.carriers import png_text, read
from inverse.solvers import SOLVERS
from inverse.solvers.advice import advice
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import possible, preset

ROOT = Path(__file__).parents[2]
QUICK = ["--steps", "2", "--gradient-steps", "1", "--device", "cpu"]


@pytest.fixture
def run(tmp_path, photo, monkeypatch):
    """Runs a command in a folder that holds photo.png; returns its result."""
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")

    def invoke(*arguments):
        return CliRunner().invoke(main, [str(a) for a in arguments])

    return invoke


def test_help_imports_nothing_heavy():
    code = (
        "import sys, runpy; sys.argv = ['inverse', '--help']\n"
        "try: runpy.run_module('inverse', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'diffusers', 'gradio', 'numpy', 'skimage'} & set(sys.modules)))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Restore a photo." in output and output.strip().endswith("[]")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0 and "Usage" in result.output


def test_every_parameter_is_a_flag(run):
    text = run("restore", "--help").output
    for kind in [*TASKS.values(), *SOLVERS.values()]:
        for name in kind.specs():
            assert f"--{name.replace('_', '-')} " in text


def test_restore_writes_the_picture_the_frames_and_the_measurement(run, tmp_path):
    result = run("restore", "photo.png", "-o", "out.png", "--task", "inpaint-random", "--solver", "vml-map",
                 "--save-frames", "frames", "--save-measurement", "y.png", *QUICK)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert Image.open("out.png").size == (72, 56)
    frames = sorted((tmp_path / "frames").iterdir())
    assert len(frames) == 4
    assert np.array_equal(np.asarray(Image.open(frames[-1])), np.asarray(Image.open("out.png")))
    assert "PSNR" in result.output and "4 evaluations" in result.output


def test_same_seed_same_bytes(run, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run("restore", "photo.png", "-o", f"{name}.png", "--seed", seed, "-q", *QUICK)
    a, b, c = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert a == b != c


def test_degrade_then_restore_degraded(run):
    assert run("degrade", "photo.png", "-o", "small.png", "--task", "super-resolution", "--factor", "2").exit_code == 0
    assert Image.open("small.png").size == (36, 28)
    result = run("restore", "small.png", "-o", "big.png", "--task", "super-resolution", "--factor", "2",
                 "--degraded", *QUICK)  # fmt: skip
    assert result.exit_code == 0 and Image.open("big.png").size == (72, 56)
    assert "PSNR" not in result.output


def test_samples_are_numbered(run, tmp_path):
    assert run("restore", "photo.png", "-o", "out.png", "--samples", "2", *QUICK).exit_code == 0
    found = {path.stem.removeprefix("out-"): path.read_bytes() for path in tmp_path.glob("out*")}
    assert set(found) == {"1", "2", "mean", "spread"} and len(set(found.values())) == 4
    for name, content in found.items():
        told, notes = Settings.from_dict(read(content))
        assert told.samples == 2 and f"sample {name} of several" in notes[0]


def test_the_verdict_is_said_and_told(run):
    said = run("restore", "photo.png", "-o", "out.png", "--degraded", *QUICK)
    told = json.loads(run("restore", "photo.png", "-o", "out.png", "--degraded", "--json", *QUICK).stdout)["verdict"]
    text = " ".join(said.output.split())
    assert told and all(each["text"] in text for each in told)
    assert ("Try --" in text) == any(each["remedy"] for each in told)


def test_without_a_solver_the_task_has_its_own(run):
    for task in ("denoise", "colorize"):
        run("restore", "photo.png", "-o", "a.png", "--size", 16, "--task", task, "--steps", 2)
        assert Settings.from_dict(read(Path("a.png").read_bytes()))[0].solver.name == default_solver(task)
        assert f"Default solver: {default_solver(task)}" in run("tasks", task).output
    run("restore", "photo.png", "-o", "b.png", "--settings", "a.png", "--task", "denoise")
    kept = Settings.from_dict(read(Path("b.png").read_bytes()))[0].solver.name
    assert kept == default_solver("colorize"), "a file names its solver, which stays"


def test_where_a_classical_method_is_better_it_is_said(run):
    quick = "restore", "photo.png", "-o", "a.png", "--size", 16, "--steps", 2
    pairs = [(task, solver) for solver in ("ddrm", "diffpir") for task in TASKS if possible(task, solver)]
    for better in (True, False):
        task, solver = next((t, s) for t, s in pairs if bool(advice(t, s)) is better and not TASKS[t].auxiliary)
        for said in (run(*quick, "--task", task, "--solver", solver), run("tasks", task)):
            words = advice(task, solver) or f"{SOLVERS[solver].title} at its preset"
            assert (words in " ".join(said.output.split())) is better
        listed = " ".join(run("solvers", solver).output.split()).partition("By PSNR")[2].partition("`tasks NAME`")[0]
        assert (f" {task} (" in listed) is better


def test_listings_name_everything(run):
    for command, registry in (("tasks", TASKS), ("solvers", SOLVERS)):
        text = run(command).output
        assert all(name in text for name in registry)
    assert "step_size" in run("solvers", "vml-map").output


MISTAKES = [
    (["--missing", "2"], "missing must be a number from 0 to 0.99"),
    (["--missing", "nan"], "missing must be"),
    (["--step-size", "inf"], "step_size must be"),
    (["--steps", "2.5"], "steps must be a whole number"),
    (["--schedule", "cosine"], "schedule must be one of"),
    (["--std", "2"], "'std' is not a parameter of inpaint-random"),
    (["--coordinates", "vp"], "'coordinates' is not a parameter of cse-vml-map"),
    (["--sigma-y", "nan"], "sigma_y must be"),
    (["--seed", "-1"], "seed must be"),
    (["--size", "3"], "size must be"),
    (["--samples", "0"], "samples must be"),
    (["--task", "inpaint"], "'inpaint' is not a task"),
    (["--solver", "vml-mp"], "Did you mean 'vml-map'"),
    (["--prior", "nowhere"], "not a prior"),
    (["--device", "warp"], "not available"),
    (["--precision", "float8"], "precision must be"),
    (["--task", "inpaint-mask"], "needs a mask"),
    (["--mask", "photo.txt", "--task", "inpaint-mask"], "cannot be opened"),
    (["-o", "out.xyz"], "no picture format that is written here. Use one of .png"),
    (["-o", "nowhere/out.png"], "cannot be written"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=lambda value: " ".join(value)[:30])
def test_mistakes_end_in_a_sentence_before_any_work(run, arguments, said):
    result = run("restore", "photo.png", "-o", "out.png", *arguments)
    assert result.exit_code == 1, result.output
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and said in errors[0] and errors[0].endswith((".", "?"))
    assert "Traceback" not in result.output and "%" not in result.output


@pytest.mark.parametrize("data", [b"", b"text", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0" * 5])
@pytest.mark.parametrize("command", ["restore", "degrade"])
def test_files_that_are_no_pictures(run, tmp_path, data, command):
    (tmp_path / "bad.png").write_bytes(data)
    result = run(command, "bad.png", "-o", "out.png")
    assert result.exit_code == 1 and "Error: This " in result.output and not (tmp_path / "out.png").exists()


def test_divergence_names_the_step_and_the_knob(run, tmp_path):
    result = run("restore", "photo.png", "-o", "out.png", "--solver", "dps", "--step-size", "20", "--steps", "10",
                 "--coordinates", "vp", "--sigma-max", "80")  # fmt: skip
    if result.exit_code:  # some settings survive; then the result is finite by contract
        assert "Lower step_size" in result.output and "step" in result.output
        assert (tmp_path / "out.png").exists()  # the last good frame is kept


@pytest.mark.parametrize("name", ["out.jpg", "out.webp"])
def test_the_file_is_as_good_as_the_figure(run, name):
    result = run("restore", "photo.png", "-o", name, "--task", "denoise", "--sigma-y", "0.02", *QUICK)
    assert result.exit_code == 0, result.output
    run("restore", "photo.png", "-o", "out.png", "--task", "denoise", "--sigma-y", "0.02", *QUICK)
    exact, file = (np.asarray(Image.open(each).convert("RGB")).astype(float) for each in ("out.png", name))
    assert 10 * np.log10(255**2 / ((exact - file) ** 2).mean().clip(1e-9)) > 38


def test_a_degraded_photo_is_denoised_unless_a_task_is_named(run):
    assert "Denoising" in run("restore", "photo.png", "-o", "out.png", "--degraded", *QUICK).output
    result = run("restore", "photo.png", "-o", "out.png", "--degraded", "--mask", "photo.png", *QUICK)
    assert result.exit_code == 1 and "takes no mask" in result.output


def test_what_a_file_says_of_the_mode_can_be_taken_back(run):
    assert run("restore", "photo.png", "-o", "a.png", "--degraded", "--sigma-y", "0.3", *QUICK).exit_code == 0
    again = run("restore", "photo.png", "-o", "b.png", "--settings", "a.png", "--clean")
    assert "degraded first" in again.output and "sigma_y 0.05" in again.output
    same = run("restore", "photo.png", "-o", "c.png", "--settings", "a.png", "--degraded")
    assert "as it is, sigma_y 0.3" in same.output


def test_a_preset_does_not_outlive_its_task(run):
    """What somebody chose stays; what the preset of the file's task chose does not."""
    restored = "restore", "photo.png", "--size", "32", "-o"
    chosen = "--solver", "vml-map", "--steps", "3", "--step-size", "1.2"
    assert preset("colorize", "vml-map") != preset("denoise", "vml-map")
    run(*restored, "a.png", "--task", "colorize", *chosen)
    run(*restored, "b.png", "--settings", "a.png", "--task", "denoise")
    run(*restored, "c.png", "--task", "denoise", *chosen)
    b, c = (Settings.from_dict(read(Path(name).read_bytes()))[0] for name in ("b.png", "c.png"))
    assert b.solver == c.solver and b.task == c.task


def test_two_results_need_two_names(run):
    one = run("sweep", "photo.png", "-o", "g.png", "--csv", "g.png", "--x", "steps=2,3")
    two = run("restore", "photo.png", "-o", "g.png", "--save-measurement", "g.png")
    for result in (one, two):
        assert result.exit_code == 1 and "two results" in result.output


def test_help_does_not_explain_one_solvers_flag_by_another(run):
    text = " ".join(run("restore", "--help").output.split())
    assert "`solvers NAME` explains it" in text and "1 solves the linearised problem" not in text


def test_judge_prints_its_table_and_writes_it(run):
    narrow = ["--size", 8, "--measurements", 1, "--samples", 2]
    result = run("judge", "ddrm", "--sigma-y", 0.05, "--sigma-y", 0.5, *narrow, "--markdown", "judge.md")
    assert result.exit_code == 0 and result.output.count("ddrm") == 2 * len(JUDGE_TASKS)
    assert "sigma_y 0.05" in result.output and "1 measurement of 8x8, 2 samples each" in result.output
    assert Path("judge.md").read_text().count("| DDRM |") == 1 + 2 * len(JUDGE_TASKS)
    assert "solver" in run("judge", "dddrm").output
    added = run("judge", "red-diff", "--sigma-y", 0.05, "--sigma-y", 0.5, *narrow, "--markdown", "judge.md", "--update")
    assert added.exit_code == 0
    page = Path("judge.md").read_text()
    assert page.count("| DDRM |") == page.count("| RED-diff |") == 1 + 2 * len(JUDGE_TASKS)
    refused = run("judge", "ddrm", "--update")
    assert refused.exit_code == 1 and "--markdown" in refused.output


def test_judge_does_what_its_options_say(run):
    narrow = ["--task", "blur", "--task", "colour", "--size", 8, "--measurements", 1, "--samples", 2]
    first, again, other = (run("judge", "ddrm", *narrow, "--seed", seed).output for seed in (0, 0, 1))
    assert first.count("ddrm") == 2 and "blur" in first and "colour" in first
    assert first == again != other
    for wrong, remedy in {
        "--size": "64",
        "--samples": "64",
        "--measurements": "64",
        "--sigma-y": "from 0 to 1",
    }.items():
        refused = run("judge", "ddrm", wrong, -1)
        assert refused.exit_code == 1 and remedy in refused.output and "Traceback" not in refused.output
    refused = run("judge", "ddrm", "--task", "blur", "--sigma-y", 0)
    assert refused.exit_code == 1 and "Use a larger sigma_y." in refused.output


def test_the_judge_cuts_no_name_in_a_window_of_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    (row,) = judge([SOLVERS["ddrm"](steps=3)], samples=2, tasks=["blur"], measurements=1)
    solver, task = max(SOLVERS, key=len), max(JUDGE_TASKS, key=len)
    console = Console(file=StringIO())
    console.print(table([replace(row, solver=solver, task=task, nfe=9999, residual=99.99)]))
    shown = console.file.getvalue()
    assert solver in shown and task in shown and "…" not in shown


@pytest.mark.parametrize("name", ["out.gif", "out.ico", "out.pdf", "out.eps", "out.apng", "out", "out.png.bak"])
@pytest.mark.parametrize("command", ["restore", "degrade", "sweep"])
def test_what_is_not_written_well_is_refused_before_any_work(run, monkeypatch, command, name):
    monkeypatch.setattr("inverse.imaging.images.load", lambda *_: pytest.fail("work was begun"))
    result = run(command, "photo.png", "-o", name, *(["--x", "steps=2,3"] if command == "sweep" else []))
    assert result.exit_code == 1 and "Use one of .png, .jpg" in result.output and not Path(name).exists()


@pytest.mark.parametrize("name", sorted(WRITTEN))
def test_every_format_is_written_as_well_as_it_can(tmp_path, photo, name):
    path = tmp_path / f"out{name}"
    save_picture(photo, path)
    error = np.abs(np.asarray(images.load(path)).astype(int) - np.asarray(photo))
    lossy = name in (".jpg", ".jpeg", ".jfif", ".avif")
    assert error.mean() < 2 if lossy else error.max() == 0
    colours = np.asarray(photo.convert("YCbCr")).astype(int)[..., 1:]  # no colour is averaged over its neighbours
    assert np.abs(np.asarray(images.load(path).convert("YCbCr")).astype(int)[..., 1:] - colours).mean() < 1.5


@pytest.mark.parametrize("name", ["out.png", "out.jpg", "out.avif"])
def test_the_figures_are_those_of_the_file(run, photo, name):
    """The truth of this problem is the photo itself."""
    result = run("restore", "photo.png", "-o", name, "--task", "denoise", "--sigma-y", "0.1", *QUICK)
    written = images.to_tensor(images.load(name))[0]
    assert f"PSNR {metrics.psnr(written, images.to_tensor(photo)[0]):.2f} dB" in result.output


def test_strokes_of_colour_are_given_as_a_file(run, photo):
    photo.convert("L").save("grey.png")
    strokes = Image.new("RGBA", photo.size)
    strokes.paste("seagreen", (10, 10, 30, 20))
    strokes.save("strokes.png")
    command = ["restore", "grey.png", "-o", "out.png", "--task", "colorize-strokes", "--degraded", "--sigma-y", "0.02"]
    result = run(*command, "--strokes", "strokes.png", "--reach", "0.2", *QUICK)
    assert result.exit_code == 0, result.output
    told, _ = Settings.from_dict(read(Path("out.png").read_bytes()))
    assert told.task.reach == 0.2 and told.auxiliary_picture.tobytes() == strokes.tobytes()
    missing = run(*command, *QUICK)
    assert missing.exit_code != 0 and "needs strokes of colour" in missing.output


def test_known_pixels_stay_and_the_mask_is_said(run, photo):
    mask = Image.new("RGBA", photo.size, (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (10, 10, 30, 20))
    mask.save("mask.png")
    command = ["restore", "photo.png", "-o", "out.png", "--task", "inpaint-mask", "--mask", "mask.png", "--degraded"]
    result = run(*command, "--sigma-y", "0.02", *QUICK)
    assert result.exit_code == 0 and "the mask marks 5.0% of the pixels as missing" in result.output
    known = np.asarray(mask)[..., 3] == 0
    same = lambda: np.array_equal(np.asarray(Image.open("out.png"))[known], np.asarray(photo)[known])  # noqa: E731
    assert same()
    told, _ = Settings.from_dict(read(Path("out.png").read_bytes()))
    assert told.task.keep_known == "auto" and np.array_equal(np.asarray(told.auxiliary_picture) == 0, known)
    run(*command, "--sigma-y", "0.02", "--keep-known", "never", *QUICK)
    assert not same()
    run(*command, "--sigma-y", "0.3", *QUICK)
    assert not same()
    run(*command, "--sigma-y", "0.3", "--keep-known", "always", *QUICK)
    assert same()
    run("sweep", *command[1:], "--sigma-y", "0.02", "--x", "seed=1,2", *QUICK)
    assert Path("out.png").exists()


# What others wrote

HOSTILE = "[/x] [red]a\x1b[31m\x1b]0;b\x07\u202ec\x9b2J"
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def shown_whole(text, marks=("[/x]", "[red]")):
    """Nothing that steers a terminal, and what looks like markup as it is."""
    words = "".join(text.split())
    return not STEERING.search(text) and all(mark in words for mark in marks)


def hostile_settings(kind):
    data = {"schema": 1, "task": {"name": "denoise", HOSTILE: 1}, "prior": HOSTILE, "inverse": HOSTILE, HOSTILE: 1}
    if kind == "json":
        Path("s.json").write_text(json.dumps(data))
        return "s.json"
    Image.new("RGB", (8, 8)).save("s.png", pnginfo=png_text(json.dumps(data)))
    return "s.png"


@pytest.mark.parametrize("kind", ["json", "png"])
@pytest.mark.parametrize("command", ["restore", "sweep"])
def test_settings_of_others_are_printed_as_they_are(run, kind, command):
    more = ["--x", "seed=1"] if command == "sweep" else []
    result = run(command, "photo.png", "-o", "out.png", "--settings", hostile_settings(kind), "--size", "32",
                 *more, *QUICK)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert shown_whole(result.output) and "\\x1b" in result.output


def test_a_real_terminal_is_not_steered_either(tmp_path, photo, monkeypatch):
    """By a process of its own, with colours forced: rich's own commands end in m, K, A, h and l."""
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    settings = hostile_settings("png")
    command = [sys.executable, "-m", "inverse", "restore", "photo.png", "-o", "out.png", "--settings", settings]
    variables = {**os.environ, "FORCE_COLOR": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    done = subprocess.run(
        [*command, "--size", "32", *QUICK], capture_output=True, text=True, env=variables, check=True, encoding="utf-8"
    )
    text = done.stdout + done.stderr
    assert "\x1b]" not in text and "\x07" not in text and "\u202e" not in text and "\x9b" not in text
    assert "[31m\x1b" not in text and "\\x1b[" in re.sub("\x1b\\[[0-9;?]*[mKAhl]", "", text)


@pytest.mark.parametrize(
    "arguments",
    [["restore", "photo.png", "-o", "out.png", "--task", HOSTILE],
     ["restore", "photo.png", "-o", "out.png", "--prior", HOSTILE],
     ["restore", "photo.png", "-o", "out.png", "--device", HOSTILE],
     ["restore", "photo.png", "-o", "out.png", "--steps", HOSTILE],
     ["restore", "photo.png", "-o", HOSTILE],
     ["restore", HOSTILE, "-o", "out.png"],
     ["restore", "photo.png", "-o", "out.png", "--settings", HOSTILE],
     ["sweep", "photo.png", "-o", "out.png", "--x", f"{HOSTILE}=1"],
     ["tasks", HOSTILE], [HOSTILE], [f"--{HOSTILE}"], ["restore", f"--{HOSTILE}"], ["judge", HOSTILE]],
    ids=lambda arguments: " ".join(map(str, arguments))[:30].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_errors_quote_what_was_typed_as_it_is(run, arguments):
    result = run(*arguments)
    assert result.exit_code not in (0, None) and "Error" in result.output
    assert not STEERING.search(result.output.replace("\n", ""))


@pytest.mark.parametrize("empty", ["--task=", "--prior=", "--device="])
def test_an_empty_name_is_not_the_default(run, empty):
    result = run("restore", "photo.png", "-o", "out.png", empty, *(QUICK[:4]))
    assert result.exit_code == 1 and "Error" in result.output and not Path("out.png").exists()
    if empty == "--task=":
        assert run("degrade", "photo.png", "-o", "out.png", empty).exit_code == 1


def test_without_gradio_the_app_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("inverse.cli.app.find_spec", lambda name: None)
    said = CliRunner().invoke(main, ["app"])
    assert said.exit_code == 1 and "not installed: pip install 'gradio==" in said.output
