"""The README's example of a new solver works as it stands, everywhere that the README says."""

import importlib.util
import re
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

README = Path(__file__).parents[2] / "README.md"


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
