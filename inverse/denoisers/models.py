"""Networks of diffusers in the folders that `save_pretrained` writes, each looked at before it costs memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from inverse.denoisers import checkpoint, weights
from inverse.denoisers.network import MAX_DEPTH, MAX_LEVELS, MAX_WIDTH
from inverse.errors import PriorError

BOUNDS = {
    "block_out_channels": MAX_WIDTH, "layers_per_block": MAX_DEPTH, "transformer_layers_per_block": MAX_DEPTH,
    "num_layers": MAX_DEPTH, "num_attention_heads": MAX_DEPTH * 2, "attention_head_dim": MAX_WIDTH,
    "cross_attention_dim": 4 * MAX_WIDTH, "joint_attention_dim": 4 * MAX_WIDTH,
}  # fmt: skip
"""The most that numbers of a configuration may be, those in lists too: beyond it no network exists, and the time that
building it takes has no end."""


def configuration(folder: Path, root: Path) -> dict[str, Any]:
    """The config.json of a model; links may lead to files in `root`.

    Raises:
        PriorError: it is missing, outside of the root, or damaged.
    """
    return weights.read_json(weights.regular_file(folder / "config.json", root))


def loaded(
    kind: Any,
    config: dict[str, Any],
    folder: Path,
    root: Path,
    tried: Callable[[Any], Any],
    *,
    allow_pickle: bool = False,
) -> Any:
    """A network with its weights, on the CPU in float32.

    Args:
        kind: class of diffusers.
        config: as `configuration` gives it.
        folder: where the weights are, and `root` where links may lead to.
        tried: calls the network, which has neither weights nor numbers then: some values of a wrong type are noticed
            only when they are used.
        allow_pickle: read weights in PyTorch's pickle format where there are no safetensors, tensors only.

    Raises:
        PriorError: weights or configuration are damaged, a pickle, or do not belong together.
    """
    found = checkpoint.find(folder, root, allow_pickle=allow_pickle)
    with weights.understood(
        f"The model in {folder.name} cannot be read. It needs config.json and safetensors weights, undamaged."
    ):
        if not all(_bounded(config.get(name, 1), most) for name, most in BOUNDS.items()):
            raise PriorError("This network is far larger than any prior. Use another one.")
        with torch.device("meta"), torch.no_grad():
            outline = kind.from_config(config)
            tried(outline)
        elements = sum(value.numel() for value in _stored(outline).values())
        if found.shapes is not None and elements != sum(math.prod(shape) for shape in found.shapes.values()):
            raise PriorError(f"The weights in {folder.name} are not those of its config.json. Download it again.")
        network = kind.from_config(config)
        network.load_state_dict(found.read())
    return network.float()


def _stored(network: nn.Module) -> dict[str, Any]:
    return network.state_dict()


def _bounded(value: Any, most: int) -> bool:
    """Whether a number, or every one in a list of not too many, is from 1 to `most`; what is none is left to others."""
    if isinstance(value, list | tuple):
        return len(value) <= MAX_LEVELS and all(_bounded(each, most) for each in value)
    return value is None or isinstance(value, bool) or 1 <= value <= most
