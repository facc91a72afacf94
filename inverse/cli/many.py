"""Several photos in one call: where each comes from and goes to, and what is told of them all."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from inverse.batch.many import DONE, FAILED, SKIPPED, Tally, fault, free
from inverse.cli.command import Stopped, spoken
from inverse.cli.places import check_folder
from inverse.cli.terminal import Terminal
from inverse.errors import ImageError, OutputError
from inverse.imaging.files import WRITTEN, printable
from inverse.imaging.images import ENDINGS

STREAM = Path("-")
"""Stands for what is piped in, or out."""


@dataclass(frozen=True)
class Place:
    """A photo and where its result goes."""

    photo: Path
    output: Path


def is_folder(path: Path) -> bool:
    """Whether there is a folder of that name; a name that is too long is none."""
    try:
        return path.is_dir()
    except OSError:
        return False


def found(photos: Sequence[Path]) -> list[Path]:
    """The photos themselves, and in the place of each folder the pictures in it, by their names.

    Raises:
        ImageError: there is none in a folder.
    """
    files: list[Path] = []
    for photo in photos:
        if not is_folder(photo):
            files.append(photo)
            continue
        inside = [file for file in sorted(photo.iterdir()) if file.suffix.lower() in ENDINGS and file.is_file()]
        inside = [file for file in inside if not file.name.startswith(".")]
        if not inside:
            raise ImageError(
                f"{printable(photo)} holds no pictures; folders in it are not looked into. Name the folder that does."
            )
        files += inside
    return list(dict.fromkeys(files))


def planned(photos: Sequence[Path], folder: Path) -> list[Place]:
    """Where the results of several photos go: into the folder, under their names.

    An ending that is not written becomes .png, and photos that differ only by folder or ending get names apart.

    Raises:
        OutputError: the folder cannot be made or written to, or results would replace photos.
    """
    if folder.suffix.lower() in WRITTEN and not is_folder(folder):
        raise OutputError(
            f"Several photos need a folder for their results, and {printable(folder)} is the name of a picture. Name "
            "a folder with -o."
        )
    check_folder(folder)
    places, taken = [], set()
    for photo in photos:
        if photo.parent.resolve() == folder.resolve():
            raise OutputError(
                f"{printable(photo)} lies in the folder of the results, and would be replaced. Choose another folder."
            )
        name = photo.name if photo.suffix.lower() in WRITTEN else f"{photo.stem}.png"
        name = free(name if name not in taken else f"{photo.name}.png", taken)
        taken.add(name)
        places.append(Place(photo, folder / name))
    return places


def mask_of(photo: Path, masks: Path | None) -> Path | None:
    """The mask of a photo: that of its name where they lie in a folder, the same for all otherwise.

    Raises:
        ImageError: the folder has none.
    """
    if masks is None or not is_folder(masks):
        return masks
    own = [file for file in sorted(masks.iterdir()) if file.stem == photo.stem and file.suffix.lower() in ENDINGS]
    if not own:
        raise ImageError(f"{printable(masks)} holds no mask called {printable(Path(photo.stem))}. Add it, or leave the "
                         "photo out.")  # fmt: skip
    return own[0]


def restored(
    places: Sequence[Place],
    restore: Callable[[Place], dict[str, Any]],
    there: Callable[[Place], bool],
    console: Terminal,
    tell: Callable[[dict[str, Any]], None],
) -> bool:
    """Restores one after another, says of each what came of it, and in the end of all; whether none failed.

    Args:
        places: photos and where their results go.
        restore: makes one result, and returns what is to be told of it.
        there: whether a result is there already, so that a call that was ended goes on.
        console: for people.
        tell: takes a record of each, as plain data.

    Raises:
        Stopped: by Ctrl+C or SIGTERM, when it has been said what was finished.
    """
    tally = Tally(len(places))
    try:
        for number, place in enumerate(places, 1):
            record: dict[str, Any] = {"photo": str(place.photo), "output": str(place.output)}
            if there(place):
                record |= {"status": SKIPPED}
            else:
                console.print(f"{number} of {len(places)}: {printable(place.photo)}")
                record |= _one(place, restore)
            tally.add(record["status"], printable(place.photo))
            if record["status"] == FAILED:
                console.print(record["error"])
            tell(record)
    except (KeyboardInterrupt, Stopped):
        console.print(tally.words)
        raise Stopped("Stopped. The same command goes on with what is not there yet.") from None
    console.print(tally.words)
    return not tally.failed


def _one(place: Place, restore: Callable[[Place], dict[str, Any]]) -> dict[str, Any]:
    try:
        with spoken():
            return {"status": DONE, **restore(place)}
    except Stopped:
        raise
    except click.ClickException as error:
        return {"status": FAILED, "error": error.message}
    except Exception as error:
        return {"status": FAILED, "error": fault(error)}


def line(record: dict[str, Any]) -> None:
    """Writes a record as one line of JSON to the standard output."""
    click.echo(json.dumps(record, ensure_ascii=True, allow_nan=False))


@contextlib.contextmanager
def piped(photo: Path, output: Path) -> Iterator[Place]:
    """The files that stand for what is piped in and out, `-` for the photo or for the result, which is a PNG then."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(
            Path(folder) / "stdin" if photo == STREAM else photo,
            Path(folder) / "stdout.png" if output == STREAM else output,
        )
        if photo == STREAM:
            place.photo.write_bytes(sys.stdin.buffer.read())
        yield place
        if output == STREAM:
            sys.stdout.buffer.write(place.output.read_bytes())
            sys.stdout.buffer.flush()
