"""An estimator as a file: weights in half precision, and a card that says what it is for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file, save_file

from inverse.denoisers import weights
from inverse.denoisers.embedded import EDMDenoiser
from inverse.errors import PriorError
from inverse.estimators.estimator import FORMS, EstimatorNetwork, placed

FORMAT = "inverse-estimator-1"
DAMAGED = "The estimator {} is damaged. Download it again, or train it anew."


@dataclass(frozen=True)
class EstimatorCard:
    """What is known of an estimator.

    Attributes:
        form: one of `FORMS`.
        prior: digest of the prior for which it was trained.
        tasks: names of the tasks that it has learned.
        sigma_y: the noise that it has learned, from and to.
        photographs: names of the training images.
        licences: how many of them are under each licence.
        settings: of the training.
        curve: [updates, validation loss], one after another.
        unconditional: the validation loss of the prior without it.
    """

    form: str
    prior: str
    tasks: tuple[str, ...]
    sigma_y: tuple[float, float]
    photographs: tuple[str, ...] = ()
    licences: dict[str, int] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    curve: tuple[tuple[int, float], ...] = ()
    unconditional: float | None = None


def save_estimator(network: EstimatorNetwork, card: EstimatorCard, path: Path) -> None:
    """Writes weights and card into one safetensors file."""
    tensors = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    save_file(tensors, path, {"format": FORMAT, "card": json.dumps(asdict(card))})


def read_card(path: Path) -> EstimatorCard:
    """The card in a file; nothing else is read.

    Raises:
        PriorError: the file is missing, damaged, or no estimator.
    """
    if not path.is_file():
        raise PriorError(f"There is no estimator {path.name}. Check its name, or train one with `train estimator`.")
    with weights.understood(DAMAGED.format(path.name)):
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise PriorError(f"{path.name} is no estimator. Use a file that `train estimator` wrote.")
        facts: dict[str, Any] = json.loads(metadata["card"])
        for name in ("tasks", "sigma_y", "photographs", "curve"):
            facts[name] = tuple(facts[name])
        card = EstimatorCard(**facts)
        if card.form not in FORMS or not all(isinstance(name, str) for name in (card.prior, *card.tasks)):
            raise ValueError("no such estimator")
    return card


def load_estimator(path: Path, prior: EDMDenoiser) -> tuple[EstimatorNetwork, EstimatorCard]:
    """Reads what `save_estimator` wrote, ready for use; nothing in the file is executed.

    Raises:
        PriorError: the file is missing or damaged, or the estimator is another prior's.
    """
    card = read_card(path)
    if card.prior != prior.digest:
        raise PriorError(
            f"The estimator {path.name} was trained for another prior. Choose that prior, or train one for this."
        )
    config = prior.network.config
    with weights.understood(DAMAGED.format(path.name)):
        with torch.device("meta"):
            expected = {name: tuple(v.shape) for name, v in EstimatorNetwork(card.form, config).state_dict().items()}
        if expected != weights.shapes(weights.regular_file(path, path.resolve().parent)):
            raise ValueError("the weights are those of another network")
        network = EstimatorNetwork(card.form, config)
        network.load_state_dict({name: value.float() for name, value in load_file(path).items()})
        if not all(value.isfinite().all() for value in network.state_dict().values()):
            raise ValueError("a weight is not finite")
    return placed(network, prior), card
