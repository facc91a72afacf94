"""Files that are whole or not there: written beside their name, then moved to it; and the pictures among them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from inverse.errors import OutputError
from inverse.text import visible

_JPEG = {"quality": 95, "subsampling": "4:4:4"}
WRITTEN: dict[str, dict[str, Any]] = {
    ".png": {}, ".jpg": _JPEG, ".jpeg": _JPEG, ".jfif": _JPEG, ".webp": {"lossless": True},
    ".tif": {"compression": "tiff_lzw"}, ".tiff": {"compression": "tiff_lzw"}, ".bmp": {},
    ".avif": {"quality": 100, "subsampling": "4:4:4"},
}  # fmt: skip
"""Endings of pictures that are written, and how: without loss but for JPEG and AVIF, and those nearly so."""
JPEG = (".jpg", ".jpeg", ".jfif")
DEEP = (".png", ".tif", ".tiff")
"""Those that hold 16 bits."""

_REASONS: dict[int | None, str] = {
    errno.ENOSPC: "the disk is full. Free some space, or choose another folder",
    errno.EDQUOT: "your share of the disk is used up. Free some space, or choose another folder",
    errno.EROFS: "the disk is read-only. Choose another folder",
    errno.EACCES: "you may not write there. Choose a folder of yours",
    errno.EPERM: "you may not write there. Choose a folder of yours",
    errno.ENOENT: "its folder does not exist. Create it, or choose another one",
    errno.ENOTDIR: "what should be its folder is a file. Choose another folder",
    errno.EISDIR: "it is a folder. Choose another name",
    errno.ENAMETOOLONG: "its name is too long. Choose a shorter one",
}


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Writes beside the path and then moves there: whoever reads finds the old file or the new one, never half of one.

    A link at the path is replaced, not followed. `write` is given a new path in the same folder, with the same ending.

    Raises:
        OutputError: it cannot be written; what was at the path is still there.
    """
    with _beside(path) as temporary:
        write(temporary)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """A name beside the path for a file or a folder of files, which is moved to the path at the end, or gone."""
    temporary = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        for file in temporary.iterdir() if temporary.is_dir() else (temporary,):
            with file.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        raise unwritable(path, error) from error
    finally:  # also when it is interrupted
        shutil.rmtree(temporary, ignore_errors=True)
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """The text in UTF-8, by `replace_atomically`."""
    replace_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def new_folder(path: Path, write: Callable[[Path], object]) -> None:
    """Writes into a folder beside the path and then moves it there: it is whole or not there.

    `write` is given an empty folder, for files.

    Raises:
        OutputError: there is something at the path other than an empty folder; or it cannot be written.
    """
    with _beside(path) as temporary:
        if path.is_symlink() or (path.exists() and (not path.is_dir() or any(path.iterdir()))):
            raise OutputError(f"{printable(path)[-200:]} is there already. Choose the name of a new folder.")
        temporary.mkdir()
        write(temporary)


def unwritable(path: Path, error: BaseException) -> OutputError:
    """The sentence for a file that could not be written."""
    reason = _REASONS.get(getattr(error, "errno", None))
    if reason is None and "No space left" in str(error):  # safetensors tells it in words
        reason = _REASONS[errno.ENOSPC]
    return OutputError(
        f"{printable(path)[-200:]} cannot be written: {reason or 'it failed. Choose another place or format'}."
    )


def printable(path: Path) -> str:
    """The path as text that any terminal and any log takes; bytes that are not UTF-8 become question marks."""
    return visible(os.fsencode(path).decode("utf-8", "replace").replace("\ufffd", "?"))
