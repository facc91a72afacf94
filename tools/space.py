"""The folder to push to a Hugging Face Space: `python tools/space.py build/space` makes and checks it.

The facts about Spaces are of their documentation in August 2026.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet

from inverse.errors import OutputError

ROOT = Path(__file__).resolve().parents[1]
CONTENT = ("app.py", "inverse", "assets", "docs", "requirements.txt", "README.md")
MEASURED = ("judge.md", "findings.md", "findings")
"""Of docs/, what the app shows."""
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyi", ".*")

INSTALLED_BY_SPACES = ("gradio", "spaces")
"""The platform installs its own; `sdk_version` says which gradio."""
ZERO_TORCH = ("2.8.0", "2.9.1", "2.10.0", "2.11.0")
"""What ZeroGPU supports."""
ZERO_PYTHON = ("3.12",)
"""Of what ZeroGPU has, what this program runs on: 3.10 is the other."""
MAX_FILE, MAX_TOTAL = 9_500_000, 100_000_000
"""Bytes: larger files need Git LFS, and a large folder starts slowly."""
CARD = """
# inverse

Restore photos with pre-trained unconditional diffusion models: missing pixels, blur, low resolution, noise and more.
Watch every step of the reverse diffusion while it works, and tune it by eye.

**To use it**, choose an example, or a photo of your own; say what happened to it, and press Restore. While others are
before you, the page says your place and about how long it takes. Results stay in your browser, and a saved PNG carries
its settings: "Load settings" brings them back. From a program: "Use via API" at the foot of the page.

**To have a Space of your own**, choose "Duplicate this Space" in its menu. No variable or secret has to be set, and
no model is downloaded: the small prior is among the files.

- ZeroGPU: choose it as the hardware; a free account that is older than 30 days may host two such Spaces. The page says
  how many seconds of the GPU a run takes with the chosen prior before it starts, which count against the quota of the
  visitor.
- CPU: two cores suffice, and a plan that is paid for: free Spaces on a CPU ended in July 2026. Photos are restored at
  up to 1024 pixels a side.
- A GPU of its own: it is found and used, at up to 2048 pixels a side.
- Larger priors: the variable `APP_PRIORS` names those that visitors may choose, for instance
  `embedded,ddpm-cat-256`. Only weights in safetensors are taken. They are downloaded when the Space starts.
- What one visitor may ask for is bounded. The bounds are printed in the log when the Space starts; a variable in the
  Space's settings changes each: `APP_MAX_SIDE`, `APP_MAX_SECONDS`, `APP_MAX_QUEUE` and so on.

Example photos: see `assets/examples`. Licence: Apache-2.0.
"""
"""What a Space says of itself. How to build and test the project is of no use there: it has no make and no tests."""
COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
MAX_DESCRIPTION = 60


def build(folder: Path, root: Path = ROOT) -> None:
    """Writes the folder anew; what was in it is lost.

    Args:
        folder: where to.
        root: of the project.

    Raises:
        OutputError: the folder holds something that this program did not make; see `check_replaceable`.
    """
    folder = folder.resolve()
    check_replaceable(folder, root.resolve())
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(root / "app.py", folder)  # first: it is the sign that the folder may be replaced
    for name in ("inverse", "assets"):
        shutil.copytree(root / name, folder / name, ignore=LEFT_OUT)
    others = {path.name for path in (root / "docs").iterdir()} - set(MEASURED)
    shutil.copytree(root / "docs", folder / "docs", ignore=shutil.ignore_patterns(*others))
    (folder / "requirements.txt").write_text(requirements((root / "requirements.txt").read_text()))
    (folder / "README.md").write_text(readme((root / "README.md").read_text()))


def check_replaceable(folder: Path, root: Path) -> None:
    """Refuses a folder whose content somebody may miss, or that would be copied into itself.

    Args:
        folder: resolved.
        root: of the project, resolved.

    Raises:
        OutputError: with a sentence.
    """
    remedy = "Name a new or empty folder, for instance build/space."
    if root.is_relative_to(folder):
        raise OutputError(f"{folder} is the project or holds it, and would be deleted. {remedy}")
    if any(folder.is_relative_to(root / name) for name in CONTENT):
        raise OutputError(f"{folder} is a part of the project, and would be copied into itself. {remedy}")
    if not folder.exists():
        return
    found = {path.name for path in folder.iterdir()} - {"__pycache__"} if folder.is_dir() else {folder.name}
    if found and not (folder / "app.py").is_file():
        raise OutputError(f"{folder} is not empty and was not made by this program. {remedy}")
    if strange := sorted(found - set(CONTENT)):
        raise OutputError(f"{folder} holds {strange[0]}, which this program did not make and would delete. {remedy}")


def requirements(text: str) -> str:
    """requirements.txt for a Space: without what the platform installs, and torch no newer than ZeroGPU supports."""
    kept = [each for each in parsed(text) if each.name not in INSTALLED_BY_SPACES]
    for each in kept:
        if each.name == "torch":
            each.specifier &= SpecifierSet(f"<{_after(ZERO_TORCH[-1])}")
    return "".join(f"{each}\n" for each in kept)


def readme(text: str) -> str:
    """The README's head, which configures the Space, and words for who visits or duplicates it."""
    return f"---{_parts(text)[0]}---\n{CARD}"


def parsed(text: str) -> list[Requirement]:
    return [Requirement(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def faults(folder: Path) -> list[str]:
    """A sentence for everything that would not work on a Space, or on ZeroGPU."""
    found = [*_files(folder), *_head(folder), *_requirements(folder)]
    return found or _starts(folder)


def _files(folder: Path) -> list[str]:
    found, total = [], 0
    if names := {path.name for path in folder.iterdir()} ^ set(CONTENT):
        found.append(f"The folder must hold {', '.join(CONTENT)}, and nothing else; it differs in {sorted(names)}.")
    for path in folder.rglob("*"):
        size = path.stat().st_size if path.is_file() else 0
        total += size
        if size > MAX_FILE:
            found.append(f"{path.relative_to(folder)} has {size} bytes; at most {MAX_FILE} can be pushed without LFS.")
    if total > MAX_TOTAL:
        found.append(f"All files together have {total} bytes, and should have at most {MAX_TOTAL}.")
    return found


def _head(folder: Path) -> list[str]:
    try:
        head = yaml.safe_load(_parts((folder / "README.md").read_text())[0])
    except (OSError, ValueError, yaml.YAMLError):
        return ["README.md must begin with settings in YAML between two lines of ---."]
    if not isinstance(head, dict):
        return ["The head of README.md must hold names and values."]
    wanted: dict[str, tuple[Any, str]] = {
        "title": (bool, "a title"),
        "emoji": (bool, "an emoji"),
        "license": (bool, "a licence"),
        "colorFrom": (COLORS.__contains__, f"one of {', '.join(COLORS)}"),
        "colorTo": (COLORS.__contains__, f"one of {', '.join(COLORS)}"),
        "sdk": ("gradio".__eq__, "gradio"),
        "sdk_version": (version("gradio").__eq__, f"{version('gradio')}, the version that is installed and tested"),
        "python_version": (ZERO_PYTHON.__contains__, f"one of {', '.join(ZERO_PYTHON)}, as a text in quotes"),
        "app_file": (lambda name: name in CONTENT and (folder / name).is_file(), "a file that is there"),
        "short_description": (
            lambda text: isinstance(text, str) and len(text) <= MAX_DESCRIPTION,
            f"a text of at most {MAX_DESCRIPTION} characters",
        ),
    }
    return [
        f"{name} in the head of README.md must be {words}, and is {head.get(name)!r}."
        for name, (allowed, words) in wanted.items()
        if not allowed(head.get(name))
    ]


def _requirements(folder: Path) -> list[str]:
    try:
        found = {each.name: each for each in parsed((folder / "requirements.txt").read_text())}
    except (OSError, InvalidRequirement) as error:
        return [f"requirements.txt cannot be read: {error}."]
    said = [f"requirements.txt must not name {name}, which the platform installs." for name in INSTALLED_BY_SPACES
            if name in found]  # fmt: skip
    if "torch" not in found:
        return [*said, "requirements.txt must name torch."]
    specifier = found["torch"].specifier
    if not any(specifier.contains(each) for each in ZERO_TORCH):
        said.append(f"torch{specifier} allows none of {', '.join(ZERO_TORCH)}, which ZeroGPU supports.")
    if specifier.contains(_after(ZERO_TORCH[-1])):
        said.append(f"torch{specifier} allows versions after {ZERO_TORCH[-1]}, of which the newest would be installed.")
    return said


def _starts(folder: Path) -> list[str]:
    """Builds the page in a new process, in a copy of the folder, with nothing else of this project on the path."""
    code = "import app, inverse; print(inverse.__file__, sorted(app.demo.get_api_info()['named_endpoints']))"
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory() as place:  # Python and Gradio write files beside the source
        copy = shutil.copytree(folder, Path(place).resolve() / "space")
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, cwd=copy, env=variables, capture_output=True, text=True, check=False)
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1:] or [f"it ended without a word, with exit status {run.returncode}."]
        return [f"The app does not start there: {last[0]}"]
    if not run.stdout.startswith(str(copy)):
        return [f"The app imports another copy of the program, {run.stdout.split()[0]}."]
    return []


def _after(version: str) -> str:
    """The next minor version: "2.11.0" -> "2.12"."""
    major, minor = version.split(".")[:2]
    return f"{major}.{int(minor) + 1}"


def _parts(text: str) -> tuple[str, str]:
    """Head and body of a README; raises ValueError where there is no head."""
    before, head, body = text.split("---", 2)
    if before:
        raise ValueError("no head")
    return head, body


def main(arguments: Sequence[str]) -> int:
    """Builds and checks; returns the exit status.

    Raises:
        SystemExit: with a sentence, where nothing may or can be built.
    """
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise SystemExit("Name the folder to make, and nothing else: python tools/space.py build/space")
    folder = Path(arguments[0])
    try:
        build(folder)
    except OutputError as error:
        raise SystemExit(str(error)) from None
    found = faults(folder)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder} is ready to push: {size / 1e6:.1f} MB.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
