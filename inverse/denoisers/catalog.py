"""Priors by name: the embedded one, published ones at pinned commits, and files of one's own."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from inverse.denoisers import hub
from inverse.denoisers.base import Denoiser
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


def load_prior(
    name: str = "embedded", device: str | None = None, precision: str = "auto", *, allow_pickle: bool = False
) -> Denoiser:
    """A prior, kept in memory for the next call.

    No code that comes with a prior is ever run.

    Args:
        name: "embedded", the small prior that ships with the program; a name in `hub.PUBLISHED`;
            "owner/name@commit" on the Hugging Face Hub; a folder that diffusers wrote with `save_pretrained`, of an
            unconditional `UNet2DModel` or a pipeline around one; or a file that `train prior` wrote, or its folder.
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


@lru_cache(maxsize=2)
@torch.inference_mode(False)  # what is kept must not depend on who asked first
def _load(name: str, state: Any, device: str, precision: str, allow_pickle: bool) -> Denoiser:
    """The prior in a file or folder, of which `state` tells one content from another; by its name without one."""
    from inverse.denoisers.embedded import EDMDenoiser, load_network
    from inverse.denoisers.unet import load_unet

    path = Path(name)
    if state is not None:
        if path.suffix == EMBEDDED.suffix and not path.is_dir():
            return EDMDenoiser(load_network(path), device, precision)
        if path.is_dir():
            return load_unet(path, device, allow_pickle=allow_pickle)
    if path.suffix == EMBEDDED.suffix:  # no repository is called so
        raise ParameterError(f"There is no file {name[:200]!r}. Check its name, or name its folder.")
    published = hub.find(name)
    if published is None:
        raise ParameterError(
            f"{name[:200]!r} is not a prior. Use 'embedded', one of {', '.join(hub.PUBLISHED)}, OWNER/NAME@COMMIT, "
            "or a folder with a diffusers UNet2DModel."
        )
    folder = hub.folder_of(published, allow_pickle=allow_pickle)
    # In the Hub's cache a snapshot is made of links to the repository's blobs, two folders up.
    return load_unet(folder, device, allow_pickle=allow_pickle, root=folder.parent.parent)


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
