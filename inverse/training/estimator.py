"""Training of a conditional score estimator beside a frozen prior, on a hundred photographs."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.embedded import DATA_STD, EDMDenoiser, digest, load_network
from inverse.denoisers.network import ResidualUNet
from inverse.errors import PriorError
from inverse.estimators.estimator import ONE_PASS, EstimatorNetwork
from inverse.estimators.files import EstimatorCard, load_estimator, read_card, save_estimator
from inverse.estimators.statistic import FIRST_LEVEL
from inverse.imaging import metrics
from inverse.operators import TASKS
from inverse.training.estimator_settings import EstimatorTraining
from inverse.training.loop import Progress, accelerated, made, reports
from inverse.training.measurements import Measurement, draw_measurement, measured
from inverse.training.photos import Collection, Photos, load_photos, rank
from inverse.training.prior import edm_loss
from inverse.training.trainer import Trainer, initialised
from inverse.training.validation import whole

ATTRIBUTION = "ATTRIBUTION.tsv"
"""In the folder of photographs: a table with the columns `file` and `licence`, for the card."""
VALIDATION_LEVELS = (FIRST_LEVEL, 1.0, 0.2)
"""Of a one-pass form the first only."""
VALIDATION_SIGMA_Y = 0.05
VALIDATION_SIDE = 128
"""Of the center square of a photograph, shrunk to this."""
VALIDATED = 24
"""Photographs that validation takes at most."""
TASKS_A_PHOTO = 3
"""In validation, in turn."""
_VALIDATION = 5


@dataclass(frozen=True)
class EstimatorValidation:
    """How near the estimates are on photographs that were kept out.

    Attributes:
        loss: that of the training, at sigma_y 0.05 and fixed noise levels: of every pixel in units of how wrong what
            the prior is fed is there, so that a hole, of which nobody knows, does not drown what can be learned.
        psnr: of the estimate at the highest level, at which nothing is known but y, in dB, by task.
    """

    loss: float
    psnr: Mapping[str, float]

    @property
    def mean(self) -> float:
        """The larger, the better."""
        return -self.loss


class EstimatorTrainer(Trainer[EstimatorNetwork, EstimatorTraining]):
    """The training of an estimator.

    Args:
        parameters, accelerator, output: as for `Trainer`.
        prior: network of the prior, in float32.
        tasks: what it is to learn.
        facts: what else the card says.
        initial: an estimator of the same form to begin from; only for a training's first session.
    """

    best = "estimator.safetensors"
    weight_decay = 1e-4

    def __init__(
        self,
        parameters: EstimatorTraining,
        accelerator: Any,
        output: Path,
        prior: ResidualUNet,
        tasks: Sequence[str],
        facts: dict[str, Any],
        initial: Path | None = None,
    ) -> None:
        network = initialised(lambda: EstimatorNetwork(parameters.form, prior.config), parameters.seed)
        if initial is None:
            network.inherit(prior)
        else:
            given, card = load_estimator(initial, EDMDenoiser(prior, "cpu", "float32"))
            if card.form != parameters.form:
                raise PriorError(
                    f"{initial.name} has the form {card.form}, not {parameters.form}. Begin from one of the same form."
                )
            network.load_state_dict(given.state_dict())
        self.tasks, self.facts_of_card = tuple(tasks), facts
        self.digest = digest(prior)
        super().__init__(parameters, accelerator, output, network)
        self.prior = EDMDenoiser(prior, accelerator.device, "bfloat16" if self.bfloat16 else "float32")

    @property
    def ended(self) -> bool:
        curve = self.facts["curve"]
        best = self.facts["best"]
        stale = best is not None and sum(at > best["iteration"] for at, _ in curve) >= self.parameters.patience
        return stale or super().ended

    def loss(self, x0: Tensor, generator: torch.Generator) -> Tensor:
        drawn = draw_measurement(x0, self.tasks, self.parameters.noise, generator)
        sigma = self.levels(len(x0), generator).to(x0.device)
        noise = torch.randn(drawn.x0.shape, generator=generator).to(drawn.x0)
        x = drawn.x0 + sigma[:, None, None, None] * noise
        x0_hat, level = self.estimate(self.prepared, x, sigma, drawn)
        return edm_loss(x0_hat, drawn.x0, level)

    def levels(self, count: int, generator: torch.Generator) -> Tensor:
        """Noise levels (count,): log-uniform, some at the highest, where sampling begins; of one pass nothing else."""
        low = FIRST_LEVEL if self.parameters.form == ONE_PASS else self.parameters.sigma_low
        drawn = torch.rand(2, count, generator=generator)
        sigma = low * (FIRST_LEVEL / low) ** drawn[0]
        return torch.where(drawn[1] < self.parameters.at_highest, FIRST_LEVEL, sigma)

    def estimate(self, network: Any, x: Tensor, sigma: Tensor, drawn: Measurement) -> tuple[Tensor, Tensor]:
        """D(x, sigma | y) by the network that is trained, or by its average; and the level that the prior is told."""
        inner = self.accelerator.unwrap_model(network)
        condition = inner.condition(drawn.operator, drawn.y, drawn.sigma_y)
        x0_hat = network(self.prior.network, x, sigma, condition, DATA_STD, self.bfloat16)
        return x0_hat, condition.level(sigma)

    def write(self, path: Path) -> None:
        curve = tuple((int(at), -float(mean)) for at, mean in self.facts["curve"])
        card = EstimatorCard(
            self.parameters.form, self.digest, self.tasks, self.parameters.noise,
            settings=self.parameters.to_dict(), curve=curve, **self.facts_of_card,
        )  # fmt: skip
        save_estimator(self.average.network, card, path)

    @torch.no_grad()
    def validate(self, photos: Photos, conditional: bool = True) -> EstimatorValidation:
        """The averaged weights on the center of every photograph; the prior alone where not conditional."""
        losses: list[float] = []
        psnr: dict[str, list[float]] = {name: [] for name in self.tasks}
        levels = VALIDATION_LEVELS[:1] if self.parameters.form == ONE_PASS else VALIDATION_LEVELS
        for index, pixels in enumerate(photos.pixels):
            x0 = whole(pixels, VALIDATION_SIDE, self.prior.multiple).to(self.prior.device)
            for turn in range(min(TASKS_A_PHOTO, len(self.tasks))):
                place = (index * TASKS_A_PHOTO + turn) % len(self.tasks)
                name, seed = self.tasks[place], (_VALIDATION, index, place)
                generator = randomness.generator(0, *seed)
                drawn = measured(x0, TASKS[name](), VALIDATION_SIGMA_Y, generator, np.random.default_rng(seed))
                for level in levels:
                    sigma = torch.full((1,), level, device=x0.device)
                    x = drawn.x0 + level * torch.randn(drawn.x0.shape, generator=generator).to(x0)
                    x0_hat, told = self.estimate(self.average.network, x, sigma, drawn)
                    if not conditional:
                        x0_hat = self.prior(x, sigma)
                    losses.append(float(edm_loss(x0_hat, drawn.x0, told)))
                    if level == FIRST_LEVEL:
                        psnr[name].append(metrics.psnr(x0_hat[0], drawn.x0[0]))
        return EstimatorValidation(sum(losses) / len(losses), {n: sum(v) / len(v) for n, v in psnr.items() if v})


def train_estimator(
    parameters: EstimatorTraining, prior: Path, tasks: Sequence[str], images: Path, output: Path, *,
    initial: Path | None = None, device: str | None = None,
) -> Iterator[Progress]:  # fmt: skip
    """Trains, or goes on where the last checkpoint in the output folder ends, as `train_prior` does.

    Args:
        parameters: of the training.
        prior: file of the prior, which is frozen.
        tasks: names of linear tasks.
        images: folder with photographs; `parameters.photographs` of them are trained on, and others validate.
        output: folder for the checkpoint, the weights and the log; made if need be.
        initial: an estimator of the same form and prior to begin from; only for a training's first session.
        device: "cpu" forces the CPU; otherwise accelerate chooses.

    Raises:
        ProblemError: the photographs cannot be used, or accelerate is missing.
        PriorError: a file is damaged, of another form, or of another prior.
        DivergenceError: the loss is no longer finite; the last checkpoint is from before.
    """
    accelerator = accelerated(device)
    network = load_network(prior)
    found = load_photos(images, smallest=parameters.crop, memory=parameters.memory, held_out=parameters.held_out)
    training, validation = _drawn(found.training, parameters.photographs), _drawn(found.validation, VALIDATED)
    collection = Collection(training, validation, found.rejected)
    facts: dict[str, Any] = {}
    trainer = EstimatorTrainer(parameters, accelerator, made(output), network, tasks, facts, initial)
    if trainer.facts.setdefault("prior", trainer.digest) != trainer.digest:
        raise PriorError("The checkpoint there was trained for another prior. Train into another folder.")
    if "seen" not in trainer.facts:
        trainer.facts["seen"] = _seen(initial, images, collection.training.names)
    facts |= trainer.facts["seen"]
    if "unconditional" not in trainer.facts:
        trainer.facts["unconditional"] = trainer.validate(collection.validation, conditional=False).loss
    facts["unconditional"] = trainer.facts["unconditional"]
    yield from reports(trainer, collection, lambda: trainer.validate(collection.validation))


def _drawn(photos: Photos, count: int) -> Photos:
    """So many of them: which ones depends on their names only."""
    chosen = sorted(sorted(range(len(photos.names)), key=lambda i: rank(photos.names[i]))[-count:])
    return Photos(
        tuple(photos.names[i] for i in chosen), tuple(photos.pixels[i] for i in chosen),
        tuple(photos.weights[i] for i in chosen),
    )  # fmt: skip


def _seen(initial: Path | None, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """What the weights have seen in the end, for the card: these photographs, and those of what they began as."""
    before = read_card(initial) if initial else None
    earlier = before.photographs if before else ()
    own = [name for name in names if name not in earlier]
    licences = Counter(before.licences if before else {}) + Counter(_licences(folder, own))
    return {"photographs": (*earlier, *own), "licences": dict(licences)}


def _licences(folder: Path, names: Sequence[str]) -> dict[str, int]:
    """How many of the photographs are under each licence, by the table beside them."""
    table = folder / ATTRIBUTION
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        known = {row.get("file"): row.get("licence") or "unknown" for row in csv.DictReader(file, delimiter="\t")}
    return dict(Counter(known.get(name, "unknown") for name in names))
