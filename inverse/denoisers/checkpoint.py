"""The weights of a diffusers model: which files they are in, each looked at before it is read.

No library is asked to find them: it would follow an index to whatever files that names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

from inverse.denoisers import weights
from inverse.errors import PriorError

NAME = "diffusion_pytorch_model"
VARIANTS = ("", "fp16")
"""As `save_pretrained(variant=)` puts them into the names of files; what is in half precision is read as float32."""
MAX_SHARDS = 100
ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""What layers of attention were called before diffusers 0.15, and are called since."""


@dataclass(frozen=True)
class Checkpoint:
    """All files of weights, and whether they are pickles, and not safetensors."""

    files: tuple[Path, ...]
    pickled: bool

    @property
    def shapes(self) -> dict[str, tuple[int, ...]] | None:
        """What they hold, by their headers; None for pickles, of which only reading them tells."""
        if self.pickled:
            return None
        return {name: shape for file in self.files for name, shape in weights.shapes(file).items()}

    def read(self) -> dict[str, Tensor]:
        """The tensors by the names that diffusers gives them today; pickles are read for their tensors only.

        Raises:
            PriorError, or any of `weights.UNREADABLE`.
        """
        found: dict[str, Tensor] = {}
        for file in self.files:
            found |= weights.read_pickle(file) if self.pickled else load_file(file)
        return {_renamed(name): value for name, value in found.items()}


def find(folder: Path, root: Path, *, allow_pickle: bool) -> Checkpoint:
    """The weights in a folder that `save_pretrained` wrote: safetensors where there are, in one file or in shards.

    Links may lead to files in `root`. Pickles are taken where they are allowed and there are no safetensors.

    Raises:
        PriorError: there are none; or a file is missing, outside of the root, damaged, or a pickle though its name, or
            the user, says that it is none.
    """
    # By its content a pickle is refused as safetensors, whatever its name.
    for suffix, checked in (("safetensors", weights.shapes), ("bin", weights.check_pickle)):
        pickled = suffix == "bin"
        if pickled and not allow_pickle and any(_there(folder / name) for name in _names(suffix)):
            raise PriorError(
                f"The weights in {folder.name} are a pickle, which can run code. Say --allow-pickle (in Python "
                "allow_pickle=True) to read its tensors all the same, or convert them to safetensors."
            )
        for files in _candidates(folder, root, suffix):
            for file in files:
                checked(file)
            return Checkpoint(files, pickled)
    raise PriorError(f"{folder.name} has no {NAME}.safetensors. Save the model there.")


def _names(suffix: str) -> Iterator[str]:
    """One file, or an index of several; without a variant first."""
    for variant in VARIANTS:
        yield ".".join(filter(None, (NAME, variant, suffix)))
        yield ".".join(filter(None, (NAME, suffix, "index", variant, "json")))


def _candidates(folder: Path, root: Path, suffix: str) -> Iterator[tuple[Path, ...]]:
    for name in _names(suffix):
        if _there(folder / name):
            path = weights.regular_file(folder / name, root)
            yield _shards(path, root) if name.endswith(".json") else (path,)


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _shards(index: Path, root: Path) -> tuple[Path, ...]:
    """The files that an index names: plain names, of files beside it.

    Raises:
        PriorError: it names something else, or far too many.
    """
    placed = weights.read_json(index).get("weight_map")
    names = placed.values() if isinstance(placed, dict) else ()
    plain = all(isinstance(name, str) and re.fullmatch(r"\w[\w.-]{0,199}", name, re.ASCII) for name in names)
    if not names or not plain or len(set(names)) > MAX_SHARDS:
        raise PriorError(f"{index.name} does not name the files of the weights beside it. Download the prior again.")
    return tuple(weights.regular_file(index.with_name(name), root) for name in sorted(set(names)))


def _renamed(name: str) -> str:
    *path, layer, kind = name.rsplit(".", 2)
    return ".".join((*path, ATTENTION.get(layer, layer), kind)) if path else name
