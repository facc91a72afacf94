"""Priors by name: the embedded one, published ones at pinned commits, and files of one's own."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from inverse.denoisers import cards, hub
from inverse.denoisers.adm import is_adm, is_checkpoint
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import PRIORS
from inverse.denoisers.precision import PRECISIONS
from inverse.denoisers.resident import Resident
from inverse.denoisers.weights import read_json, regular_file
from inverse.errors import ParameterError, PriorError
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
    if str(name) in PRIORS or not _exists(path):
        return cards.kind_of(str(name))
    if (path / TRAINED).exists():
        path = path / TRAINED
    if not path.is_dir():
        return cards.ADM if path.is_file() and is_checkpoint(path) else cards.EMBEDDED
    if any((path / autoencoder).is_dir() for autoencoder in ("vae", "vqvae")):
        return cards.FLOW if (path / "transformer").is_dir() else cards.LATENT
    place = path / "unet" if (path / "unet").is_dir() else path
    with suppress(PriorError):
        return cards.ADM if is_adm(read_json(regular_file(place / "config.json", path))) else cards.DDPM
    return cards.DDPM


def load_prior(
    name: str = "embedded",
    device: str | None = None,
    precision: str = "auto",
    *,
    allow_pickle: bool = False,
    compiled: bool = False,
) -> Denoiser:
    """A prior, kept in memory for the next call.

    No code that comes with a prior is ever run.

    Args:
        name: of a card in `cards.PRIORS`, "embedded" being the small prior that ships with the program;
            "owner/name@commit" on the Hugging Face Hub; a folder that diffusers wrote with `save_pretrained`, of an
            unconditional `UNet2DModel` or a pipeline around one, with or without an autoencoder, or of a pipeline that
            makes pictures from text; a checkpoint of guided-diffusion; or what `train prior` wrote, or its folder.
        device: "cpu", "cuda", ...; the best one when None.
        precision: in which the network computes: "auto", "float32", "bfloat16", or, for networks of diffusers,
            "float16". "auto" is for these half precision on a GPU and float32 on a CPU; for the embedded one bfloat16
            where the hardware computes in it. Images are float32 in any.
        allow_pickle: read weights in PyTorch's pickle format where there are no others, tensors only. A pickle can
            run code; PyTorch's loader for tensors only is what stands between.
        compiled: compile its networks by torch.compile at their first call, which takes minutes and needs a C++
            compiler on a CPU. It pays on a GPU, over many runs of one size; on a CPU it hardly does.

    Raises:
        ParameterError: name, device or precision is not one of these.
        PriorError: the weights are missing, damaged, a pickle, or of an unknown kind; or cannot be downloaded.
    """
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
    return _load(*_content(name), device, precision, allow_pickle, compiled)


def forget() -> None:
    """Lets go of the priors that are kept in memory for the next call."""
    _load.cache_clear()


def is_kept(name: str | Path, device: str) -> bool:
    """Whether the prior of that name is in memory, as the app loads it."""
    return _load.has(*_content(name), device, "auto", False, False)


def replaceable() -> int:
    """Bytes of weights that would be let go of before another prior is loaded."""
    return _load.replaceable


def keep_all() -> None:
    """From now on whatever is loaded stays in memory."""
    _load.all = True


def own_file(name: str | Path) -> Path | None:
    """The file or folder of a prior that is here, by its name as `load_prior` takes it; None where it has none."""
    path = EMBEDDED if name == "embedded" else Path(name)
    if name != "embedded" and not _exists(path):
        return None
    return (path / TRAINED if (path / TRAINED).exists() else path).absolute()


def _content(name: str | Path) -> tuple[str, Any]:
    """What is kept of a prior's name: the same for the same content."""
    path = own_file(name)
    if path is not None:
        return str(path), state_of(path)
    card = cards.card_of(str(name))
    return card.identity if card else str(name), None


@Resident
@torch.inference_mode(False)  # what is kept must not depend on who asked first
def _load(name: str, state: Any, device: str, precision: str, allow_pickle: bool, compiled: bool) -> Denoiser:
    """The prior in a file or folder, of which `state` tells one content from another; by its name without one."""
    path, root = Path(name), None
    card = cards.PRIORS["embedded"] if path == EMBEDDED.absolute() else None
    if state is not None and (path.is_dir() or path.is_file()):
        kind = kind_at(path)
    elif path.suffix in (EMBEDDED.suffix, *cards.PICKLES):  # no repository is called so
        raise ParameterError(f"There is no file {name[:200]!r}. Check its name, or name its folder.")
    elif path.is_absolute() or name.startswith((".", "~")) or len(path.parts) > 2:  # nor is one so far away
        raise ParameterError(f"There is no prior, file or folder, at {name[:200]!r}. Check its name.")
    else:
        card = hub.find(name)
        if card is None:
            raise ParameterError(
                f"{name[:200]!r} is not a prior. Use one of {', '.join(PRIORS)}, OWNER/NAME@COMMIT, a folder with a "
                "diffusers UNet2DModel, a checkpoint of guided-diffusion, or a file that `train prior` wrote."
            )
        path = hub.folder_of(card, allow_pickle=allow_pickle)
        kind = kind_at(path) if card.kind in (cards.DDPM, cards.LATENT, cards.FLOW) else card.kind
        root = path.parent.parent  # in the Hub's cache a snapshot is made of links to the repository's blobs
    prior = LOADERS[kind](path, device, precision, allow_pickle, root)
    prior.thresholds = card.thresholds if card else ()
    if compiled:
        for network in prior.networks:
            network.compile()
    return prior


def _embedded(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.embedded import EDMDenoiser, load_network

    return EDMDenoiser(load_network(path), device, precision)


def _ddpm(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.unet import load_unet

    return load_unet(path, device, precision, allow_pickle=allow_pickle, root=root)


def _adm(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.guided_diffusion import load

    if path.is_dir():
        return _ddpm(path, device, precision, allow_pickle, root)
    return load(path, device, precision, allow_pickle=allow_pickle)


def _latent(path: Path, device: str, precision: str, allow_pickle: bool, root: Path | None) -> Denoiser:
    from inverse.denoisers.latent import load_latent

    return load_latent(path, device, precision, allow_pickle=allow_pickle, root=root)


LOADERS: dict[str, Callable[[Path, str, str, bool, Path | None], Denoiser]] = {
    cards.EMBEDDED: _embedded,
    cards.DDPM: _ddpm,
    cards.ADM: _adm,
    cards.LATENT: _latent,
    cards.FLOW: _latent,
}
"""By kind: from a file or folder, device, precision, whether pickles are read, and where links may lead."""


def state_of(path: Path) -> tuple[tuple[str, int, int], ...]:
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
