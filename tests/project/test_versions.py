"""What is installed, what is declared, and what the Space asks for agree."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
REQUIREMENTS = [
    Requirement(line)
    for line in (ROOT / "requirements.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_requirements_are_those_of_the_package_and_of_its_app():
    declared = {Requirement(line) for line in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["app"]]}
    assert declared == set(REQUIREMENTS)


@pytest.mark.parametrize(
    ("package", "floor"), [("gradio", "6.31"), ("pillow", "12.3"), ("torch", "2.10"), ("diffusers", "0.38")]
)
def test_floors(package, floor):
    """Older ones have known faults."""
    assert Version(version(package)) >= Version(floor)
    (requirement,) = [r for r in REQUIREMENTS if r.name == package]
    below = Version(floor).release
    assert not requirement.specifier.contains(f"{below[0]}.{below[1] - 1}")


def test_every_requirement_is_bounded_and_installed():
    for requirement in REQUIREMENTS:
        assert re.search(r"==|<", str(requirement.specifier)), requirement
        assert requirement.specifier.contains(version(requirement.name)), requirement


def test_space_runs_the_tested_gradio():
    readme = (ROOT / "README.md").read_text()
    sdk = re.search(r"^sdk_version: (\S+)$", readme, re.MULTILINE).group(1)
    assert sdk == version("gradio")
    assert f"'gradio=={sdk}'" in (ROOT / "inverse/cli/app.py").read_text()


def test_no_file_is_too_large_to_push():
    for path in (ROOT / "assets").rglob("*"):
        assert path.is_dir() or path.stat().st_size < 9.5e6, path
