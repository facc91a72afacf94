"""Faults put in on purpose, through the whole program: full disks, signals, poisoned networks, hostile values."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.batch.runs import run_all
from inverse.cli.words import given
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, InverseError, ParameterError
from inverse.imaging import files
from inverse.imaging.images import to_image
from inverse.operators import TASKS
from inverse.parameters import Integer, Real
from inverse.randomness import SOLVER, generator
from inverse.restoration import degrade, measured, restore, stream
from inverse.settings import Settings
from inverse.solvers import SOLVERS
from inverse.solvers.presets import solvers_for

QUICK = ["--steps", "3", "--gradient-steps", "1", "--device", "cpu"]


@pytest.fixture
def run(tmp_path, photo, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    return lambda *arguments: CliRunner().invoke(main, [str(a) for a in arguments])


def one_sentence(result):
    errors = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert result.exit_code in (1, 2) and len(errors) == 1, result.output
    assert "Traceback" not in result.output and not isinstance(result.exception, ValueError | OSError | TypeError)
    return errors[0]


# A poisoned network


class Poisoned(Denoiser):
    """Shrinks towards grey; one call returns something else."""

    sigma_min, sigma_max = 0.003, 80.0

    def __init__(self, at=None, poison=float("nan"), whole=True):
        self.at, self.poison, self.whole, self.calls = at, poison, whole, 0

    def denoise(self, x, sigma):
        self.calls += 1
        estimate = x / (1 + sigma[:, None, None, None] ** 2)
        if self.calls != self.at:
            return estimate
        spoilt = torch.ones_like(estimate, dtype=torch.bool)
        if not self.whole:
            spoilt[..., 1:] = spoilt[..., 1:, :] = False
        return torch.where(spoilt, self.poison, estimate)


ALONE = [name for name, kind in SOLVERS.items() if not kind.needs_estimator]


@pytest.mark.parametrize("name", ALONE)
def test_a_poisoned_network_never_gives_a_picture_that_is_not_finite(photo, name):
    """Whole estimates and single pixels, at the first call, in the middle and at the last."""
    problem = degrade(photo.resize((16, 16)), solvers_and_tasks()[name])
    solver = {"steps": 6} if SOLVERS[name].specs()["steps"].low <= 6 else {"steps": SOLVERS[name].specs()["steps"].low}
    whole = Poisoned()
    list(stream(problem, name, whole, solver_parameters=solver))
    for at in {1, whole.calls // 2, whole.calls}:
        for poison, all_of_it in ((float("nan"), True), (float("inf"), False), (float("nan"), False), (1e30, True)):
            steps = []
            try:
                for step in stream(problem, name, Poisoned(at, poison, all_of_it), solver_parameters=solver):
                    assert torch.isfinite(step.x).all() and torch.isfinite(step.x0_hat).all()
                    steps.append(step)
                failed = False
            except DivergenceError as error:
                failed = True
                assert f"stopped at step {len(steps) + 1} of" in str(error)
                assert error.last is (steps[-1] if steps else None)
            assert failed or not np.isnan(poison) or at == whole.calls, (at, poison, "was swallowed")


def test_of_several_samples_the_last_good_step_is_that_of_all(photo):
    """The network fails at the second one's fourth call."""
    problem, steps = degrade(photo.resize((16, 16)), "denoise"), []
    with pytest.raises(DivergenceError, match="stopped at step 4 of 6") as caught:
        for step in stream(problem, "diffpir", Poisoned(at=2 * 3 + 2), solver_parameters={"steps": 6}, samples=2):
            assert step.x.shape == step.x0_hat.shape == (2, 3, 16, 16)
            torch.testing.assert_close(step.residual, step.measure(step.x0_hat))
            steps.append(step)
    assert len(steps) == 3 and caught.value.last is steps[-1]


def solvers_and_tasks():
    return {solver: next(task for task in TASKS if solver in solvers_for(task)) for solver in SOLVERS}


# Disks, folders, signals


def failing_save(monkeypatch, number):
    def save(self, path, *rest, **options):
        path.write_bytes(b"\x89PNG half")
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Image.Image, "save", save)


@pytest.mark.parametrize("command", ["restore", "degrade", "sweep"])
def test_a_full_disk_leaves_what_was_there(run, tmp_path, monkeypatch, command):
    (tmp_path / "out.png").write_bytes(b"precious")
    failing_save(monkeypatch, 28)
    more = {"restore": QUICK, "degrade": [], "sweep": ["--x", "seed=1,2", "--size", "32", "--solver", "ddnm"]}[command]
    assert "disk is full" in one_sentence(run(command, "photo.png", "-o", "out.png", "--task", "denoise", *more))
    assert (tmp_path / "out.png").read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "photo.png"]


def test_the_figures_of_a_sweep_on_a_full_disk(run, tmp_path, monkeypatch):
    def full(path, *rest, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.Path, "write_text", full)
    result = run("sweep", "photo.png", "-o", "g.png", "--x", "seed=1,2", "--size", "32", "--task", "denoise",
                 "--solver", "ddnm", "--steps", "10", "--csv", "g.csv")  # fmt: skip
    assert "g.csv cannot be written: the disk is full" in one_sentence(result)
    assert (tmp_path / "g.png").exists() and not (tmp_path / "g.csv").exists()


def test_a_file_where_the_folder_of_frames_should_be(run, tmp_path):
    (tmp_path / "taken").touch()
    result = run("restore", "photo.png", "-o", "o.png", "--save-frames", "taken", *QUICK)
    assert result.exit_code == 2 and "taken" in result.output and "Traceback" not in result.output


PLACES = ["photo.png", "./photo.png", "link.png", "hard.png"]


@pytest.mark.parametrize("output", PLACES)
@pytest.mark.parametrize("command", ["restore", "degrade"])
def test_the_photo_itself_is_never_replaced(run, tmp_path, command, output):
    (tmp_path / "link.png").symlink_to("photo.png")
    (tmp_path / "hard.png").hardlink_to(tmp_path / "photo.png")
    before = (tmp_path / "photo.png").read_bytes()
    assert "would be lost" in one_sentence(run(command, "photo.png", "-o", output))
    assert (tmp_path / "photo.png").read_bytes() == before
    Image.open("photo.png").save("out-2.png")
    assert "would be lost" in one_sentence(run("restore", "out-2.png", "-o", "out.png", "--samples", "2", *QUICK))


@pytest.mark.parametrize(
    "arguments",
    [
        ["restore", ".", "-o", "o.png"], ["restore", "none.png", "-o", "o.png"], ["restore", "pipe", "-o", "o.png"],
        ["restore", "photo.png", "-o", "."], ["restore", "photo.png", "-o", "none/o.png"],
        ["restore", "photo.png", "-o", "photo.png/o.png"], ["restore", "photo.png", "-o", "o"],
        ["restore", "photo.png", "-o", "o.png", "--settings", "."],
        ["restore", "photo.png", "-o", "o.png", "--settings", "pipe"],
        ["restore", "photo.png", "-o", "o.png", "--settings", "photo.png"],
        ["restore", "photo.png", "-o", "o.png", "--task", "inpaint-mask", "--mask", "."],
        ["restore", "photo.png", "-o", "o.png", "--prior", "."],
        ["restore", "photo.png", "-o", "o.png", "--prior", "photo.png"],
        ["restore", "photo.png", "-o", "o.png", "--prior", "google/ddpm-celebahq-256"],
        ["restore", "/dev/zero", "-o", "o.png"], ["restore", "x" * 5000, "-o", "o.png"],
        ["restore", "photo.png", "-o", "o" * 5000 + ".png"],
    ],
    ids=lambda arguments: " ".join(arguments)[:50],
)  # fmt: skip
def test_wrong_files_and_folders_end_in_a_sentence(run, tmp_path, arguments):
    os.mkfifo(tmp_path / "pipe")
    assert one_sentence(run(*arguments)).endswith((".", "?"))
    assert not (tmp_path / "o.png").exists()


def test_names_that_are_not_utf8(tmp_path, photo):
    """In a real process, because the runner of tests has no terminal with an encoding."""
    name = os.fsdecode(b"ph\xffoto.png")
    try:
        photo.save(tmp_path / name)
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    for output, status in ((os.fsdecode(b"o\xfe.png"), 0), (os.fsdecode(b"no\xfe/o.png"), 1)):
        command = [sys.executable, "-m", "inverse", "restore", name, "-o", output, *QUICK]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment())
        assert result.returncode == status and b"Traceback" not in result.stderr, result.stderr
    assert (tmp_path / os.fsdecode(b"o\xfe.png")).exists()


def environment():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl+C", "SIGTERM"])
def test_an_interrupted_run_says_so_and_leaves_nothing_half_written(tmp_path, photo, number):
    photo.save(tmp_path / "photo.png")
    (tmp_path / "out.png").write_bytes(b"precious")
    command = [sys.executable, "-m", "inverse", "restore", "photo.png", "-o", "out.png", "--solver", "dps",
               "--steps", "1000", "--save-frames", "frames", "--device", "cpu"]  # fmt: skip
    # A shell starts its background jobs with Ctrl+C ignored, and this test may be one of them.
    before = signal.signal(number, signal.SIG_DFL)
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, env=environment())
    signal.signal(number, before)
    frames = tmp_path / "frames"
    for _ in range(1200):
        if frames.is_dir() and len(list(frames.glob("0*.png"))) >= 3:
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and b"Stopped" in said and b"Traceback" not in said
    assert (tmp_path / "out.png").read_bytes() == b"precious"
    for path in frames.iterdir():
        assert path.name[0] != "." and Image.open(path).size == photo.size


# Hostile values

VALUES = [float("nan"), float("inf"), -float("inf"), True, "7", None, [5], {}, 1e308, -1, 10**5000, 2 + 3j, b"7",
          np.float64("nan"), np.array([1.0]), object()]  # fmt: skip
KINDS = {f"{kind.name}.{name}": (kind, name) for kind in [*TASKS.values(), *SOLVERS.values()] for name in kind.specs()}


def test_every_parameter_refuses_every_hostile_value_by_name():
    """The library's own check, which the app and the command line call: it names the field and its limits."""
    refused = 0
    for kind, name in KINDS.values():
        for value in VALUES:
            try:
                made = getattr(kind.create({name: value}), name)
            except ParameterError as error:
                refused += 1
                assert str(error).startswith(f"{name} must be {kind.specs()[name].limits}"), (kind, name, error)
                assert len(str(error)) < 600
            else:
                assert type(made) in (int, float, bool, str) and made == value, (kind, name, value)
                assert (made is value) == isinstance(made, bool)
    assert refused > 0.9 * len(KINDS) * len(VALUES)


def texts(spec):
    if isinstance(spec, Integer | Real):
        return ["nan", "inf", "-inf", "true", "1e308", "", "[5]", "0x10", "9" * 400, "None", "1,5"]
    return ["nan", "7", "", "None", "a" * 400]


@pytest.mark.parametrize("kind", [*TASKS.values(), *SOLVERS.values()], ids=lambda kind: kind.name)
def test_every_flag_refuses_every_hostile_text(kind):
    """What the command line calls for every flag."""
    registry = TASKS if kind in TASKS.values() else SOLVERS
    for name, spec in kind.specs().items():
        for text in texts(spec):
            with pytest.raises(ParameterError, match=f"^{name} must be {re.escape(spec.limits)}, and "):
                given(registry, kind, {name: text})


@pytest.mark.parametrize("name", ["seed", "sigma_y", "size", "samples", "photons"])
@pytest.mark.parametrize("value", VALUES[:13], ids=lambda value: str(type(value).__name__) + repr(value)[:8]
                         if value != 10**5000 else "huge")  # fmt: skip
def test_the_librarys_entry_refuses_hostile_values(photo, name, value):
    if value is None:
        pytest.skip("None means: not given")
    try:
        if name in ("samples",):
            list(stream(degrade(photo, "denoise", size=16), "ddnm", Poisoned(), samples=value))
        else:
            degrade(photo, "denoise", **{name: value})
            assert name in ("photons", "sigma_y", "seed") and isinstance(value, float | int)
    except ParameterError as error:
        assert str(error).startswith(f"{name} must be")


@pytest.mark.parametrize("name", [7, None, [], {}, "", "denoisе", "x" * 10_000, float("nan"), True])
def test_unknown_names_end_in_a_sentence(photo, name):
    for action in (
        lambda: degrade(photo, name),
        lambda: measured(photo, name),
        lambda: restore(photo, "denoise", name),
        lambda: Settings.from_dict({"schema": 1, "task": {"name": name}}),
        lambda: Settings.from_dict({"schema": 1, "solver": {"name": name}}),
    ):
        try:
            action()
        except InverseError as error:
            assert ". " in str(error) and len(str(error)) < 1000


def test_unknown_keys_in_a_settings_file_are_named_and_the_run_goes_on(run, tmp_path):
    (tmp_path / "s.json").write_text('{"schema": 1, "task": {"name": "denoise"}, "flux": 3, "__class__": "x", "a": {}}')
    result = run("restore", "photo.png", "-o", "o.png", "--settings", "s.json", *QUICK)
    assert result.exit_code == 0 and "left out: flux, __class__, a" in " ".join(result.output.split())


# Repeatability


def test_the_same_seed_gives_the_same_bytes_alone_in_company_and_in_a_batch(photo):
    problem = degrade(photo, "inpaint-random", size=32)

    def steps(seed, **more):
        return stream(problem, "dsg", solver_parameters={"steps": 10}, seed=seed, **more)

    def pixels(estimates):
        return to_image(list(estimates)[-1].x0_hat[0]).tobytes()

    alone = pixels(steps(5))
    assert alone == pixels(steps(5)) != pixels(steps(6))
    assert alone == pixels(mine for mine, _ in zip(steps(5), steps(6), strict=True)), "step by step, in turn"
    assert alone == pixels(steps(5, samples=3))


def test_a_network_on_a_cpu_is_asked_for_one_picture_at_a_time(photo, monkeypatch):
    """How a kernel adds up may depend on the size of the batch, on some CPUs and not on others."""
    prior, asked = load_prior("embedded", "cpu"), []
    passed = prior.network.register_forward_pre_hook(lambda _, given: asked.append(len(given[0])))
    problem = degrade(photo, "deblur-gaussian", size=32)
    list(stream(problem, "dps", prior, solver_parameters={"steps": 10}, samples=3))
    assert asked == [1] * 30
    asked.clear()
    list(
        run_all(
            [Settings.create(task="denoise", solver="ddnm", size=32, seed=seed) for seed in (1, 2)],
            photo,
            denoiser=prior,
        )
    )
    passed.remove()
    assert asked and set(asked) == {1}


@pytest.mark.parametrize("name", SOLVERS)
def test_every_sample_is_what_it_is_by_itself_to_the_last_bit(photo, name):
    """Also at a size that is no multiple of what a processor computes at once."""
    problem, kind = degrade(photo.resize((29, 23)), solvers_and_tasks()[name]), SOLVERS[name]
    solver = kind.create({"steps": max(3, kind.specs()["steps"].low)})
    sources = [[generator(5, SOLVER, sample) for sample in range(3)] for _ in range(2)]
    prior = load_prior("embedded", "cpu")

    def last(sources):
        *_, step = solver.solve(prior, problem.operator, problem.y, problem.sigma_y, sources)
        return step

    together, alone = last(sources[0]), [last([source]) for source in sources[1]]
    assert torch.equal(together.x0_hat, torch.cat([step.x0_hat for step in alone]))
    assert torch.equal(together.residual, torch.cat([step.residual for step in alone]))
