"""Weights of learned metrics: from files that the user names, or the Hub, and by their digest under their right name.

A figure is called FID or LPIPS where the file is the one that defines it. With any other file it is a figure of its
own, and carries the file's digest in its title: figures of two networks cannot be compared.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from inverse.denoisers.catalog import best_device
from inverse.denoisers.identity import digest
from inverse.denoisers.weights import is_pickle
from inverse.errors import ParameterError, PriorError
from inverse.imaging.files import printable

ON_HUB = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40}):([\w./-]+)", re.ASCII)


@dataclass(frozen=True)
class Known:
    """A file of weights that a metric is defined by.

    Attributes:
        digests: how its SHA-256 begins, of each of its publications; a whole one is trusted though it is a pickle.
        file: its usual name.
        source: where it is.
    """

    digests: tuple[str, ...]
    file: str
    source: str


KNOWN = {
    "inception": Known(
        ("6726825d",), "weights-inception-2015-12-05-6726825d.pth",
        "https://github.com/toshas/torch-fidelity/releases/tag/v0.2.0",
    ),
    "alexnet": Known(
        ("7be5be79", "4df8aa71"), "alexnet-owt-7be5be79.pth",
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    ),
    "lpips": Known(
        ("df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",), "alex.pth",
        "https://github.com/richzhang/PerceptualSimilarity/tree/master/lpips/weights/v0.1",
    ),
}  # fmt: skip
"""By what `--weights` calls them."""


@dataclass(frozen=True)
class Weights:
    """The files that were named.

    Attributes:
        places: a path, or OWNER/NAME@COMMIT:FILE on the Hub, by the names of `KNOWN`.
        allow_pickle: read files in PyTorch's pickle format, tensors only.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    allow_pickle: bool = False

    def __post_init__(self) -> None:
        for name in self.places:
            if name not in KNOWN:
                raise ParameterError(f"There are no weights called {name[:40]!r}. Choose one of: {', '.join(KNOWN)}.")

    @cached_property
    def device(self) -> torch.device:
        """Where learned metrics are computed."""
        return torch.device(best_device())

    def path(self, name: str) -> Path:
        """The file, downloaded if it is on the Hub.

        Raises:
            ParameterError: it was not named, or is not there.
        """
        known = KNOWN[name]
        place = self.places.get(name)
        if place is None:
            raise ParameterError(
                f"This metric needs weights, which were not named. Download {known.file} from {known.source} and name "
                f"it by --weights {name}=FILE."
            )
        if match := ON_HUB.fullmatch(place):
            from huggingface_hub import hf_hub_download
            from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

            try:
                return Path(hf_hub_download(match[1], match[3], revision=match[2]))
            except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
                raise ParameterError(f"{place} cannot be had from the Hub. Check it and the connection.") from error
        path = Path(place)
        if not path.is_file():
            raise ParameterError(f"{printable(path)} is no file. Check what --weights {name}= names.")
        return path

    def remark(self, names: tuple[str, ...]) -> str:
        """What has to stand behind a figure of these weights: nothing, where they are those that it is defined by."""
        strange = [
            f"{name} {found[:12]}"
            for name in names
            if not (found := digest(self.path(name))).startswith(KNOWN[name].digests)
        ]
        return f"by other weights than it is defined by: {', '.join(strange)}" if strange else ""

    def tensors(self, name: str) -> dict[str, Tensor]:
        """The tensors of a file, by their names.

        Raises:
            ParameterError: it is a pickle, which was not allowed, or is damaged.
        """
        path = self.path(name)
        try:
            if not is_pickle(path):
                return load_file(path)
            if not self.allow_pickle and digest(path) not in KNOWN[name].digests:
                raise ParameterError(
                    f"{printable(path)} is a pickle, which can run code. Say --allow-pickle to read its tensors all "
                    "the same, or convert it to safetensors."
                )
            found = torch.load(path, map_location="cpu", weights_only=True)
            return {key: value for key, value in dict(found).items() if isinstance(value, Tensor)}
        except ParameterError:
            raise
        except (
            PriorError,
            SafetensorError,
            OSError,
            ValueError,
            TypeError,
            RuntimeError,
            EOFError,
            pickle.UnpicklingError,
        ) as error:
            raise ParameterError(f"{printable(path)} holds no weights that can be read. Get it again.") from error


def fill(network: torch.nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Loads every parameter of a network; what else the file holds is left.

    Raises:
        ParameterError: some are missing, or of another shape.
    """
    own = network.state_dict()
    fitting = {key: tensors[key] for key in own if key in tensors and tensors[key].shape == own[key].shape}
    if missing := [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]:
        raise ParameterError(
            f"The weights of {name} are of another network: {missing[0]} and {len(missing) - 1} more do not fit. Use "
            f"{KNOWN[name].file} from {KNOWN[name].source}."
        )
    network.load_state_dict(fitting, strict=False)
    network.eval().requires_grad_(False)
