"""Files of weights, looked at before a library reads them: their content says what they are, never their name."""

from __future__ import annotations

import json
import os
import pickle
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import safetensors
import torch
from torch import Tensor

from inverse.errors import PriorError

MAX_HEADER = 10_000_000
"""Bytes; the header of a network with a thousand tensors has a hundredth of that."""
MAX_JSON = 1_000_000
_PICKLES = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
"""How files of `torch.save` begin: a zip archive since PyTorch 1.6, a bare pickle before."""

UNREADABLE = (
    safetensors.SafetensorError, ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError,
    OSError, RuntimeError, TypeError, ValueError,
)  # fmt: skip
"""What libraries raise on files and configurations that somebody made up; RecursionError is a RuntimeError."""


@contextmanager
def understood(sentence: str) -> Iterator[None]:
    """Whatever is raised on what somebody made up becomes a PriorError with this sentence; one of our own stays."""
    try:
        yield
    except PriorError:
        raise
    except UNREADABLE as error:
        raise PriorError(sentence) from error


def regular_file(path: Path, root: Path) -> Path:
    """The path, when it is a file inside the folder `root`, which links may not leave.

    Raises:
        PriorError: it is missing, something else than a file, or a link to a place outside.
    """
    if not path.is_file():  # false for pipes too, which would be waited for
        raise PriorError(f"{path.name} is missing or not a file. Download the prior again, or choose another one.")
    if not path.resolve().is_relative_to(root.resolve()):
        raise PriorError(f"{path.name} is a link to a file outside of the prior's folder. Put the file itself there.")
    return path


def read_json(path: Path) -> dict[str, Any]:
    """A configuration.

    Raises:
        PriorError: it is too large, damaged, or not an object.
    """
    try:
        if path.stat().st_size > MAX_JSON:
            raise PriorError(f"{path.name} is too large for a configuration. Download the prior again.")
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise PriorError(f"{path.name} is missing or damaged. Download the prior again.") from error
    if not isinstance(data, dict):
        raise PriorError(f"{path.name} is no configuration. Download the prior again.")
    return data


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors in a safetensors file, by its header alone.

    Raises:
        PriorError: it is a pickle, damaged, or cut off.
    """
    try:
        with path.open("rb") as file:
            start, size = file.read(9), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise PriorError(f"The prior's file {path.name} cannot be opened. Check its permissions.") from error
    header = int.from_bytes(start[:8], "little")
    damaged = PriorError(f"The prior's file {path.name} is damaged. Download it again.")
    if start[8:] != b"{" or header > min(MAX_HEADER, size - 8):
        if is_pickle(path):
            raise PriorError(
                f"{path.name} is a pickle, whatever its name says, and a pickle can run code. Use safetensors weights."
            )
        raise damaged
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise damaged from error


def is_pickle(path: Path) -> bool:
    """Whether a file begins as `torch.save` writes it, whatever its name says, and not as safetensors do.

    Raises:
        PriorError: it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise PriorError(f"The prior's file {path.name} cannot be opened. Check its permissions.") from error
    return start[8:] != b"{" and start.startswith(_PICKLES)  # a header of 640 bytes begins like a pickle


def read_pickle(path: Path) -> dict[str, Tensor]:
    """The tensors by name in a file of `torch.save`, and nothing else; they stay on the disk until somebody looks.

    Raises:
        PriorError: as in `check_pickle`; there is something else in it; or tensors claim more than the file holds.
    """
    check_pickle(path)
    strange = PriorError(f"{path.name} does not hold tensors by name, and nothing else. Use another prior.")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except (*UNREADABLE, pickle.UnpicklingError) as error:
        raise strange from error
    if not isinstance(found, dict) or not all(isinstance(name, str) and _plain(value) for name, value in found.items()):
        raise strange
    if sum(value.numel() * value.element_size() for value in found.values()) > path.stat().st_size:
        raise PriorError(f"{path.name} has tensors larger than itself, as no saved network does. Do not use it.")
    return dict(found)


def _plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout == torch.strided and value.is_floating_point()


def check_pickle(path: Path) -> None:
    """Refuses a file of `torch.save` that unpacks to more than its size, or is of the format before PyTorch 1.6.

    That only tensors come out of it is for `torch.load(weights_only=True)` to see to.

    Raises:
        PriorError: the file is one of these, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise PriorError(f"The prior's file {path.name} is damaged or too old. Convert it to safetensors.") from error
    packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
    if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
        raise PriorError(f"{path.name} unpacks to more than its size, as no saved network does. Do not use it.")
