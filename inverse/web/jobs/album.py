"""Several photos of a visitor's own, and what has come of each: taken within bounds, begun anew, packed into a file."""

from __future__ import annotations

import os
import zipfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inverse.batch.many import DONE, FAILED, Tally, free
from inverse.errors import ImageError, ParameterError
from inverse.web.base import limits
from inverse.web.base.gradio_internals import new_file
from inverse.web.base.guards import uploaded
from inverse.web.elements.photos import plain_name

WAITING, RUNNING = "waiting", "running"
SHARE = 4
"""Of the room for all visitors' uploads, one part for the photos of one."""
GONE = "The server has it no more: files are kept for an hour. Choose it again."
ARCHIVE = "restored-photos.zip"
LONGEST = 300
"""Characters of a name, and of words that a page brings back."""


@dataclass
class Row:
    """A photo, and what came of it.

    Attributes:
        path: where it was uploaded to; empty where there is no such file.
        name: what its visitor calls it.
        status: one of `WAITING`, `RUNNING`, `DONE`, `FAILED`.
        words: what came of it.
        file: the result; empty where there is none.
    """

    path: str
    name: str
    status: str = WAITING
    words: str = ""
    file: str = ""

    @property
    def view(self) -> dict[str, str]:
        return {**vars(self), "made": Path(self.file).name}

    def wait(self) -> None:
        """It is to be restored anew."""
        self.status, self.words, self.file = WAITING, "", ""


@dataclass
class Album:
    """The photos, in their order; other handlers read and extend it while they are restored.

    Attributes:
        rows: the photos.
        archive: the last ZIP of results.
    """

    rows: list[Row] = field(default_factory=list)
    archive: str = ""

    @property
    def waiting(self) -> list[Row]:
        """Those that are to be restored."""
        return [row for row in self.rows if row.status == WAITING]

    @property
    def over(self) -> int:
        """How many have come to something."""
        return sum(row.status in (DONE, FAILED) for row in self.rows)

    @property
    def summary(self) -> str:
        tally = Tally(len(self.rows))
        for row in self.rows:
            if row.status in (DONE, FAILED):
                tally.add(row.status, row.name)
        return tally.words

    def add(self, given: Any) -> str:
        """Takes photos that were uploaded, [{"path", "name"}], and results of theirs that a page before had.

        Returns:
            what is to be said of those that were not taken.

        Raises:
            ParameterError: it is no list of files.
        """
        if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
            raise ParameterError("Photos come as a list of uploaded files. Choose them on the page.")
        allowed, known, refused = limits.current(), {row.path for row in self.rows}, 0
        room = most() * 2**20 - sum(Path(row.path).stat().st_size for row in self.rows if there(row.path))
        for each in given:
            row = _row(each)
            size = Path(row.path).stat().st_size if row.path else 0
            if row.path in known - {""}:
                continue
            if len(self.rows) >= allowed.photos or size > room:
                refused += 1
                continue
            room -= size
            known.add(row.path)
            self.rows.append(row)
        return f"{refused} were left out. {bound()}. Restore them afterwards." if refused else ""

    def restart(self) -> None:
        """All are to be restored anew, those whose files are still here."""
        for row in self.rows:
            if there(row.path):
                row.wait()

    def renew(self) -> None:
        """Files count as new, so that they are kept until all are restored."""
        for path in (path for row in self.rows for path in (row.path, row.file) if path):
            with suppress(OSError):
                os.utime(path)

    def keep(self, row: Row, content: bytes | str) -> None:
        """A photo is restored: its result, a PNG or the path of a file, gets a name that no other one has."""
        if isinstance(content, bytes):
            path = new_file(f"{plain_name(row.path)}-restored.png")
            path.write_bytes(content)
        else:
            path = Path(content)
        name = free(path.name, {Path(other.file).name for other in self.rows if other.file})
        row.file, row.status = str(path.rename(path.with_name(name))), DONE

    def packed(self) -> str:
        """The path of a ZIP of all results.

        Raises:
            ImageError: there are none, or some are gone.
        """
        files = [row.file for row in self.rows if row.status == DONE]
        if not files:
            raise ImageError("Nothing is restored yet. Restore the photos first.")
        if not all(map(there, files)):
            raise ImageError(
                "The server has some of the results no more: files are kept for an hour. Start over restores them."
            )
        if self.archive:
            Path(self.archive).unlink(missing_ok=True)
        path = new_file(ARCHIVE)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
            for file in files:
                archive.write(file, Path(file).name)
        self.archive = str(path)
        return self.archive


def _row(given: dict[str, Any]) -> Row:
    """A photo as the page names it; one that failed where it is not here."""
    name, words = (str(given.get(key) or "")[:LONGEST] for key in ("name", "words"))
    try:
        row = Row(str(uploaded(given.get("path"))), name or "photo")
    except ImageError as error:
        return Row("", name or "photo", FAILED, GONE if given.get("path") else words or str(error))
    with suppress(ImageError):
        if given.get("file"):
            row.file, row.status, row.words = str(uploaded(given["file"])), DONE, words
        elif words:
            row.status, row.words = FAILED, words
    return row


def most() -> int:
    """Megabytes of all photos of a visitor."""
    return max(limits.current().body, limits.current().disk // SHARE)


def bound() -> str:
    """How many photos are taken, in words."""
    allowed = limits.current()
    return f"At most {allowed.photos} at once, of {allowed.body} MB each and {most()} MB in all"


def there(path: str) -> bool:
    """Whether a file is still here."""
    return bool(path) and Path(path).is_file()
