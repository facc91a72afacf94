"""Where results go: refused before any work is done, and written so that nothing is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from PIL import Image

from inverse.errors import OutputError
from inverse.imaging.files import JPEG, WRITTEN, printable, replace_atomically, unwritable
from inverse.imaging.jpeg_tables import JpegTables
from inverse.settings import Settings
from inverse.settings.carriers import png_text


def check_output(path: Path, *inputs: Path | None) -> None:
    """Refuses a place where a picture could not be written, or that is one of the inputs, before any work is done.

    Raises:
        OutputError: the format is none of `WRITTEN`, or as in `check_place`.
    """
    Image.init()
    kind = path.suffix.lower()
    if kind not in WRITTEN or Image.EXTENSION.get(kind) not in Image.SAVE:
        what = f"{kind[:10]} is" if kind else "a name without an ending is of"
        raise OutputError(f"{_end(path)}: {what} no picture format that is written here. Use one of {_WRITTEN}.")
    check_place(path, *inputs)


def check_place(path: Path, *inputs: Path | None) -> None:
    """Refuses a place where a file of any kind could not be written, before any work is done.

    Raises:
        OutputError: the folder does not exist or cannot be written to, or the file is one of the inputs.
    """
    try:
        exists = path.exists()
        same = exists and any(source and source.exists() and path.samefile(source) for source in inputs)
    except OSError as error:  # a name that is too long
        raise unwritable(path, error) from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"{_end(path)} cannot be written. Choose a file in an existing folder of yours.")
    if same:
        raise OutputError(f"{_end(path)} is one of the files to be read, and would be lost. Choose another name.")


def check_folder(folder: Path) -> None:
    """Makes the folder of several results where there is none.

    Raises:
        OutputError: that fails, or it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{_end(folder)} is a file, and the results of several photos need a folder. Name one.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{_end(folder)} cannot be written to. Choose a folder of yours.")


def apart(path: Path, *others: Path) -> None:
    """Refuses a file that another result would replace.

    Raises:
        OutputError: it is one of the others.
    """
    if path.absolute() in {other.absolute() for other in others}:
        raise OutputError(f"{_end(path)} would hold two results, of which one is lost. Choose two names.")


def _end(path: Path) -> str:
    return printable(path)[-200:]


_WRITTEN = ", ".join(WRITTEN)


def save_picture(
    picture: Image.Image, path: Path, settings: Settings | None = None, jpeg: JpegTables | None = None, **also: Any
) -> None:  # fmt: skip
    """Writes a picture in the format that the file's name says; a PNG carries the settings, if there are any.

    `also` goes to `Settings.to_json`. A JPEG is written by the tables of another one, where these are fine.

    Raises:
        OutputError: the file cannot be written; what was there before still is.
    """
    kind = path.suffix.lower()
    text = {"pnginfo": png_text(settings.to_json(**also))} if settings is not None and kind == ".png" else {}

    def write(temporary: Path) -> None:
        try:
            alike = jpeg.options if jpeg is not None and jpeg.fine and kind in JPEG else WRITTEN.get(kind, {})
            picture.save(temporary, **text, **alike)
        except (ValueError, KeyError) as error:  # a format that cannot hold this picture
            raise unwritable(path, error) from error

    replace_atomically(path, write)
