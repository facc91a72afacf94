"""What README and CONTRIBUTING say of a new solver, tab, prior and setting works as it stands, wherever they say."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from inverse.__main__ import main
from inverse.denoisers.exact import GaussianField
from inverse.evaluation import judge
from inverse.restoration import degrade, stream
from inverse.solvers import SOLVERS
from inverse.solvers.presets import preset, solvers_for
from inverse.web.jobs.offers import solver_choices

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


@pytest.fixture
def projection(tmp_path, monkeypatch):
    """The class of the example, registered as importing its file would."""
    section = README.read_text(encoding="utf-8").partition("### Adding a solver")[2]
    file = tmp_path / "projection.py"
    file.write_text(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], encoding="utf-8")
    before = dict(SOLVERS)
    spec = importlib.util.spec_from_file_location("projection_example", file)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    yield module.Projection
    SOLVERS.clear()
    SOLVERS.update(before)


def test_the_solver_of_the_readme_is_offered_and_works(projection, photo):
    assert projection.name in solvers_for("inpaint-box") and projection.name not in solvers_for("jpeg")
    assert projection.name in [name for _, name in solver_choices("inpaint-box", "embedded")]
    assert preset("inpaint-box", projection.name, {"strength": 0.5}) == projection(strength=0.5)

    listed = CliRunner().invoke(main, ["solvers", projection.name])
    assert listed.exit_code == 0 and "strength" in listed.output

    problem = degrade(photo, "inpaint-box", sigma_y=0.0)
    field = GaussianField((3, *problem.truth.shape[-2:]))
    *_, last = stream(problem, projection(steps=20), field)
    assert last.index == last.total == last.nfe == 20
    assert last.residual.max() < 1e-3  # what is known is kept

    (row,) = judge.judge([projection.name], samples=2, tasks=["inpainting"])
    assert row.bias < 1  # standard deviation of the posterior


def applied(diff, folder):
    """A diff without line numbers: context and what is removed are found, once, and what is added stands instead."""
    for part in re.split(r"^--- .*\n(?=\+\+\+ )", diff, flags=re.MULTILINE)[1:]:
        name, *lines = part.splitlines()
        file = folder / name.removeprefix("+++ b/")
        before, after = ("".join(f"{line[1:]}\n" for line in lines if line[:1] != sign) for sign in "+-")
        text = file.read_text(encoding="utf-8") if before else ""
        assert not before or text.count(before) == 1, f"{name}: this is not there, or not once:\n{before}"
        file.write_text(text.replace(before, after) if before else after, encoding="utf-8")


USED = """
import sys
from click.testing import CliRunner
import pages
from inverse.__main__ import main
from inverse.settings import Settings
from inverse.web.page import form

assert main.callback.__globals__["__file__"].startswith(sys.argv[1])
flags = CliRunner().invoke(main, ["restore", "--help"]).output
assert "--warmth" in flags and "How much warmer the result is made" in flags, flags
settings = Settings.create(task="inpaint-box", warmth=0.25)
back, notes = Settings.from_dict(settings.to_dict())
assert back == settings and not notes and settings.to_dict()["warmth"] == 0.25
assert "my-bedrooms" in CliRunner().invoke(main, ["priors"], env={"COLUMNS": "200"}).output

page = pages.built()
tab = next(each for each in page.tabs if each.name == "seeds")
values = pages.sent(page, warmth=0.5, count=2)
job = form.job(page, values)
assert job.settings.warmth == 0.5
assert tab.plan(page, values, job)[tab.promise].startswith("2 runs, about")
values = {**values, page.settings["size"]: 64}
*_, last = tab.run(page, values)
assert last[tab.table]["phase"] == "done" and len(last[tab.table]["cells"]) == 2, last
"""


def test_the_diffs_of_contributing_apply_and_work(tmp_path):
    shutil.copytree(ROOT / "inverse", tmp_path / "inverse", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("assets", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    diffs = re.findall(r"```diff\n(--- .*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(diffs) == 3
    for diff in diffs:
        applied(diff, tmp_path)
    path = os.pathsep.join(map(str, (tmp_path, ROOT / "tests")))
    words = [sys.executable, "-c", USED, str(tmp_path)]
    done = subprocess.run(
        words, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
