"""Checkpoints of guided-diffusion, as OpenAI and those who used its code published them: one file of tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from inverse.denoisers import adm, unet, weights
from inverse.errors import PriorError


def read(path: Path, *, allow_pickle: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The configuration of diffusers' `UNet2DModel` that a checkpoint is, and its tensors under the names there.

    Args:
        path: a file of tensors by their original names: safetensors, or what `torch.save` wrote.
        allow_pickle: read the latter, tensors only; they stay on the disk until somebody looks.

    Raises:
        PriorError: the file is missing, damaged, a pickle though none is allowed, or no such unconditional network.
    """
    weights.regular_file(path, path.resolve().parent)
    pickled = weights.is_pickle(path) and path.suffix != ".safetensors"  # one of that name is refused as what it is
    if pickled and not allow_pickle:
        raise PriorError(
            f"{path.name} is a pickle, which can run code. Say --allow-pickle (in Python allow_pickle=True) to read "
            "its tensors all the same, and convert it to safetensors by `priors convert`."
        )
    tensors = weights.read_pickle(path) if pickled else {}
    shapes = {name: tuple(value.shape) for name, value in tensors.items()} if pickled else weights.shapes(path)
    config = adm.configuration(shapes)
    unet.check_size(config, shapes)
    with weights.understood(adm.UNWHOLE):
        return config, adm.renamed(tensors if pickled else load_file(path), config)


def load(
    path: Path, device: torch.device | str = "cpu", precision: str = "auto", *, allow_pickle: bool = False
) -> unet.UNetDenoiser:
    """The checkpoint as a prior. Its noise levels are the linear table of 1000 steps.

    Args:
        path, allow_pickle: see `read`.
        device, precision: see `unet.UNetDenoiser`.

    Raises:
        PriorError: as in `read`, or a weight is no number.
    """
    config, tensors = read(path, allow_pickle=allow_pickle)
    with weights.understood(adm.UNWHOLE):
        return unet.assemble(config, adm.schedule(config), tensors, device, precision)
