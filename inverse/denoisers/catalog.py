"""Priors by name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from inverse.denoisers.base import Denoiser
from inverse.errors import ParameterError

EMBEDDED = Path(__file__).resolve().parents[2] / "assets" / "prior" / "prior.safetensors"


def best_device() -> str:
    """ "cuda" or "mps" where there is one, else "cpu"."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load_prior(name: str = "embedded", device: str | None = None, precision: str = "auto") -> Denoiser:
    """A prior, kept in memory for the next call.

    Args:
        name: "embedded", the small prior that ships with the program; or a folder that diffusers wrote with
            `save_pretrained`, of an unconditional `UNet2DModel` or a pipeline around one.
        device: "cpu", "cuda", ...; the best one when None.
        precision: "auto", "float32" or "bfloat16".

    Raises:
        ParameterError: name, device or precision is not one of these.
        PriorError: the weights are missing, damaged or of an unknown kind.
    """
    from inverse.denoisers.embedded import PRECISIONS

    if precision not in PRECISIONS:
        raise ParameterError(f"precision must be one of {', '.join(PRECISIONS)}, and {precision!r} is not.")
    device = device or best_device()
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ParameterError(f"The device {device!r} is not available here. Use 'cpu', or none for the best.") from None
    return _load(name, device, precision)


@lru_cache(maxsize=2)
def _load(name: str, device: str, precision: str) -> Denoiser:
    if name == "embedded":
        from inverse.denoisers.embedded import EDMDenoiser, load_network

        return EDMDenoiser(load_network(EMBEDDED), device, precision)
    folder = Path(name)
    if not folder.is_dir():
        raise ParameterError(f"{name!r} is not a prior. Use 'embedded' or a folder with a diffusers UNet2DModel.")
    from inverse.denoisers.unet import load_unet

    return load_unet(folder, device)
