"""The temporary folder of this process: uploads and what Gradio keeps for a page. Nobody else's, and bounded."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows, where folders of dead processes are left to the system
    fcntl = None

PREFIX = "inverse-"
LOCK = "lock"
KEPT = 3600
"""Seconds after which a file that nobody renewed is removed."""
IN_TRANSIT = 60
"""Seconds within which an upload has its final name; a stray part of one is removed then."""
SPARE = 64 * 2**20
"""Bytes of the disk that stay free, or a quarter of a smaller one: uploads, of which old ones go for it."""
ENTRY = 8192
"""Bytes that a file takes beside its content: a block for its last part, and one for the folder that Gradio makes for
it. Without them a thousand tiny files in one request would hardly count, and a disk runs out of entries too."""

_held: list[IO[bytes]] = []


@cache
def own() -> Path:
    """The folder of this process, claimed at the first call. Gradio is told to use it, and it goes with the process."""
    folder = claim()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    atexit.register(release, folder)
    return folder


def claim() -> Path:
    """Makes the folder of this process, and removes those whose processes were killed before they could.

    A lock says whether the owner lives: a process number may have been given to another meanwhile.
    """
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    lock = (folder / "making").open("wb")
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / "making").rename(folder / LOCK)  # whoever sees it finds it locked
    _held.append(lock)
    return folder


def remove_abandoned(parent: Path) -> None:
    """Removes the folders in `parent` that belong to no living process of this program."""
    if fcntl is None:
        return
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its owner lives
            shutil.rmtree(folder, ignore_errors=True)


def release(folder: Path) -> None:
    """Removes the folder of this process."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: Path, budget: int, keep: Collection[Path] = (), now: float | None = None) -> None:
    """Removes old files, parts of uploads that broke off, then the oldest until the rest is within the budget.

    On a disk that is nearly full the budget is less, so that there is room for the next upload.

    Args:
        folder: to be kept in order.
        budget: bytes, of which every file takes `ENTRY` beside its content.
        keep: files of the page itself, which are needed as long as it is served.
        now: seconds since the epoch.
    """
    now = time.time() if now is None else now
    aged = []
    for file in files(folder):
        if file in keep:
            continue
        with contextlib.suppress(FileNotFoundError):
            state = file.stat()
            age = now - state.st_mtime
            if age > KEPT or (file.parent == folder and age > IN_TRANSIT):
                file.unlink()
            else:
                aged.append((age, state.st_size + ENTRY, file))
    total = sum(length for _, length, _ in aged)
    room = total + shutil.disk_usage(folder).free  # what there would be without these files
    budget = min(budget, room - min(SPARE, room // 4))
    for _, length, file in sorted(aged, key=lambda entry: -entry[0]):
        if total <= budget:
            break
        with contextlib.suppress(FileNotFoundError):
            file.unlink()
        total -= length
    for child in folder.iterdir():
        with contextlib.suppress(OSError):  # not empty, or just removed by another
            # Gradio makes a folder first, and moves the file into it then.
            if child.is_dir() and now - child.stat().st_mtime > 1:
                child.rmdir()


def files(folder: Path) -> Iterator[Path]:
    """Everything in it but the lock."""
    for path in folder.rglob("*"):
        if path != folder / LOCK and path.is_file():
            yield path
