"""Priors on the Hugging Face Hub: at which commit, and how their files get here."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from inverse.denoisers.cards import DDPM, PRIORS, Card
from inverse.denoisers.download import Progress, download, listed
from inverse.errors import PriorError

MAX_BYTES = 4_000_000_000
"""Of one prior's files; the published ones have half a gigabyte, and the largest 2.2."""
CONFIGURATION = ("config.json", "scheduler_config.json", "unet/config.json", "scheduler/scheduler_config.json")
SAFE = ("diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.safetensors")
PICKLED = ("diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.bin")
NAME = re.compile(r"([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})@([0-9a-f]{40})", re.ASCII)


def find(name: str) -> Card | None:
    """The card of a prior on the Hub: by its name, by its repository where that has a card, or as "owner/name@commit".

    Raises:
        PriorError: it is a repository that has no card, without a commit.
    """
    for card in PRIORS.values():
        if card.repository and name in (card.name, card.repository, card.identity):
            return card
    if match := NAME.fullmatch(name):
        return Card(name, DDPM, repository=match[1], revision=match[2])
    if NAME.fullmatch(f"{name}@{'0' * 40}") or NAME.fullmatch(f"{name.partition('@')[0]}@{'0' * 40}"):
        raise PriorError(
            f"{name[:200]!r} is no folder here, and names no commit of a repository, which can change. Add its 40 "
            f"digits: {name.partition('@')[0][:200]}@COMMIT."
        )
    return None


def folder_of(prior: Card, *, allow_pickle: bool = False) -> Path:
    """The folder with the prior's files, downloaded where they are not here yet.

    Only configuration and weights are fetched, never code.

    Raises:
        PriorError: it has pickled weights only and `allow_pickle` is false; it is too large; or it is neither here nor
            can be downloaded. The sentence says how to download it ahead.
    """
    fetching = fetch(prior, allow_pickle=allow_pickle)
    while True:
        try:
            next(fetching)
        except StopIteration as end:
            return end.value


def fetch(prior: Card, *, allow_pickle: bool = False) -> Generator[Progress, None, Path]:
    """As `folder_of`, with what has come so far; close it to stop, and it goes on from there the next time."""
    if prior.pickled and not allow_pickle:
        raise PriorError(
            f"The weights of {prior.repository} are published as a pickle only, which can run code. Say --allow-pickle "
            "(in Python allow_pickle=True) to read its tensors all the same, or choose another prior."
        )
    here = here_of(prior, allow_pickle=allow_pickle)
    if here is not None:
        return here
    with _connected(prior):
        files = listed(prior)
    wanted = _wanted(prior, _weights(allow_pickle), {file.path: file.size for file in files})
    with _connected(prior):
        yield from download(prior, [file for file in files if file.path in (*CONFIGURATION, *wanted)])
    folder = _snapshot(prior, wanted)
    if folder is None:
        raise PriorError(f"{prior.repository} was not downloaded as a whole. Try again.")
    return folder


def here_of(prior: Card, *, allow_pickle: bool = False) -> Path | None:
    """The folder with the prior's files, or None where they are not all on this machine; nothing is downloaded."""
    return _snapshot(prior, _weights(allow_pickle))


def offline() -> bool:
    """Whether nothing may be downloaded: HF_HUB_OFFLINE says so."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def _weights(allow_pickle: bool) -> tuple[str, ...]:
    return (*SAFE, *PICKLED) if allow_pickle else SAFE


def _snapshot(prior: Card, weights: tuple[str, ...]) -> Path | None:
    """The snapshot's folder in the Hub's cache, or None where it is not here with all that is needed."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                prior.repository,
                revision=prior.revision,
                allow_patterns=[*CONFIGURATION, *weights],
                local_files_only=True,
            )
        )
    except LocalEntryNotFoundError:
        return None
    configured = any((folder / name).is_file() for name in CONFIGURATION[:3:2])
    return folder if configured and any((folder / name).is_file() for name in weights) else None


def _wanted(prior: Card, weights: tuple[str, ...], sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The one file of weights to fetch, safetensors where there are; by the bytes of what the Hub has, by name."""
    found = [name for name in weights if name in sizes]
    if not found:
        raise PriorError(
            f"{prior.repository} has no weights that can be read. It needs a UNet2DModel in safetensors"
            + ("." if PICKLED[0] in weights else "; --allow-pickle reads the older format too.")
        )
    total = sizes[found[0]] + sum(sizes.get(name, 0) for name in CONFIGURATION)
    if total > MAX_BYTES:
        raise PriorError(
            f"{prior.repository} has {total / 1e9:.1f} GB, and at most {MAX_BYTES / 1e9:.0f} GB are downloaded. "
            "Download it yourself and give its folder."
        )
    return (found[0],)


@contextmanager
def _connected(prior: Card) -> Iterator[None]:
    """What fails for want of a connection ends in a sentence that says how to do without one."""
    try:
        yield
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as error:  # the last three of nonsense
        answer = getattr(error, "response", None)
        if getattr(error, "errno", None) is not None and not isinstance(error, ConnectionError):
            cause = "cannot be stored: check the disk's space and permissions"
        elif answer is not None and answer.status_code < 500:
            cause = "is not at that commit, or not for everybody: check its name"
        else:
            cause = "is not on this machine, and the Hugging Face Hub cannot be reached"
        raise PriorError(
            f"{prior.repository} {cause}. Download it ahead, on a machine with a connection, by: {prior.command}"
            " --local-dir FOLDER; then use --prior FOLDER."
        ) from error
