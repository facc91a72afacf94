"""The folder for a Space is complete, and each fault that a Space would stumble over is found."""

import re
import shutil
from pathlib import Path

import pytest
import space

from inverse.errors import OutputError
from inverse.web.base import limits


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("space") / "space"
    space.build(folder)
    return folder


@pytest.fixture
def folder(built, tmp_path):
    return shutil.copytree(built, tmp_path / "space")


def test_what_is_built_has_no_fault_and_starts_from_there(built):
    assert space.faults(built) == []
    assert {path.name for path in built.iterdir()} == set(space.CONTENT)
    assert not [path for path in built.rglob("*") if path.name == "__pycache__" or path.suffix in (".pyc", ".pyi")]


def test_the_space_gets_a_torch_of_zerogpu_and_no_gradio(built):
    found = {each.name: each for each in space.parsed((built / "requirements.txt").read_text())}
    assert "gradio" not in found and "spaces" not in found and found["torch"].specifier.contains("2.11.0")
    assert not found["torch"].specifier.contains("2.12.0"), "the newest would be installed, and it is not supported"
    local = space.parsed((space.ROOT / "requirements.txt").read_text())
    assert {each.name for each in local} - set(found) == {"gradio"}


def test_the_readme_of_the_space_keeps_the_head_and_leads_nowhere(built):
    text = (built / "README.md").read_text()
    assert (
        text.startswith("---\ntitle: inverse\n")
        and "# inverse" in text
        and "](docs" not in text
        and "](assets" not in text
    )


def test_the_card_of_the_space_speaks_to_who_visits_or_duplicates_it(built):
    text = (built / "README.md").read_text()
    body = text.split("---", 2)[2]
    for word in ("make ", "make`", "pip ", "python ", "checkout", "tests", "```", "![", "|"):
        assert word not in body, word
    for word in ("Duplicate", "ZeroGPU", "CPU", "APP_MAX_SIDE", "Licence"):
        assert word in body, word
    for variable in re.findall(r"APP_MAX_\w+", body):
        assert variable in {limits.variable(name) for name in limits.Limits.specs()}
    for side in re.findall(r"up to (\d+) pixels", body):
        assert int(side) in (limits.Limits.defaults()["side"], limits.ON_GPU["side"])


@pytest.fixture
def project(tmp_path):
    """A small copy of the project, which may be lost."""
    root = tmp_path / "work" / "project"
    for name in ("inverse", "assets", "docs"):
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text("x")
    for name in ("app.py", "requirements.txt", "README.md", "pyproject.toml"):
        shutil.copy(space.ROOT / name, root)
    return root


@pytest.mark.parametrize(
    "target", [".", "..", "../..", "inverse", "inverse/new", "assets", "docs", "app.py", "docs/file"]
)
def test_nothing_that_somebody_made_is_deleted(project, target, monkeypatch):
    monkeypatch.chdir(project)
    before = {path: path.is_dir() or path.read_bytes() for path in project.parent.rglob("*")}
    with pytest.raises(OutputError, match=r"project|not made by this program.*build/space\.$"):
        space.build(Path(target), project)
    assert {path: path.is_dir() or path.read_bytes() for path in project.parent.rglob("*")} == before


def test_another_apps_folder_stays_and_an_own_one_is_made_anew(project, tmp_path):
    own, other = tmp_path / "own", tmp_path / "other"
    space.build(own, project)
    (own / "__pycache__").mkdir()
    (own / "inverse" / "stale").touch()
    space.build(own, project)
    assert not (own / "inverse" / "stale").exists() and not (own / "__pycache__").exists()
    for name in ("thesis.txt", ".git"):
        shutil.copytree(own, other)
        (other / name).touch()
        with pytest.raises(OutputError, match=name):
            space.build(other, project)
        assert (other / name).exists()
        shutil.rmtree(other)


def test_the_command_names_what_it_needs(monkeypatch):
    monkeypatch.setattr(space, "build", lambda folder: pytest.fail("nothing may be built"))
    for arguments in ([], ["a", "b"], ["--help"]):
        with pytest.raises(SystemExit, match=r"python tools/space\.py build/space"):
            space.main(arguments)


def test_the_command_says_why_it_refuses():
    with pytest.raises(SystemExit, match="would be deleted"):
        space.main([str(space.ROOT)])


def test_an_app_that_ends_without_a_word_is_told_by_its_status(folder):
    (folder / "app.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")
    (said,) = space.faults(folder)
    assert "does not start" in said and "-9" in said


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("README.md", "---\n", "", "must begin with settings"),
        ("README.md", "sdk_version: ", "sdk_version: 1", "sdk_version"),
        ("README.md", '"3.12"', '"3.13"', "python_version"),
        ("README.md", '"3.12"', "3.12", "in quotes"),
        ("README.md", "app_file: app.py", "app_file: main.py", "app_file"),
        ("README.md", "colorTo: blue", "colorTo: teal", "colorTo"),
        ("README.md", "short_description: ", "short_description: " + "long " * 12, "60 characters"),
        ("README.md", "license: apache-2.0\n", "", "license"),
        ("requirements.txt", "torch.*", "torch==2.13.0", "ZeroGPU supports"),
        ("requirements.txt", "torch.*", "torch>=2.10", "after 2.11.0"),
        ("requirements.txt", "numpy", "gradio==6.31.0\nnumpy", "must not name gradio"),
        ("app.py", r"demo = build\(\)", "demo = missing()", "does not start"),
    ],
)
def test_every_fault_is_named(folder, file, old, new, words):
    path = folder / file
    text = path.read_text()
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    path.write_text(changed)
    (said, *_) = space.faults(folder)
    assert words in said


def test_large_and_stray_files_are_named(folder):
    (folder / "assets" / "large.bin").write_bytes(bytes(space.MAX_FILE + 1))
    (folder / "notes.txt").write_text("x")
    assert [any(words in said for said in space.faults(folder)) for words in ("large.bin", "notes.txt")] == [
        True,
        True,
    ]
