"""The folder of a run: results as lines that are only ever appended, and pictures, which are whole or not there.

Every process writes to a file of its own, so that nobody waits for anybody, on a network's file system too. A line
that was being written when its process was killed has no end: it is no result, and the job is done again. Of a job
that was done twice all the same, the first line counts. What is written outlives its process; a machine that loses
power may take the last seconds with it.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from inverse.errors import OutputError
from inverse.imaging.files import printable, unwritable

LINES, PICTURES = "results", "pictures"


@dataclass(frozen=True)
class Outcome:
    """What came of a job, as data that can travel.

    Attributes:
        line: its figures, with the job's id.
        pictures: PNGs, by their names in the folder of pictures.
    """

    line: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)


class Results:
    """What a process adds to the folder of a run; its file is made with its first line."""

    def __init__(self, folder: Path) -> None:
        host = "".join(letter if letter.isalnum() else "-" for letter in socket.gethostname())[:40]
        self.folder = folder
        self._file = folder / LINES / f"{host}-{os.getpid()}-{secrets.token_hex(3)}.jsonl"
        self._open: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._open is not None:
            os.close(self._open)

    def add(self, outcome: Outcome) -> None:
        """Writes the pictures, and then the line that says they are there.

        Raises:
            OutputError: the disk is full, or the folder cannot be written to; what was there still is.
        """
        text = f"{json.dumps(dict(outcome.line), allow_nan=False)}\n".encode()
        try:
            (self.folder / LINES).mkdir(parents=True, exist_ok=True)
            (self.folder / PICTURES).mkdir(exist_ok=True)
            for name, content in outcome.pictures.items():  # none is synced to the disk: thousands would wait for it
                path = self.folder / PICTURES / name
                if not path.exists():
                    temporary = path.with_name(f".{secrets.token_hex(6)}")
                    temporary.write_bytes(content)
                    temporary.replace(path)
            if self._open is None:
                self._open = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            if os.write(self._open, text) != len(text):
                raise OutputError(f"{printable(self._file)} took a part of a line. Free some space on its disk.")
        except OSError as error:
            raise unwritable(self._file, error) from error


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """The lines of all processes, by the id of the job."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((folder / LINES).glob("*.jsonl")):
        *whole, _ = file.read_bytes().split(b"\n")  # what has no end was being written
        for text in whole:
            line = json.loads(text)
            found.setdefault(line["id"], line)
    return found
