"""Further damages: declared once, they are in JSON, PNGs, links, flags, snippets, axes and on the page."""

import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from pages import built, preview, sent
from PIL import Image

from inverse import degrade, restore
from inverse.__main__ import main
from inverse.batch.sweep import Sweep, axis, sweepable
from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS
from inverse.operators.chain import Chain
from inverse.settings import DEGRADED, Settings, snippets
from inverse.settings.carriers import read, unpack
from inverse.settings.listing import listing
from inverse.solvers.presets import default_solver_for, fits, preset
from inverse.web.jobs.offers import solvers_here
from inverse.web.page import adopting, choices, form

THEN = [{"name": "super-resolution", "parameters": {"factor": 2}}, "jpeg"]
QUICK = {"solver": "vml-map", "solver_parameters": {"steps": 2, "gradient_steps": 1}}


@pytest.fixture(scope="module")
def chain():
    return Settings.create(task="deblur-gaussian", task_parameters={"std": 1.5}, then=THEN, size=64)


@pytest.fixture(scope="module")
def page():
    return built()


def test_round_trips(chain):
    assert [each.name for each in chain.then] == ["super-resolution", "jpeg"] and chain.then[0].factor == 2
    for data in (chain.to_dict(), unpack(chain.link)):
        assert Settings.from_dict(data) == (chain, [])
    assert "then" not in Settings.create(task="denoise").to_dict()
    assert Settings.from_dict({"task": "colorize", "then": ["inpaint-box"]})[0].then == (TASKS["inpaint-box"](),)
    described = listing()["settings"]["then"]
    assert described["type"] == "array" and described["default"] == []


def test_what_is_unknown_is_named_and_what_is_wrong_refused():
    data = {"task": "denoise", "then": [{"name": "jpeg", "parameters": {"quality": 9, "colour": 1}, "more": 2}]}
    found, notes = Settings.from_dict(data)
    assert found.then[0].quality == 9 and "then.1.parameters.colour" in notes[0] and "then.1.more" in notes[0]
    for bad in (
        "jpeg",
        [3],
        ["none"],
        ["jpeg"] * 4,
        {"name": "jpeg"},
        [{"name": "jpeg", "parameters": {"quality": 0}}],
    ):
        with pytest.raises(ParameterError, match=r"\. [A-Z].*\.$"):
            Settings.from_dict({"task": "denoise", "then": bad})


def test_solver_and_preset_are_those_of_the_weightiest(chain):
    assert chain.damage.name == "jpeg" and chain.solver == preset("jpeg", chain.solver.name)
    grey = Settings.create(task="inpaint-box", then=["colorize"])
    assert grey.solver == preset("colorize", "ddrm") and grey.damage.has_svd
    without = Settings.create(task="colorize", then=["deblur-gaussian", "inpaint-box"])
    assert not without.damage.has_svd and without.solver.name == "vml-map"
    assert not fits(without.damage, "ddrm") and fits(grey.damage, "ddrm")
    assert set(solvers_here(without.damage, "embedded")) < set(solvers_here("colorize", "embedded"))
    assert all(not fits(chain.damage, name) for name in ("ddrm", "pigdm", "cse"))
    assert default_solver_for(Chain((TASKS["denoise"](), TASKS["hdr"]()))) == default_solver_for(TASKS["hdr"]())


def test_no_estimator_has_learned_them(photo):
    with pytest.raises(ParameterError, match="single damages"):
        Settings.create(task="denoise", then=["inpaint-box"], estimator_scale=1.0)
    problem = degrade(photo, "deblur-gaussian", then=["inpaint-box"])
    from inverse.restoration import stream

    with pytest.raises((ProblemError, ParameterError), match="single damages"):
        next(stream(problem, "cse"))


def test_in_python_as_on_the_command_line(photo, tmp_path, monkeypatch, chain):
    """The same bytes by the library, by flags, by the snippet and by the picture's own settings."""
    monkeypatch.chdir(tmp_path)
    photo.save("photo.jpg", quality=98)
    result = restore("photo.jpg", "deblur-gaussian", task_parameters={"std": 1.5}, then=THEN, size=48, **QUICK)
    quick = ["--steps", "2", "--gradient-steps", "1", "--device", "cpu", "-q"]
    flags = ["--task", "deblur-gaussian", "--std", "1.5", "--then", "super-resolution:factor=2", "--then", "jpeg"]
    runner = CliRunner()

    def run(*arguments):
        found = runner.invoke(main, [str(each) for each in arguments])
        assert found.exit_code == 0, found.output

    run("restore", "photo.jpg", "-o", "a.png", "--size", "48", "--solver", "vml-map", *flags, *quick)
    assert np.array_equal(np.asarray(Image.open("a.png")), np.asarray(result.image))
    saved = Settings.from_dict(read(Path("a.png").read_bytes()))[0]
    assert saved.then == chain.then
    run("restore", "photo.jpg", "-o", "b.png", "--settings", "a.png", "-q")
    words = shlex.split(snippets.command_line(saved, "photo.jpg"))[3:]
    run(*[{"restored.png": "c.png"}.get(word, word) for word in words], "-q")
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert np.array_equal(np.asarray(Image.open("a.png")), np.asarray(Image.open("c.png")))
    run("degrade", "photo.jpg", "-o", "y.png", "--size", "48", *flags)
    assert Image.open("y.png").height == 24
    code = snippets.python(saved).replace("'photo.jpg'", "'photo.jpg'")
    scope = {}
    exec(code, scope)
    assert np.array_equal(np.asarray(scope["result"].image), np.asarray(result.image))


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--task", "deblur-gaussian", "--then", "jpeg", "--quality", "30"], "--then jpeg:quality=30"),
        (["--then", "jpeg:quality"], "gives no value"),
        (["--then", "jpeg:colour=3"], "'colour' is not a parameter of jpeg"),
        (["--then", "jpge"], "Did you mean 'jpeg'"),
        (["--then", "jpeg:quality=1000"], "quality must be a whole number from 2 to 95"),
    ],
)
def test_whose_parameter_it_is_must_be_said(flags, said, photo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo.save("photo.png")
    found = CliRunner().invoke(main, ["restore", "photo.png", "-o", "a.png", *flags])
    assert found.exit_code == 1 and said in " ".join(found.output.split())


def test_their_parameters_are_axes(chain):
    assert "then2.quality" in sweepable(chain) and "estimator_scale" not in sweepable(chain)
    runs = Sweep(chain, (axis(chain, "then2.quality", "10,20"), axis(chain, "then1.factor", "2,4"))).runs
    assert [(run.then[0].factor, run.then[1].quality) for run in runs] == [(2, 10), (2, 20), (4, 10), (4, 20)]


# On the page


def test_the_page_follows(page, photo):
    then = [{"name": "jpeg", "parameters": {"quality": 20}}]
    values = sent(page, task="super-resolution", then=then, photo=photo)
    changes = choices.change_task(page, {**values, page.solver_by_hand: False})
    offered = {each["name"] for each in changes[page.solver]["choices"]}
    assert "vml-map" in offered and not offered & {"ddrm", "cse", "pigdm"}
    assert "not tuned" in changes[page.solver_advice]
    found = form.settings(page, {**values, page.solver: "vml-map"})
    assert found.then[0].quality == 20 and found.damage.name == "jpeg"
    shown = preview(page, {**values, page.solver: "vml-map"})
    assert not shown[page.problem]["fault"] and "then" in shown[page.share]["command line"]
    refused = preview(page, {**values, page.settings["then"]: [{"name": "jpeg", "parameters": {"quality": None}}]})
    assert "must be" in refused[page.problem]["caption"]


def test_a_mask_further_on_brings_the_pad(page):
    values = sent(page, task="colorize", then=["inpaint-mask"])
    changes = choices.change_task(page, {**values, page.solver_by_hand: False})
    assert changes[page.mask_panel]["visible"] and not changes[page.picture_panel]["visible"]


def test_settings_come_to_the_page_and_go_from_it(page, photo):
    made = Settings.create(mode=DEGRADED, task="deblur-gaussian", then=THEN, sigma_y=0.02)
    changes = adopting.adopt(page, made, photo, {})
    given = changes[page.settings["then"]]
    assert [each["name"] for each in given] == ["super-resolution", "jpeg"] and given[0]["parameters"]["factor"] == 2
