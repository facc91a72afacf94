"""Files of the Hugging Face Hub on their way here: with progress, checked, and resumed where they were left off.

They lie where `hf download` puts them, in the Hub's own cache. Its library begins a broken download anew, and cannot be
stopped in the middle of a file.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from inverse.denoisers.cards import Card
from inverse.errors import PriorError

DIGEST = re.compile("[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
TIMEOUT = httpx.Timeout(15.0)
"""Seconds without a byte, after which a connection counts as lost; what came before is kept."""


@dataclass(frozen=True)
class Progress:
    """Bytes of a prior's files that are here, and of all that are wanted."""

    done: int
    total: int


@dataclass(frozen=True)
class File:
    """What the Hub says of a file: where it lies in the repository, its bytes, and its digest.

    The digest is the SHA-256 of large files; of small ones the SHA-1 that git knows them by.
    """

    path: str
    size: int
    digest: str


def download(prior: Card, files: Sequence[File]) -> Iterator[Progress]:
    """Brings files of the card's commit, as `listed` names them; yields whenever something came.

    Closed in the middle, it leaves what came, and goes on from there the next time.

    Raises:
        PriorError: a file is not what the Hub said it is, or another program is downloading it.
        httpx.HTTPError, OSError: it cannot be received, or not be stored; errors of the Hub's library.
    """
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    home = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=prior.repository, repo_type="model")
    done, total = 0, sum(file.size for file in files)
    yield Progress(0, total)
    for file in files:
        blob = home / "blobs" / file.digest
        if not blob.exists():
            blob.parent.mkdir(parents=True, exist_ok=True)
            url = f"{constants.ENDPOINT}/{prior.repository}/resolve/{prior.revision}/{file.path}"
            for received in _received(url, blob, file):
                yield Progress(done + received, total)
        _linked(home / "snapshots" / prior.revision / file.path, blob)
        done += file.size
        yield Progress(done, total)


def listed(prior: Card) -> list[File]:
    """The files at a commit. The Hub's library would try again and again, without a word, for half a minute.

    Raises:
        OfflineModeIsEnabled: nothing may be asked of the Hub.
        httpx.HTTPError, ValueError: it does not answer, or not with a list of files.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
    url = f"{constants.ENDPOINT}/api/models/{prior.repository}/tree/{prior.revision}?recursive=true"
    found = []
    while url:
        answer = httpx.get(url, headers=_headers(), follow_redirects=True, timeout=TIMEOUT)
        answer.raise_for_status()
        entries = answer.json()
        if not isinstance(entries, list):
            raise ValueError("no list of files")
        found += [_file(each) for each in entries if isinstance(each, dict) and each.get("type") == "file"]
        url = answer.links.get("next", {}).get("url", "")
    return [file for file in found if DIGEST.fullmatch(file.digest)]  # by which it is called here


def _file(entry: dict[str, Any]) -> File:
    large = entry.get("lfs") or {}
    return File(str(entry["path"]), int(entry["size"]), str(large.get("oid") or entry["oid"]))


def _received(url: str, blob: Path, file: File) -> Iterator[int]:
    """Bytes of the file that are here so far; when all are, they are checked, and it gets its name."""
    part = blob.with_name(f"{blob.name}.part")
    with part.open("ab") as into:
        _lock(into, file)
        have = into.tell()
        if have < file.size:
            for chunk, whole in _sent(url, have):
                if whole:  # the server does not resume
                    into.truncate(0)
                    have = 0
                have += into.write(chunk)
                if have > file.size:
                    break
                yield have
        into.flush()
    if part.stat().st_size == file.size and _digest(part, len(file.digest) == 40) == file.digest:
        part.replace(blob)
        return
    if part.stat().st_size >= file.size:
        part.unlink()
    raise PriorError(f"{file.path} did not arrive as the Hub has it. Try again.")


def _sent(url: str, have: int) -> Iterator[tuple[bytes, bool]]:
    """What the server sends from there on, and whether it begins at the beginning all the same."""
    headers = {**_headers(), "accept-encoding": "identity"}
    if have:
        headers["range"] = f"bytes={have}-"
    with httpx.stream("GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        whole = bool(have) and answer.status_code != httpx.codes.PARTIAL_CONTENT
        for chunk in answer.iter_raw():
            yield chunk, whole
            whole = False


def _headers() -> dict[str, str]:
    """Who asks: whoever has logged in to the Hub here. The library's own function would ask the Hub for more first."""
    from huggingface_hub import get_token

    token = get_token()
    return {"authorization": f"Bearer {token}"} if token else {}


def _lock(file: IO[bytes], of: File) -> None:
    """Two programs that write to one file would spoil it."""
    try:
        import fcntl
    except ImportError:  # Windows, where the digest tells
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise PriorError(f"Another program is downloading {of.path} already. Wait until it is done.") from None


def _digest(path: Path, git: bool) -> str:
    with path.open("rb") as file:
        if not git:
            return hashlib.file_digest(file, "sha256").hexdigest()
        content = file.read()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _linked(place: Path, blob: Path) -> None:
    """A link to the blob, or a copy where there are no links."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        place.unlink()
    try:
        place.symlink_to(os.path.relpath(blob, place.parent))
    except OSError:
        shutil.copyfile(blob, place)
