"""Which priors an app may offer to its visitors, and whether each of them fits the machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from inverse.denoisers import cards, catalog, hub, memory
from inverse.denoisers.cards import EMBEDDED, PRIORS, Card
from inverse.denoisers.identity import identity_of
from inverse.errors import ParameterError
from inverse.imaging.files import printable
from inverse.parameters import shown


@dataclass(frozen=True)
class Offer:
    """A prior on offer.

    Attributes:
        card: what is known of it; of a file or folder of one's own, what its files say.
        place: what `load_prior` takes it by.
    """

    card: Card
    place: str

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def identity(self) -> str:
        """What settings keep of it."""
        return identity_of(self.place)

    @property
    def here(self) -> bool:
        """Whether its files are on this machine; nothing is asked of the network."""
        return not self.card.repository or hub.here_of(self.card) is not None

    def refusal(self, device: str) -> str:
        """A sentence on why it cannot be used on this machine now, and what helps; empty where it can."""
        card = self.card
        if catalog.is_kept(self.place, device):
            return ""
        if not self.here:
            if hub.offline():
                return f"It is not on this machine, which is told to stay offline. Download it by: {card.command}"
            free = _free_on_disk()
            if free is not None and free < card.megabytes * 1e6:
                return (
                    f"It has {card.megabytes} MB, and {free / 1e6:.0f} MB of the disk are free. Make room, then "
                    f"download it by: {card.command}"
                )
        needed, free = card.need, memory.free_bytes(torch.device(device))
        if free is not None and needed > (free := free + catalog.replaceable()):
            return (
                f"It needs about {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free. Close other "
                "programs, or use a machine with more."
            )
        return ""

    @property
    def about(self) -> str:
        """What a menu says of it, in a line."""
        card = self.card
        size = f"{card.size} × {card.size} pixels" if card.size else "any size"
        weights = f"{card.megabytes} MB" if self.here else f"{card.megabytes} MB to download"
        need = f"{card.need / 1e9:.1f} GB of memory" if card.need >= 1e8 else ""
        words = " · ".join(filter(None, [card.trained_on, size, weights, need, card.licence]))
        return words[:1].upper() + words[1:]


def offers(names: Iterable[str]) -> dict[str, Offer]:
    """What is offered, by name; the embedded prior always, and first.

    Args:
        names: of cards; "owner/name@commit"; or paths of files and folders of one's own.

    Raises:
        ParameterError: one of them is no prior, or has weights in a pickle only, or two have the same name.
    """
    found = {EMBEDDED: Offer(PRIORS[EMBEDDED], EMBEDDED)}
    for name in dict.fromkeys(names):
        offer = _offer(name)
        if found.setdefault(offer.name, offer) != offer:
            raise ParameterError(f"Two priors are called {shown(offer.name, 60)}. Rename the file or folder of one.")
    return found


def safe_names() -> list[str]:
    """Names of all priors with a card that an app may offer."""
    return [card.name for card in PRIORS.values() if card.offered]


def _offer(name: str) -> Offer:
    card = cards.card_of(name)
    if card is None and catalog.own_file(name) is not None:
        return Offer(_own(name), name)
    if card is None and hub.NAME.fullmatch(name):
        card = hub.find(name)
    if card is None:
        raise ParameterError(
            f"{shown(name, 60)} is no prior that can be offered. Use one of {', '.join(safe_names())}, "
            "OWNER/NAME@COMMIT, or the path of a file or folder."
        )
    if not card.offered:
        raise ParameterError(
            f"The weights of {name} are published as a pickle only, which can run code, and an app offers safetensors "
            "only. Leave it out, or convert it and name its folder."
        )
    return Offer(card, card.identity)


def _own(name: str) -> Card:
    """The card of a file or folder of one's own, by what its files say."""
    path, kind, title = catalog.own_file(name), catalog.kind_at(name), printable(Path(Path(name).name))
    assert path is not None
    weights = [path] if path.is_file() else [*path.glob("*.safetensors"), *path.glob("*/*.safetensors")]
    if not weights or any(file.suffix != ".safetensors" for file in weights):
        raise ParameterError(f"{shown(title, 60)} has no weights in safetensors, and an app offers no others.")
    size = sum(file.stat().st_size for file in weights)
    side = _configuration(path, "", "unet", "transformer").get("sample_size")
    halvings = _configuration(path, "vae", "vqvae").get("block_out_channels")  # of the pictures behind latents
    factor = 2 ** (len(halvings) - 1) if isinstance(halvings, list) and 0 < len(halvings) < 10 else 1
    side = side * factor if isinstance(side, int) and side > 0 else 0
    return Card(
        title, kind, title, trained_on="a prior of this machine", size=side,
        parameters=size / (2e6 if path.is_file() else 4e6), megabytes=max(1, round(size / 1e6)),
    )  # fmt: skip


def _configuration(path: Path, *folders: str) -> dict[str, Any]:
    """config.json of a network of diffusers in one of the folders in there; empty where none can be read, which loading
    it will say."""
    for folder in folders:
        try:
            found = json.loads((path / folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return {}


def _free_on_disk() -> int | None:
    """Bytes that are free where downloads go; None where nobody can tell."""
    from huggingface_hub import constants

    place = Path(constants.HF_HUB_CACHE)
    for folder in (place, *place.parents):
        try:
            return shutil.disk_usage(folder).free
        except OSError:  # it does not exist yet
            continue
    return None
