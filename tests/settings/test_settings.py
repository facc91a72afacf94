"""Settings survive every way out of the program and back, and what is not settings ends in a sentence."""

import io
import json
import shlex
import zlib
from base64 import urlsafe_b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from inverse.__main__ import main
from inverse.batch.sweep import sweepable
from inverse.denoisers.catalog import load_prior
from inverse.errors import InverseError, ParameterError
from inverse.operators import TASKS
from inverse.parameters import Integer, Real
from inverse.restoration import degrade, restore, stream
from inverse.settings import DEGRADED, Settings, snippets
from inverse.settings.carriers import KEY, read, unpack
from inverse.settings.listing import listing
from inverse.solvers import SOLVERS
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import preset, solvers_for

QUICK = {"steps": 3, "gradient_steps": 1}


def changed(kind):
    """Parameters of a task or solver, each moved off its default."""
    values = {}
    for name, spec in kind.specs().items():
        start = kind.defaults()[name]
        options = getattr(spec, "options", ())
        if options:
            values[name] = options[-1] if start != options[-1] else options[0]
        elif isinstance(start, bool):
            values[name] = not start
        else:
            values[name] = start + 1 if isinstance(start, int) and start < spec.high else (start + spec.low) / 2
    return values


def every():
    for task in TASKS:
        for solver in (solvers_for(task)[0], solvers_for(task)[-1]):
            yield Settings.create(
                task=task, task_parameters=changed(TASKS[task]), solver=solver,
                solver_parameters=changed(SOLVERS[solver]), size=96, sigma_y=0.123, seed=2**32 - 1, photons=70.0,
            )  # fmt: skip


def saved(settings):
    buffer = io.BytesIO()
    Image.new("RGB", (9, 8)).save(buffer, "PNG", pnginfo=settings.png_text)
    return buffer.getvalue()


def test_json_png_and_link_give_the_same_settings_back():
    for settings in every():
        for data in (json.loads(settings.to_json()), read(saved(settings)), unpack(settings.link)):
            assert Settings.from_dict(data) == (settings, [])


def test_the_png_holds_the_settings_and_nothing_else():
    with Image.open(io.BytesIO(saved(next(every())))) as picture:
        assert list(picture.info) == [KEY] and not picture.getexif()


def test_what_is_not_known_is_listed_and_the_rest_is_kept():
    settings = next(every())
    data = settings.to_dict() | {"colour": "red", "inverse": "9.9"}
    data["solver"]["parameters"]["warp"] = 9
    data["task"]["mood"] = 1
    found, notes = Settings.from_dict(data)
    assert found == settings
    assert all(name in notes[0] for name in ("colour", "solver.parameters.warp", "task.mood"))
    assert "version 9.9" in notes[1]


def test_what_is_missing_takes_its_preset():
    found, notes = Settings.from_dict({"solver": {"name": "dps", "parameters": {"steps": 17}}})
    assert found == Settings.create(solver="dps", solver_parameters={"steps": 17}) and not notes


@pytest.mark.parametrize("task", TASKS)
def test_without_a_solver_the_task_has_its_own_but_an_older_file_keeps_the_one_of_then(task):
    assert Settings.create(task=task).solver == preset(task, default_solver(task))
    assert Settings.from_dict({"task": task})[0].solver == preset(task, default_solver(task))
    assert Settings.from_dict({"task": task, "schema": 1})[0].solver == preset(task, "vml-map")


@pytest.mark.parametrize("name", ["dps", "dmap", "dsg", "red-diff", "diffpir"])
def test_an_older_picture_comes_out_as_it_was(name):
    """Schema 1 knew no `stop_at_noise`: what it saved ran without."""
    settings = Settings.create(solver=name, solver_parameters={"steps": 60})
    data = settings.to_dict() | {"schema": 1}
    for parameter in ("stop_at_noise", "start"):
        data["solver"]["parameters"].pop(parameter, None)
    found, notes = Settings.from_dict(data)
    if name == "diffpir":
        assert (found, notes) == (settings, [])
        return
    assert found.solver.stop_at_noise is False and "stop_at_noise = False" in notes[0]
    assert getattr(found.solver, "start", "pseudo-inverse") == "pseudo-inverse"
    assert Settings.from_dict(found.to_dict()) == (found, [])  # from then on it is said
    assert Settings.from_dict(data | {"schema": 2})[0].solver.stop_at_noise is True


@pytest.mark.parametrize(
    "data",
    [
        None, [], "x", 3, {}, {"a": 1}, {"schema": 3}, {"schema": "1"}, {"schema": True}, {"task": 3}, {"task": ["a"]},
        {"task": "nothing"}, {"solver": {"name": []}}, {"solver": {"name": "dps", "parameters": 3}},
        {"solver": {"name": "dps", "parameters": {"steps": float("nan")}}}, {"schema": 1, "seed": -1},
        {"schema": 1, "seed": 10**400}, {"schema": 1, "sigma_y": "0.1"}, {"schema": 1, "mode": "clear"},
        {"schema": 1, "size": 10**9}, {"schema": 1, "prior": ["x"]}, {"schema": 1, "samples": 0},
    ],
)  # fmt: skip
def test_bad_settings_end_in_a_sentence(data):
    with pytest.raises(ParameterError, match=r"\.$"):
        Settings.from_dict(data)


EMPTY = [0, False, None, "", [], 0.0]
NAMED = {"task": [0, False, None, "", [], 0.0], "solver": EMPTY, "prior": EMPTY, "mode": EMPTY}
NUMBERS = {"seed": [False, None, "", []], "samples": [False, None, "", [], 0], "schema": EMPTY}
OPEN = {name: [False, "", []] for name in ("size", "sigma_y", "photons")}
INSIDE = [{part: {"name": name, "parameters": parameters}} for part in ("task", "solver")
          for name, parameters in ((0, {}), (None, {}), ("", {}), ("denoise", 0), ("denoise", None), ("denoise", ""),
                                   ("denoise", []))]  # fmt: skip


@pytest.mark.parametrize(
    "data", [{name: value} for name, values in (NAMED | NUMBERS | OPEN).items() for value in values] + INSIDE, ids=str
)
def test_a_wrong_value_is_not_taken_for_one_that_is_left_out(data):
    with pytest.raises(ParameterError, match=r"\.$"):
        Settings.from_dict({"schema": 1, **data})


@pytest.mark.parametrize("value", [0, False, "", [], 0.0, {}])
def test_the_library_takes_no_wrong_value_for_the_default(photo, value):
    for call in (
        lambda: restore(photo, value),
        lambda: restore(photo, "denoise", value),
        lambda: restore(photo, "denoise", "vml-map", denoiser=value),
        lambda: degrade(photo, value),
        lambda: stream(degrade(photo, "denoise", size=32), value),
        lambda: load_prior(value),
        lambda: load_prior(device=value),
    ):
        with pytest.raises(InverseError, match=r"\.$"):
            call()
    if value != {}:
        for name in ("task_parameters", "solver_parameters"):
            with pytest.raises(ParameterError, match="Give names and values"):
                restore(photo, "denoise", **{name: value})


def bomb():
    return urlsafe_b64encode(zlib.compress(b"0" * 50_000_000)).decode()


@pytest.mark.parametrize(
    "content",
    [b"", b"x", b"[" * 100_000, b"\x89PNG\r\n\x1a\n", b"\x89PNG\r\n\x1a\nIHDR", b"9" * 2_000_000, b"\xff\xfe"],
)
def test_bad_files_end_in_a_sentence(content):
    with pytest.raises(ParameterError, match=r"\.$"):
        read(content)


@pytest.mark.parametrize("code", [None, "", "abc", "ü", "A" * 3_000_000, bomb(), 5, next(every()).link[:-9]])
def test_bad_links_end_in_a_sentence(code):
    with pytest.raises(ParameterError, match=r"\.$"):
        unpack(code)


def test_a_png_of_another_program_says_so(photo):
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    with pytest.raises(ParameterError, match="carries no settings"):
        read(buffer.getvalue())


def test_a_mask_travels_in_the_settings_but_not_in_the_link(photo):
    mask = Image.new("L", photo.size)
    mask.paste(255, (10, 10, 30, 20))
    settings = Settings.create(task="inpaint-mask").with_auxiliary(mask)
    found, _ = Settings.from_dict(json.loads(settings.to_json()))
    assert np.array_equal(np.asarray(found.auxiliary_picture.convert("L")), np.asarray(mask))
    assert found.problem(photo).operator.entries == settings.problem(photo, mask).operator.entries
    assert Settings.from_dict(unpack(settings.link))[0].auxiliary == ""
    for bad in ("!!", "AAAA"):
        with pytest.raises(ParameterError, match="damaged"):
            replace(settings, auxiliary=bad).problem(photo)


def test_the_snippets_are_the_same_run(photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    settings = Settings.create(
        task="super-resolution", task_parameters={"factor": 2}, solver="diffpir", solver_parameters={"steps": 2},
        sigma_y=0.07, size=48, seed=5,
    )  # fmt: skip
    result = CliRunner().invoke(main, shlex.split(snippets.command_line(settings, "photo.png"))[3:])
    assert result.exit_code == 0, result.output
    assert Settings.from_dict(read((tmp_path / "restored.png").read_bytes())) == (settings, [])
    printed = (tmp_path / "restored.png").read_bytes()
    exec(snippets.python(settings, "photo.png"), {})
    with Image.open("restored.png") as ours, Image.open(io.BytesIO(printed)) as theirs:
        assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("degraded", [False, True])
def test_a_saved_png_reproduces_its_pixels_on_the_command_line(photo, tmp_path, monkeypatch, degraded):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")

    def run(*arguments):
        result = CliRunner().invoke(main, ["restore", "photo.png", *arguments])
        assert result.exit_code == 0, result.output
        return result.output

    run("-o", "a.png", "--solver", "dps", "--task", "denoise", "--steps", "10", "--seed", "11",
        *(["--degraded"] if degraded else []))  # fmt: skip
    run("-o", "b.png", "--settings", "a.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    run("-o", "c.png", "--settings", "b.png", "--seed", "12")
    found, _ = Settings.from_dict(read((tmp_path / "c.png").read_bytes()))
    first, _ = Settings.from_dict(read((tmp_path / "a.png").read_bytes()))
    assert found == replace(first, seed=12) and found.degraded == degraded
    assert Image.open("a.png").tobytes() != Image.open("c.png").tobytes()


def test_the_library_gives_the_pixels_of_the_settings(photo):
    settings = Settings.create(mode=DEGRADED, task="denoise", solver_parameters=QUICK, sigma_y=0.1, seed=4)
    ours = restore(
        photo, "denoise", degraded=True, solver_parameters=QUICK, sigma_y=0.1, seed=4,
    ).image  # fmt: skip
    problem = settings.problem(photo)
    assert problem.sigma_y == 0.1 and problem.truth is None
    theirs = restore(
        photo, settings.task, settings.solver, degraded=True, sigma_y=settings.sigma_y, seed=settings.seed
    ).image
    assert ours.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("content", [b"", b"{}", b"{nonsense"])
def test_a_wrong_settings_file_ends_in_a_sentence(photo, tmp_path, monkeypatch, content):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    (tmp_path / "s.json").write_bytes(content)
    result = CliRunner().invoke(main, ["restore", "photo.png", "-o", "a.png", "--settings", "s.json"])
    assert result.exit_code == 1 and "Error: " in result.output and "Traceback" not in result.output
    result = CliRunner().invoke(main, ["restore", "photo.png", "-o", "a.png", "--settings", "none.json"])
    assert result.exit_code == 1 and "cannot be opened" in result.output


def test_photons_are_for_clean_photos():
    with pytest.raises(ParameterError, match="photons"):
        Settings.create(mode=DEGRADED, photons=5)
    settings, notes = Settings.from_dict({"schema": 1, "mode": DEGRADED, "task": "denoise", "photons": 5})
    assert settings.photons is None and "photons" in notes[0]


def test_the_task_left_out_is_the_one_for_the_mode():
    assert Settings.create(mode=DEGRADED).task.name == "denoise" and Settings.create().task.name == "inpaint-random"
    assert Settings.from_dict({"schema": 1, "mode": DEGRADED})[0].task.name == "denoise"


OLD = Path(__file__).parents[1] / "data" / "settings-0.1"
"""Files that version 0.1.0 wrote."""


@pytest.mark.parametrize("name", ["default", "clean", "estimated", "mask"])
def test_what_the_first_edition_saved_still_loads(name):
    written = json.loads((OLD / f"{name}.json").read_text())
    found, notes = Settings.from_dict(written)
    linked, _ = Settings.from_dict(unpack((OLD / f"{name}.link.txt").read_text().strip()))
    assert linked == replace(found, auxiliary="")
    if (OLD / f"{name}.png").exists():
        assert Settings.from_dict(read((OLD / f"{name}.png").read_bytes()))[0] == found
    assert not any("left out" in note for note in notes), "everything in it is still known"
    again = found.to_dict()
    for part in ("task", "solver"):
        assert again[part]["name"] == written[part]["name"]
        assert written[part]["parameters"].items() <= again[part]["parameters"].items()
    same = [name for name in written if name not in ("inverse", "schema", "task", "solver")]
    assert {name: again[name] for name in same} == {name: written[name] for name in same}


NUMBERS = {name: known for name, known in Settings.specs().items() if isinstance(known.spec, Integer | Real)}


@pytest.mark.parametrize("name", NUMBERS)
def test_a_setting_is_declared_once_and_is_everywhere(name, photo):
    known = NUMBERS[name]
    value = known.spec.check(name, known.spec.high if isinstance(known.spec, Integer) else known.spec.high / 2)
    made = Settings.create(task="denoise", **{name: value})
    assert made.to_dict()[name] == value and Settings.from_dict(made.to_dict()) == (made, [])
    flag = f"--{name.replace('_', '-')}"
    assert f"{flag} {value}" in snippets.command_line(made) and f"{name}={value!r}" in snippets.python(made)
    assert flag in CliRunner().invoke(main, ["restore", "--help"]).output
    assert listing()["settings"][name]["maximum"] == known.spec.high
    assert (name in sweepable(made)) == known.axis
    for wrong in ("7", True, known.spec.high * 2):
        with pytest.raises(ParameterError, match=f"^{name} must be"):
            replace(made, **{name: wrong})


def test_a_file_from_before_the_pyramid_is_restored_without_it_and_one_by_hand_with_it():
    written = Settings.create(task="denoise").to_dict()
    assert written["pyramid"] is True and Settings.from_dict(written)[0].pyramid is True
    before = {name: value for name, value in written.items() if name != "pyramid"}
    found, notes = Settings.from_dict(before)
    assert found.pyramid is False and any("pyramid = False" in note for note in notes)
    assert Settings.from_dict({"task": "denoise"})[0].pyramid is True


def test_a_switch_that_is_on_by_itself_has_a_flag_that_turns_it_off(tmp_path, photo):
    photo.resize((24, 24)).save(tmp_path / "photo.png")
    settings = Settings.create(task="super-resolution", quality="draft", pyramid=False)
    words = shlex.split(snippets.command_line(settings, str(tmp_path / "photo.png")))[3:]
    assert "--no-pyramid" in words and "pyramid=False" in snippets.python(settings)
    words[words.index("-o") + 1] = str(tmp_path / "out.png")
    made = CliRunner().invoke(main, [*words, "-q"])
    assert made.exit_code == 0, made.output
    assert Settings.from_dict(read((tmp_path / "out.png").read_bytes()))[0].pyramid is False
    assert "pyramid" not in snippets.command_line(Settings.create(task="denoise"))
