"""Priors on the Hugging Face Hub: at which commit, and how their files get here."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from inverse.denoisers.cards import DDPM, PRIORS, Card
from inverse.denoisers.download import Progress, download, listed
from inverse.errors import PriorError

MAX_BYTES = 6_000_000_000
"""Of one prior's files; the largest published one has 2.6 gigabytes in half precision."""
CONFIGURATION = (
    "config.json", "scheduler_config.json", "unet/config.json", "scheduler/scheduler_config.json", "vae/config.json",
    "vqvae/config.json", "transformer/config.json", "empty_prompt.safetensors",
)  # fmt: skip
PROMPT = (
    "text_encoder/config.json", "tokenizer/vocab.json", "tokenizer/merges.txt", "tokenizer/tokenizer_config.json",
    "tokenizer/special_tokens_map.json",
)  # fmt: skip
"""What else is needed where the embedding of the empty prompt is not among the files, beside a text encoder."""
NETWORKS, AUTOENCODERS, ENCODERS = ("", "unet/", "transformer/"), ("vae/", "vqvae/"), ("text_encoder/",)
"""Where weights are: one folder of the first kind, and of the others where a pipeline has them."""
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
    wanted = _wanted(prior, allow_pickle, {file.path: file.size for file in files})
    with _connected(prior):
        yield from download(prior, [file for file in files if file.path in wanted])
    folder = here_of(prior, allow_pickle=allow_pickle)
    if folder is None:
        raise PriorError(f"{prior.repository} was not downloaded as a whole. Try again.")
    return folder


def here_of(prior: Card, *, allow_pickle: bool = False) -> Path | None:
    """The folder with the prior's files, or None where they are not all on this machine; nothing is downloaded."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    names = [*CONFIGURATION, *PROMPT, *_names(allow_pickle)]
    try:
        folder = Path(
            snapshot_download(prior.repository, revision=prior.revision, allow_patterns=names, local_files_only=True)
        )
    except LocalEntryNotFoundError:
        return None
    found = {name for name in names if (folder / name).is_file()}
    configured = any(f"{part}config.json" in found for part in NETWORKS)
    return folder if configured and all(found.intersection(part) for part in _parts(found, allow_pickle)) else None


def offline() -> bool:
    """Whether nothing may be downloaded: HF_HUB_OFFLINE says so."""
    from huggingface_hub import constants

    return constants.HF_HUB_OFFLINE


def _names(
    allow_pickle: bool, folders: tuple[str, ...] = NETWORKS + AUTOENCODERS + ENCODERS, half: bool = False
) -> tuple[str, ...]:
    """Names of files of weights in folders, the preferred ones first: safetensors, then, where allowed, pickles."""
    found = []
    for suffix in ("safetensors", "bin") if allow_pickle else ("safetensors",):
        for folder in folders:
            name = "model" if folder in ENCODERS else "diffusion_pytorch_model"
            found += [f"{folder}{name}{variant}.{suffix}" for variant in ((".fp16", "") if half else ("", ".fp16"))]
    return tuple(found)


def _parts(names: Collection[str], allow_pickle: bool) -> list[tuple[str, ...]]:
    """The files of weights of every part that a prior with files of those names has: one of each is needed.

    Those of latents are large, and are fetched in half precision where they are published so.
    """
    codecs = [folder for folder in AUTOENCODERS if f"{folder}config.json" in names]
    parts = [_names(allow_pickle, folders, half=bool(codecs)) for folders in (NETWORKS, *((one,) for one in codecs))]
    return [*parts, _names(False, ENCODERS, half=True)] if codecs and _told(names) else parts


def _told(names: Collection[str]) -> bool:
    """Whether the empty prompt's embedding is to be computed."""
    return "empty_prompt.safetensors" not in names and f"{ENCODERS[0]}config.json" in names


def _wanted(prior: Card, allow_pickle: bool, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """The files to fetch, one of weights for each part, safetensors where there are; by what the Hub has, in bytes."""
    parts = _parts(sizes, allow_pickle)
    found = [next((name for name in part if name in sizes), None) for part in parts]
    if None in found:
        raise PriorError(
            f"{prior.repository} has no weights that can be read. It needs a UNet2DModel in safetensors"
            + ("." if allow_pickle else "; --allow-pickle reads the older format too.")
        )
    wanted = (*CONFIGURATION, *(PROMPT if _told(sizes) else ()), *filter(None, found))
    total = sum(sizes.get(name, 0) for name in wanted)
    if total > MAX_BYTES:
        raise PriorError(
            f"{prior.repository} has {total / 1e9:.1f} GB, and at most {MAX_BYTES / 1e9:.0f} GB are downloaded. "
            "Download it yourself and give its folder."
        )
    return wanted


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
