"""Everything that training needs to go on after a kill, in one safetensors file that is replaced atomically."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from inverse.errors import PriorError
from inverse.imaging.files import replace_atomically

FORMAT = "inverse-training-1"


def save_checkpoint(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, facts: dict[str, Any]
) -> None:
    """Saves weights, their average and the optimizer's moments in full precision.

    Args:
        path: the file.
        network, average, optimizer: whose state is saved.
        facts: anything that JSON can hold.

    Raises:
        OutputError: it cannot be written; the old checkpoint is still there.
    """
    tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    metadata = {"format": FORMAT, "facts": json.dumps(facts)}
    replace_atomically(path, lambda temporary: save_file(tensors, temporary, metadata))


def load_checkpoint(
    path: Path, network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Puts a saved state back and returns the facts beside it.

    Raises:
        PriorError: the file is damaged, or of another network.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise PriorError(f"{path.name} is not a checkpoint of this program. Train into another folder.")
        tensors = load_file(path)
        network.load_state_dict(_part(tensors, "network."))
        average.load_state_dict(_part(tensors, "average."))
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(tensors, "optimizer.").items():
            index, _, key = name.partition(".")
            # The fused AdamW walks through parameters and moments in the order of memory: their layouts must agree.
            moment = torch.empty_like(parameters[int(index)]) if value.ndim else torch.empty_like(value)
            state.setdefault(int(index), {})[key] = moment.copy_(value)
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
        return json.loads(metadata["facts"])
    except (safetensors.SafetensorError, OSError, LookupError, ValueError, RuntimeError) as error:
        if isinstance(error, PriorError):
            raise
        raise PriorError(f"{path.name} is damaged or belongs to another network. Train into another folder.") from error


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
