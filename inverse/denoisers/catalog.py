"""Priors by name: the embedded one, published ones at pinned commits, and files of one's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from inverse.denoisers import cards, hub
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import PRIORS
from inverse.errors import ParameterError
from inverse.parameters import shown
from inverse.resources import EMBEDDED

TRAINED = "prior.safetensors"
"""What `train prior` calls its best network."""


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def kind_at(name: str | Path) -> str:
    """The kind of a prior that is not loaded, by its name as `load_prior` takes it: of what is here, by what it is."""
    path = Path(name)
    if str(name) in PRIORS or not (_exists(path) and path.is_dir()):
        return cards.kind_of(str(name))
    if (path / TRAINED).exists():
        return cards.EMBEDDED
    if not any((path / autoencoder).is_dir() for autoencoder in ("vae", "vqvae")):
        return cards.DDPM
    return cards.FLOW if (path / "transformer").is_dir() else cards.LATENT


def load_prior(
    name: str = "embedded", device: str | None = None, precision: str = "auto", *, allow_pickle: bool = False
) -> Denoiser:
    """A prior, kept in memory for the next call.

    No code that comes with a prior is ever run.

    Args:
        name: of a card in `cards.PRIORS`, "embedded" being the small prior that ships with the program;
            "owner/name@commit" on the Hugging Face Hub; a folder that diffusers wrote with `save_pretrained`, of an
            unconditional `UNet2DModel` or a pipeline around one, with or without an autoencoder, or of a pipeline that
            makes pictures from text; or a file that `train prior` wrote, or its folder.
        device: "cpu", "cuda", ...; the best one when None.
        precision: "auto", "float32" or "bfloat16"; networks of diffusers run in float32.
        allow_pickle: read weights in PyTorch's pickle format where there are no others, tensors only. A pickle can
            run code; PyTorch's loader for tensors only is what stands between.

    Raises:
        ParameterError: name, device or precision is not one of these.
        PriorError: the weights are missing, damaged, a pickle, or of an unknown kind; or cannot be downloaded.
    """
    from inverse.denoisers.embedded import PRECISIONS

    if precision not in PRECISIONS:
        raise ParameterError(
            f"precision must be one of {', '.join(PRECISIONS)}, and {shown(precision)} is not. Choose one."
        )
    device = best_device() if device is None else device
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError):
        raise ParameterError(
            f"The device {shown(device)} is not available here. Use 'cpu', or none for the best."
        ) from None
    if not isinstance(name, str | Path):
        raise ParameterError(f"A prior is named by a text, and {shown(name)} is none. Use 'embedded', or leave it out.")
    path = EMBEDDED if name == "embedded" else Path(name)
    if name == "embedded" or _exists(path):
        path = (path / TRAINED if (path / TRAINED).exists() else path).absolute()
        return _load(str(path), _state(path), device, precision, allow_pickle)
    return _load(str(name), None, device, precision, allow_pickle)


def forget() -> None:
    """Lets go of the priors that are kept in memory for the next call."""
    _load.cache_clear()


@lru_cache(maxsize=2)
@torch.inference_mode(False)  # what is kept must not depend on who asked first
def _load(name: str, state: Any, device: str, precision: str, allow_pickle: bool) -> Denoiser:
    """The prior in a file or folder, of which `state` tells one content from another; by its name without one."""
    path, root = Path(name), None
    if state is not None and (path.is_dir() or path.suffix == EMBEDDED.suffix):
        kind = kind_at(path)
    elif path.suffix == EMBEDDED.suffix:  # no repository is called so
        raise ParameterError(f"There is no file {name[:200]!r}. Check its name, or name its folder.")
    else:
        card = hub.find(name)
        if card is None:
            raise ParameterError(
                f"{name[:200]!r} is not a prior. Use one of {', '.join(PRIORS)}, OWNER/NAME@COMMIT, a folder with a "
                "diffusers UNet2DModel, or a file that `train prior` wrote."
            )
        path = hub.folder_of(card, allow_pickle=allow_pickle)
        kind = kind_at(path) if card.kind in (cards.DDPM, cards.LATENT, cards.FLOW) else card.kind
        root = path.parent.parent  # in the Hub's cache a snapshot is made of links to the repository's blobs
    return LOADERS[kind](path, device, precision, allow_pickle, root)


def _embedded(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.embedded import EDMDenoiser, load_network

    return EDMDenoiser(load_network(path), device, precision)


def _ddpm(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.unet import load_unet

    return load_unet(path, device, allow_pickle=allow_pickle, root=root)


def _latent(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.latent import load_latent

    return load_latent(path, device, allow_pickle=allow_pickle, root=root)


LOADERS: dict[str, Callable[[Path, str, str, bool, Path | None], Denoiser]] = {
    cards.EMBEDDED: _embedded,
    cards.DDPM: _ddpm,
    cards.LATENT: _latent,
    cards.FLOW: _latent,
}
"""By kind: from a file or folder, device, precision, whether pickles are read, and where links may lead."""


def _state(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Changes when the file does, or one in the folder: a training writes its result again and again."""
    found = []
    for file in sorted([path, *path.glob("*"), *path.glob("*/*")]):  # of a file there are no others
        with suppress(OSError):
            facts = file.stat()
            found.append((str(file), facts.st_mtime_ns, facts.st_size))
    return tuple(found)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than names may be; a null character
        return False
