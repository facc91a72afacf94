"""The priors that have a name, one card each: the command line, menus and `load_prior` are made from these.

A new prior is a new card. A prior of a kind that nothing here can read needs a loader too, in `catalog.LOADERS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EMBEDDED, DDPM, ADM = "embedded", "ddpm", "adm"
"""Kinds: the residual U-Net that `train prior` trains; variance-preserving U-Nets as diffusers writes them; and those
of them that are the network of guided-diffusion, in its own naming or in diffusers'."""

NOT_STATED = "not stated"
"""The licence of weights of which nobody said it."""
LATENT, FLOW = "latent", "flow"
"""Pipelines of diffusers with an autoencoder: around such a U-Net, and around a flow-matching transformer."""


@dataclass(frozen=True)
class Card:
    """What is known of a prior before it is loaded.

    Attributes:
        name: what --prior and settings call it.
        kind: who reads it, and by which its presets are found; priors of one kind need similar settings.
        title: what people read.
        trained_on: the pictures that it has seen; empty where nobody said.
        good_for: the photos to use it for.
        size: side of the pictures that it was trained on, in pixels; 0 where it takes any, or nobody said.
        parameters: how many numbers it has, in millions.
        megabytes: of its files.
        memory: gigabytes for a forward pass, and for one that is followed by a backward pass, of one picture of `size`
            pixels in float32, besides the weights; zeros where nobody measured.
        licence: of its weights, as its model card says.
        repository: "owner/name" on the Hugging Face Hub; empty for what is here.
        revision: the commit, 40 hexadecimal digits; nothing is ever loaded from a moving branch.
        pickled: that commit has weights in the pickle format only.
        thresholds: the noise levels from which on it answers as well on means over 2, 4, ... pixels, as `inverse priors
            scales` measured them; empty where nobody did. See `denoisers.pyramid`.
    """

    name: str
    kind: str
    title: str = ""
    trained_on: str = ""
    good_for: str = ""
    size: int = 0
    parameters: float = 0.0
    megabytes: int = 0
    memory: tuple[float, float] = (0.0, 0.0)
    licence: str = ""
    repository: str = ""
    revision: str = ""
    pickled: bool = False
    thresholds: tuple[float, ...] = ()

    @property
    def identity(self) -> str:
        """What settings keep of it: whatever it names today, it names for ever."""
        return f"{self.repository}@{self.revision}" if self.repository else self.name

    @property
    def need(self) -> float:
        """Bytes of memory for its weights in float32 and a forward pass, of one picture of its size."""
        return 4e6 * self.parameters + 1e9 * self.memory[0]

    @property
    def attentive(self) -> bool:
        """Whether it has attention, which other sizes than its own disturb; the embedded kind has none."""
        return self.kind != EMBEDDED

    @property
    def link(self) -> str:
        """The page of that commit; empty for what is here."""
        return f"https://huggingface.co/{self.repository}/tree/{self.revision}" if self.repository else ""

    @property
    def command(self) -> str:
        """What downloads it ahead of time; empty for what is here."""
        return f"hf download {self.repository} --revision {self.revision}" if self.repository else ""

    @property
    def offered(self) -> bool:
        """Whether an app may offer it to its visitors: it can be read without trusting a pickle."""
        return not self.pickled


def _ddpm(name: str, revision: str, trained_on: str, good_for: str, *, pickled: bool = True) -> Card:
    """A network for 256x256 pixels of Ho et al. 2020, as the authors of diffusers converted it."""
    title = f"DDPM, {good_for}"
    return Card(
        name, DDPM, title, trained_on, good_for, 256, 113.7, 455, (0.4, 2.2), "Apache-2.0",
        f"google/{name}", revision, pickled,
    )  # fmt: skip


def _stable_diffusion(name: str, revision: str) -> Card:
    """Text-to-image networks for 512x512 pixels of Rombach et al. 2022, asked with the empty prompt."""
    return Card(
        name, LATENT, f"Stable Diffusion {name.removeprefix('stable-diffusion-').replace('-', ' ')}",
        "LAION-5B, pictures from the web", "photos of all kinds, on a GPU", 512, 949.6, 2580, (1.1, 3.6),
        "CreativeML Open RAIL++-M", f"sd2-community/{name}", revision,
    )  # fmt: skip


PRIORS: dict[str, Card] = {
    card.name: card
    for card in (
        Card(
            "embedded", EMBEDDED, "Embedded", "photographs of all kinds, crops of 128x128 pixels",
            "photos of all kinds, on a CPU", parameters=4.6, megabytes=9, licence="Apache-2.0",
            thresholds=(2.8, 16.0),
        ),
        _ddpm(
            "ddpm-cat-256", "82ca0d5db4a5ec6ff0e9be8d86852490bc18a3d9", "LSUN cat", "cats", pickled=False
        ),
        Card(
            "ddpm-cifar10-32", DDPM, "DDPM, tiny pictures", "CIFAR-10", "tiny pictures of objects and animals",
            32, 35.7, 143, (0.02, 0.07), "Apache-2.0",
            "google/ddpm-cifar10-32", "267b167dc01f0e4e61923ea244e8b988f84deb80",
        ),
        _ddpm("ddpm-celebahq-256", "cd5c944777ea2668051904ead6cc120739b86c4d", "CelebA-HQ", "faces"),
        _ddpm("ddpm-church-256", "14e3c702d021d2563e924f2682ac4bd31464f888", "LSUN church", "churches and buildings"),
        _ddpm(
            "ddpm-ema-church-256", "4bd6742e020ac75ee4bbd29d9a1c431bda945dde", "LSUN church",
            "churches and buildings, averaged weights",
        ),
        _ddpm("ddpm-bedroom-256", "d6ccd889ac8a4c072ae35e63fed664718cdaa060", "LSUN bedroom", "bedrooms and interiors"),
        _ddpm(
            "ddpm-ema-bedroom-256", "df329a8d5319a212e813ba83427e4af56760c35f", "LSUN bedroom",
            "bedrooms and interiors, averaged weights",
        ),
        Card(
            "adm-imagenet-256", ADM, "ADM, photos of all kinds", "ImageNet", "photos of all kinds, on a GPU",
            256, 552.8, 2211, licence="MIT, as OpenAI's original",
            repository="lukasz-staniszewski/adm-imagenet-256x256-unconditional",
            revision="3fc55601fb256c71a9b34c3b185602fab3f1bb6a",
        ),
        _stable_diffusion("stable-diffusion-2-base", "f5bc1bd97485577aa0b946fa8a9004e2ec147402"),
        _stable_diffusion("stable-diffusion-2-1-base", "4e63672c03103b6c636b8fb4119ba982469b2955"),
    )
}  # fmt: skip
"""Published ones where the commit is known for certain: it stands in the address of the Hub's own page of that commit,
which also lists its files."""

COMMIT = re.compile(r"@[0-9a-f]{40}$", re.ASCII)
PICKLES = (".pt", ".pth", ".ckpt")
"""How a checkpoint of guided-diffusion is usually called; what is here is looked at instead."""
OWN = re.compile(r"@([a-z]+):[0-9a-f]{64}$", re.ASCII)
"""The end of the name of what has no card and is here: its kind, and the SHA-256 of its content."""


def card_of(name: str) -> Card | None:
    """The card of the prior of that name, or of that identity, with its owner or without; None where it has none."""
    return next(
        (card for card in PRIORS.values() if name == card.name or f"/{card.identity}".endswith(f"/{name}")), None
    )


def kind_of(name: str) -> str:
    """The kind of the prior of that name, as settings keep it, without its folder; nothing is opened.

    A name without a card and without a kind counts as that of a file that `train prior` wrote, unless it ends in a
    commit on the Hub.
    """
    if card := card_of(name):
        return card.kind
    if own := OWN.search(name):
        return own[1]
    if name.endswith(PICKLES):
        return ADM
    return DDPM if COMMIT.search(name) else EMBEDDED


def short(name: str) -> str:
    """The same for people, as a menu or an axis shows it: without owner, commit and digest."""
    if card := card_of(name):
        return card.name
    return COMMIT.sub("", OWN.sub("", name)).rpartition("/")[2] or name
