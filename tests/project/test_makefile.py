"""An old Python is told at once, in a sentence, and not by what pip makes of it minutes later."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(
    ("version", "made"), [((3, 9), False), ((3, 10, 14), False), ((3, 11), True), ((3, 14), True), (None, False)]
)
def test_an_environment_is_made_by_a_python_that_is_new_enough(tmp_path, version, made):
    python = tmp_path / "python-of-the-test"
    if version is not None:  # it says that it has this version, and notes what else it is asked to do
        question = f"exec '{sys.executable}' -c 'import sys; sys.version_info = {version}; exec(sys.argv[1])' \"$2\""
        python.write_text(f"#!/bin/sh\nif [ $1 = -c ]; then {question}; fi\necho $@ > asked\n")
        python.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    command = ["make", ".venv/bin/python", f"PYTHON={python}"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (tmp_path / "asked").exists() == made == (run.returncode == 0), run.stderr
    if not made:
        assert "needs Python 3.11 or newer" in run.stderr and "PYTHON=python3.12 make app" in run.stderr


def test_the_readme_and_the_package_name_the_same_version():
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()
    assert "Python 3.11 or newer" in (ROOT / "README.md").read_text()
