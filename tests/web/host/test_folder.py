"""The temporary folder: this process's own, within its budget, and no dead process's folder stays."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from inverse.web.host import folder

pytest.importorskip("fcntl")

CLAIM = "from inverse.web.host import folder; print(folder.claim(), flush=True); input()"


@pytest.fixture
def another(tmp_path):
    """A living process with a folder in the same place."""
    process = subprocess.Popen(
        [sys.executable, "-c", CLAIM], env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    yield process, process.stdout.readline().strip()
    process.kill()
    process.wait()


def test_folders_of_killed_processes_go_and_those_of_living_ones_stay(another, tmp_path):
    process, theirs = another
    strangers = tmp_path / "inverse-of-somebody-else"
    strangers.mkdir()
    folder.remove_abandoned(tmp_path)
    assert os.path.isdir(theirs), "its owner lives"  # noqa: PTH112
    process.send_signal(signal.SIGKILL)
    process.wait()
    folder.remove_abandoned(tmp_path)
    assert not os.path.exists(theirs) and strangers.is_dir()  # noqa: PTH110


def test_the_next_start_removes_what_a_killed_process_left(another, tmp_path, monkeypatch):
    process, theirs = another
    process.kill()
    process.wait()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert os.path.isdir(theirs)  # noqa: PTH112
    assert [folder.claim()] == list(tmp_path.glob(f"{folder.PREFIX}*"))


def test_the_folder_goes_with_the_process(tmp_path):
    made = subprocess.run(
        [sys.executable, "-c", "from inverse.web.host import folder; print(folder.own(), folder.own().is_dir())"],
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert str(tmp_path) in made and "True" in made and not list(tmp_path.iterdir())


OUTSIDE = """
import os, signal, sys, tempfile, threading

def outside():
    handlers = [signal.getsignal(each) for each in signal.valid_signals()]
    return dict(os.environ), tempfile.tempdir, [*sys.path], handlers, threading.enumerate(), os.getcwd()

import cv2  # which changes where the system looks for libraries, whoever imports it
before = outside()
import inverse.web
assert outside() == before
for name in ("api.endpoints", "host.server", "page.events"):
    __import__(f"inverse.web.{name}")
assert outside() == before
"""


def test_importing_the_web_app_changes_nothing_outside(tmp_path):
    environment = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    run = subprocess.run([sys.executable, "-c", OUTSIDE], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert not list(tmp_path.iterdir())


def test_every_claim_is_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    first, second = folder.claim(), folder.claim()
    assert first != second and first.is_dir() and second.is_dir()
    folder.release(first)
    assert not first.exists() and second.is_dir()


def upload(parent, name, size=1000, age=10.0):
    (parent / name).mkdir()
    file = parent / name / "photo.png"
    file.write_bytes(b"x" * size)
    then = time.time() - age
    os.utime(file, (then, then))
    os.utime(parent / name, (then, then))
    return file


def test_a_thousand_uploads_stay_within_the_budget_and_the_newest_remain(tmp_path):
    made = [upload(tmp_path, str(index), age=2000 - index) for index in range(1000)]
    budget = 50 * (1000 + folder.ENTRY)
    folder.sweep(tmp_path, budget=budget)
    left = list(folder.files(tmp_path))
    assert sorted(left) == sorted(made[-50:])
    folder.sweep(tmp_path, budget=budget, now=time.time() + 10)
    assert len(list(tmp_path.iterdir())) == 50, "no empty folders stay"


def test_empty_files_are_bounded_too(tmp_path):
    """One request may have a thousand parts, and a disk has only so many entries."""
    for index in range(300):
        upload(tmp_path, str(index), size=0)
    folder.sweep(tmp_path, budget=2**20, now=time.time() + 5)
    assert 0 < len(list(folder.files(tmp_path))) == len(list(tmp_path.iterdir())) <= 2**20 / 4096 / 2


def test_old_files_and_parts_of_uploads_go_and_the_pages_own_stay(tmp_path):
    (tmp_path / folder.LOCK).touch()
    own, old, new = upload(tmp_path, "own", age=99_999), upload(tmp_path, "old", age=4000), upload(tmp_path, "new")
    part, coming = tmp_path / "tmpabc", tmp_path / "tmpdef"
    for file, age in ((part, 100), (coming, 5)):
        file.write_bytes(b"x")
        os.utime(file, (time.time() - age,) * 2)
    folder.sweep(tmp_path, budget=10**9, keep={own})
    assert own.exists() and new.exists() and coming.exists() and (tmp_path / folder.LOCK).exists()
    assert not old.exists() and not part.exists()


def test_an_upload_named_like_the_lock_is_bounded_too(tmp_path):
    hostile = upload(tmp_path, "hash", age=4000).rename(tmp_path / "hash" / folder.LOCK)
    os.utime(hostile, (0, 0))
    folder.sweep(tmp_path, budget=10**9)
    assert not hostile.exists()


def test_on_a_full_disk_the_oldest_uploads_make_room_at_once(tmp_path, monkeypatch):
    """They would fill it for an hour otherwise, and every upload be refused meanwhile."""
    made = [upload(tmp_path, str(index), size=100_000, age=100 - index) for index in range(20)]
    free = [0]
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda path: SimpleNamespace(free=free[0]))
    folder.sweep(tmp_path, budget=10**9)
    left = [file for file in made if file.exists()]
    assert left == made[-len(left) :], "the newest stay"
    gone = (len(made) - len(left)) * (100_000 + folder.ENTRY)
    assert gone >= len(made) * (100_000 + folder.ENTRY) // 4 and len(left) > 10
    free[0] = gone
    folder.sweep(tmp_path, budget=10**9)
    assert [file for file in made if file.exists()] == left, "with room, nothing more goes"


def test_a_large_disk_keeps_room_for_a_few_uploads_only(tmp_path, monkeypatch):
    made = [upload(tmp_path, str(index), age=100 - index) for index in range(20)]
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda path: SimpleNamespace(free=folder.SPARE))
    folder.sweep(tmp_path, budget=10**9)
    assert all(file.exists() for file in made)
