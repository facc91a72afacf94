"""Priors as an axis: presets of their kinds, one after another, and each as it is alone."""

from dataclasses import replace

import pytest
import torch
from checkpoints import save_tiny
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.batch.processes import in_processes
from inverse.batch.runs import run_all
from inverse.batch.sweep import Axis, Sweep, axis, with_values
from inverse.denoisers.cards import DDPM
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.identity import identity_of
from inverse.errors import PriorError
from inverse.settings import Settings, snippets
from inverse.settings.another_prior import with_prior
from inverse.settings.carriers import read
from inverse.solvers import presets
from inverse.solvers.presets import Preset, preset

QUICK = Settings.create(task="denoise", solver="diffpir", solver_parameters={"steps": 3}, sigma_y=0.1, size=32, seed=1)


@pytest.fixture
def places(tmp_path):
    """Where the priors lie, by what settings keep of them."""
    folders = [save_tiny(tmp_path / name, seed) for seed, name in enumerate(("one", "two"))]
    return {"embedded": "embedded", **{identity_of(folder): str(folder) for folder in folders}}


def loader(places, asked=None):
    def load(name):
        if asked is not None:
            asked.append(name)
        return load_prior(places[name], "cpu")

    return load


def ends(progresses):
    return {each.index: (each.step.x0_hat, each.record) for each in progresses if each.record and each.step}


def test_with_another_kind_come_its_presets_and_what_differed_from_the_old_one_stays(places, monkeypatch):
    tiny = [*places][1]
    row = preset("denoise", "diffpir")
    table = {"diffpir": {"denoise": Preset({"steps": row.steps + 3})}}
    monkeypatch.setattr(presets, "table_of", lambda kind: table if kind == DDPM else presets.PRESETS)
    usual = Settings.create(task="denoise", solver="diffpir")
    assert with_prior(usual, tiny).solver == preset("denoise", "diffpir", kind=DDPM)
    assert with_prior(usual, tiny).solver.steps == row.steps + 3
    assert with_prior(with_prior(usual, tiny), "embedded") == usual
    own = replace(usual, solver=usual.solver.replace(steps=row.steps + 1))
    assert with_prior(own, tiny).solver.steps == row.steps + 1
    # What another axis says wins, even where it is what the old preset said.
    for order in (("prior", "steps"), ("steps", "prior")):
        made = with_values(
            usual, dict(sorted({"prior": tiny, "steps": row.steps}.items(), key=lambda each: order.index(each[0])))
        )
        assert made.solver.steps == row.steps and made.prior == tiny


def test_every_cell_has_its_prior_and_is_as_it_is_alone(places, photo):
    plan = Sweep(QUICK, (axis(QUICK, "seed", "1,2"), Axis("prior", tuple(places))))
    assert [run.prior for run in plan.runs] == [name for name in places for _ in range(2)]
    assert plan.axes[1].labels == ["embedded", "one", "two"]
    asked = []
    found = ends(run_all(plan.runs, photo, None, loader(places, asked)))
    assert len(found) == 6 and asked == [*places], "each is loaded once, however the cells lie"
    for index, run in enumerate(plan.runs):
        (alone,) = ends(run_all([run], photo, None, load_prior(places[run.prior], "cpu"))).values()
        assert torch.equal(found[index][0], alone[0])
    pictures = [found[index][0] for index in (0, 2, 4)]
    assert not torch.equal(pictures[0], pictures[1]) and not torch.equal(pictures[1], pictures[2])


def test_a_prior_is_said_before_it_is_loaded(places, photo):
    runs = [replace(QUICK, prior=name) for name in [*places, "embedded"]]
    asked = []
    for progress in run_all(runs, photo, None, loader(places, asked), pauses=True):
        if progress.loading:
            assert progress.loading not in asked and progress.record is None
    assert asked == [*places]


def test_a_prior_that_cannot_be_loaded_fails_its_runs_only(places, photo):
    runs = [replace(QUICK, prior=name) for name in ("embedded", "gone@ddpm:" + "0" * 64, "embedded")]

    def load(name):
        if name != "embedded":
            raise PriorError("It is gone. Choose another.")
        return load_prior(name, "cpu")

    records = {each.index: each.record for each in run_all(runs, photo, None, load) if each.record}
    assert [records[index].failure for index in range(3)] == ["", "It is gone. Choose another.", ""]
    with pytest.raises(PriorError, match="It is gone"):
        list(run_all(runs[1:2], photo, None, load))


def test_processes_load_the_prior_of_each_run(photo):
    runs = [QUICK, replace(QUICK, seed=2)]
    records = {each.index: each.record for each in in_processes(runs, photo, processes=2) if each.record}
    assert [records[index].failure for index in range(2)] == ["", ""]


def test_the_command_line_sweeps_priors_by_name_and_place(tmp_path, places, photo):
    photo.save(tmp_path / "photo.png")
    place = [*places.values()][1]
    words = ["sweep", str(tmp_path / "photo.png"), "-o", str(tmp_path / "out.png"), "--csv", str(tmp_path / "out.csv")]
    words += ["--task", "denoise", "--solver", "diffpir", "--steps", "3", "--size", "32", "--device", "cpu"]
    result = CliRunner().invoke(main, [*words, "--x", f"prior=embedded,{place}"])
    assert result.exit_code == 0, result.output
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines] == ["prior", "embedded", [*places][1]]
    assert str(tmp_path) not in (tmp_path / "out.csv").read_text() + json_of(tmp_path / "out.png")


def json_of(file):
    return str(read(file.read_bytes()))


def test_a_picture_carries_the_prior_for_ever_and_no_place(tmp_path, places, photo):
    photo.save(tmp_path / "photo.png")
    identity, place = [*places.items()][1]
    words = [
        "restore",
        str(tmp_path / "photo.png"),
        "-o",
        str(tmp_path / "out.png"),
        "--task",
        "denoise",
        "--size",
        "32",
    ]
    result = CliRunner().invoke(main, [*words, "--solver", "diffpir", "--steps", "2", "--prior", place])
    assert result.exit_code == 0, result.output
    data = read((tmp_path / "out.png").read_bytes())
    assert data["prior"] == identity and str(tmp_path) not in str(data)
    made, notes = Settings.from_dict(data)
    assert notes == [] and "--prior one" in snippets.command_line(made) and "denoiser='one'" in snippets.python(made)
    again = CliRunner().invoke(main, [*words[:3], str(tmp_path / "again.png"), "--settings", str(tmp_path / "out.png")])
    assert again.exit_code == 0 and "--prior chooses one" in again.output
    words = [*words[:3], str(tmp_path / "same.png"), "--settings", str(tmp_path / "out.png"), "--prior", place]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0 and "--prior chooses one" not in result.output
    one, other = (Image.open(tmp_path / name).tobytes() for name in ("out.png", "same.png"))
    assert one == other


def test_a_settings_file_brings_a_prior_that_has_a_card_and_no_other(tmp_path, photo):
    photo.save(tmp_path / "photo.png")
    words = [
        "restore",
        str(tmp_path / "photo.png"),
        "-o",
        str(tmp_path / "out.png"),
        "--settings",
        str(tmp_path / "s.json"),
    ]
    for prior, said in (
        ("google/ddpm-cat-256@82ca0d5db4a5ec6ff0e9be8d86852490bc18a3d9", "google/ddpm-cat-256 is not on this machine"),
        ("ddpm-cat-256", "google/ddpm-cat-256 is not on this machine"),
        (f"evil/repository@{'0' * 40}", "--prior chooses one"),
        ("/etc/passwd", "--prior chooses one"),
    ):
        settings = replace(QUICK, solver=preset("denoise", "diffpir").replace(steps=2), prior=prior)
        (tmp_path / "s.json").write_text(settings.to_json())
        result = CliRunner().invoke(main, words, env={"COLUMNS": "400"})
        assert said in result.output, (prior, result.output)
