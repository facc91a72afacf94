"""By what a prior is known for ever: its commit on the Hub, or the digest of its files here."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from inverse.denoisers import cards, hub
from inverse.denoisers.catalog import kind_at, own_file, state_of
from inverse.imaging.files import printable

LONGEST_NAME = 100
"""Characters of a file's name that are kept."""
READ = (".json", ".safetensors", ".bin")
"""Endings of the files of a folder that a prior is made of."""


def identity_of(name: str | Path) -> str:
    """What settings keep of a prior, by its name as `load_prior` takes it.

    "embedded"; "owner/name@commit" of one on the Hub; "name@kind:digest" of a file or a folder, without the folder that
    it lies in; and the name itself of what is none of these, or cannot be read.
    """
    path, plain = own_file(name), printable(Path(Path(name).name))
    if path is not None and name != cards.EMBEDDED:
        with suppress(OSError):
            return f"{plain[:LONGEST_NAME]}@{kind_at(name)}:{digest(path)}"
    card = cards.card_of(str(name))
    if card is not None:
        return card.identity
    return str(name) if hub.NAME.fullmatch(str(name)) else plain[:LONGEST_NAME]


def digest(path: Path) -> str:
    """SHA-256 of a file, as `sha256sum` gives it; of a folder that of lines "name digest\\n" of what is read of it."""
    return _digest(path, state_of(path))


@lru_cache(maxsize=64)
def _digest(path: Path, state: object) -> str:
    if not path.is_dir():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = hashlib.sha256()
    for file in sorted([*path.glob("*"), *path.glob("*/*")]):
        if file.suffix in READ and file.is_file():
            found.update(f"{file.relative_to(path).as_posix()} {digest(file)}\n".encode("utf-8", "replace"))
    return found.hexdigest()
