"""Training of a prior, as a stream of progress: EDM's loss, AdamW, a moving average, exact resume after a kill."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.embedded import EDMDenoiser, computes_in_bfloat16, load_network, precondition, save_network
from inverse.denoisers.network import ResidualUNet
from inverse.errors import DivergenceError, ParameterError, ProblemError
from inverse.files import replace_atomically, unwritable
from inverse.training.average import Average
from inverse.training.checkpoint import load_checkpoint, save_checkpoint
from inverse.training.crops import Crops
from inverse.training.growth import inherit
from inverse.training.photos import Rejected, Weights, load_photos
from inverse.training.settings import PriorTraining
from inverse.training.validation import Validation, validate

CHECKPOINT, BEST, LATEST, LOG = "checkpoint.safetensors", "prior.safetensors", "latest.safetensors", "log.jsonl"
"""Files in the output folder: state for resuming, the best average so far, the latest one, and every report."""

DATA_STD = 0.5
SIGMA_MIN, SIGMA_MAX = 0.003, 80.0
PAUSE_FACTOR = 10
"""An update that takes this many times as long as usual was interrupted, and counts as a usual one."""

_INITIAL, _NOISE = 2, 3


@dataclass(frozen=True)
class Progress:
    """One report of a training.

    Attributes:
        iteration: updates so far, over every session.
        share: of the training that is done, 0 to 1.
        loss: EDM loss, mean over the updates since the last report; NaN in a session's first.
        learning_rate: of the last update.
        images_per_second: crops trained on, since the last report.
        seconds: training time so far, over every session, without validation and pauses.
        validation: when one was due.
        best: whether that validation is the best so far, and its weights were kept.
        photographs: how many are trained on, and how many kept out.
        rejected: pictures that could not be used; the same in every report.
    """

    iteration: int
    share: float
    loss: float
    learning_rate: float
    images_per_second: float
    seconds: float
    validation: Validation | None
    best: bool
    photographs: tuple[int, int]
    rejected: tuple[Rejected, ...]


def train_prior(
    parameters: PriorTraining,
    images: Path,
    output: Path,
    *,
    weights: Weights = (),
    initial: Path | None = None,
    device: str | None = None,
) -> Iterator[Progress]:
    """Trains, or goes on where the last checkpoint in the output folder ends.

    With the same parameters and photographs, a training that was killed and resumed gives the same weights as one that
    was not, bit for bit on the same machine, where `iterations` decides its end. Closing the generator saves first.

    Args:
        parameters: all of which may change between sessions, except the network.
        images: folder with photographs, subfolders included.
        output: folder for the files above; made if need be.
        weights: how often photographs are drawn, from `read_weights`.
        initial: a prior to start from, whose network may be smaller; only for a training's first session.
        device: "cpu" forces the CPU; otherwise accelerate chooses.

    Yields:
        A first report before any update, then one every `report_every` updates, at each validation and at the end.

    Raises:
        ProblemError: the photographs cannot be used, or accelerate is missing.
        PriorError: a file is damaged, of another network, or cannot be written.
        DivergenceError: the loss is no longer finite; the last checkpoint is from before.
    """
    accelerator = _accelerator(device)
    collection = load_photos(
        images, smallest=parameters.crop, memory=parameters.memory, held_out=parameters.held_out, weights=weights
    )
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError:
        raise ProblemError(f"The folder {output} cannot be made. Give one that can be written to.") from None
    trainer = Trainer(parameters, accelerator, output, initial)
    crops = Crops(collection.training, parameters.crop, parameters.batch, parameters.shrink, parameters.seed)
    photographs = (len(collection.training.names), len(collection.validation.names))

    def report(validation: Validation | None = None) -> Progress:
        best = validation is not None and trainer.keep_if_best(validation)
        record = Progress(**trainer.measured(), validation=validation, best=best, photographs=photographs,
                          rejected=collection.rejected)  # fmt: skip
        trainer.log(record)
        return record

    def validation() -> Validation:
        return validate(trainer.averaged_prior(), collection.validation, max(128, parameters.crop))

    stream = crops.stream(
        trainer.iteration * accelerator.num_processes + accelerator.process_index, accelerator.num_processes
    )
    try:
        yield report()
        while trainer.share < 1:
            trainer.update(next(stream))
            ended = trainer.share >= 1
            if ended or trainer.iteration % parameters.validate_every == 0:
                yield report(validation())
            elif trainer.iteration % parameters.report_every == 0:
                yield report()
            if not ended and trainer.checkpoint_due:
                trainer.save()
    except GeneratorExit:
        trainer.save()
        raise
    finally:
        stream.close()
    trainer.save()


class Trainer:
    """Network, average, optimizer and counters of one training; `update` is one step of it.

    Args:
        parameters: of the training.
        accelerator: where it runs.
        output: folder of its files; a checkpoint there is resumed.
        initial: a prior to start from, else None.
    """

    def __init__(self, parameters: PriorTraining, accelerator: Any, output: Path, initial: Path | None) -> None:
        self.parameters, self.accelerator, self.output = parameters, accelerator, output
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(randomness.generator(parameters.seed, _INITIAL).initial_seed())
            network = ResidualUNet(parameters.config)
        if initial is not None:
            inherit(network, load_network(initial))
        self.network = network.to(accelerator.device, memory_format=torch.channels_last).train()
        self.average = Average(self.network, parameters.average)
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=parameters.learning_rate, betas=(0.9, 0.99), fused=True
        )
        self.facts: dict[str, Any] = {"iteration": 0, "seconds": 0.0, "best": None}
        if (output / CHECKPOINT).exists():
            self.facts |= load_checkpoint(output / CHECKPOINT, self.network, self.average.network, optimizer)
        compiled = torch.compile(self.network) if parameters.compile else self.network
        self.prepared, self.optimizer = accelerator.prepare(compiled, optimizer)
        automatic = parameters.precision == "auto" and computes_in_bfloat16(accelerator.device)
        self.bfloat16 = automatic or parameters.precision == "bfloat16"
        self._losses: list[Tensor] = []
        self._rate = self._usual = self._report_seconds = 0.0
        self._saved_at = time.monotonic()

    @property
    def iteration(self) -> int:
        """Updates so far."""
        return self.facts["iteration"]

    @property
    def share(self) -> float:
        """Of the training that is done, 0 to 1."""
        return self.parameters.progress(self.iteration, self.facts["seconds"])

    @property
    def checkpoint_due(self) -> bool:
        return time.monotonic() - self._saved_at >= 60 * self.parameters.checkpoint_minutes

    def update(self, crops: Tensor) -> None:
        """One step on crops (B, C, H, W) uint8."""
        started = time.monotonic()
        x0 = crops.to(self.accelerator.device).float() / 127.5 - 1
        sigma, noise = self._noise(x0)
        self._rate = self.parameters.rate(self.iteration, self.share)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate
        with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=self.bfloat16):
            x0_hat = precondition(self.prepared, x0 + noise, sigma, DATA_STD)
        loss = edm_loss(x0_hat, x0, sigma)
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.facts["iteration"] += 1
        self.average.update(self.network, self.iteration)
        self._losses.append(loss.detach())
        self._count(time.monotonic() - started)

    def _noise(self, x0: Tensor) -> tuple[Tensor, Tensor]:
        """Noise levels (B,) and noise of those levels (B, C, H, W), which depend on seed and iteration only."""
        purpose = (_NOISE, self.iteration, self.accelerator.process_index)
        generator = randomness.generator(self.parameters.seed, *purpose)
        # One level from each B-th part of the distribution: the same distribution, and a steadier gradient.
        uniform = (torch.arange(len(x0)) + torch.rand(len(x0), generator=generator)) / len(x0)
        normal = torch.special.ndtri(uniform.double().clamp(1e-6, 1 - 1e-6)).float()
        sigma = (self.parameters.log_sigma_mean + self.parameters.log_sigma_std * normal).exp()
        sigma = sigma.clamp(SIGMA_MIN, SIGMA_MAX).to(x0.device)
        on_device = torch.Generator(x0.device).manual_seed(generator.initial_seed())
        noise = torch.randn(x0.shape, generator=on_device, device=x0.device)
        return sigma, sigma[:, None, None, None] * noise

    def _count(self, seconds: float) -> None:
        paused = self._usual > 0 and seconds > PAUSE_FACTOR * self._usual
        seconds = self._usual if paused else seconds
        self._usual = seconds if not self._usual else 0.9 * self._usual + 0.1 * seconds
        self.facts["seconds"] += seconds
        self._report_seconds += seconds

    def measured(self) -> dict[str, Any]:
        """What a report says of the updates since the last one; begins anew."""
        count, seconds = len(self._losses), self._report_seconds
        loss = float(torch.stack(self._losses).mean()) if count else float("nan")
        self._losses, self._report_seconds = [], 0.0
        if count and not math.isfinite(loss):
            raise DivergenceError("The loss is no longer finite. Lower learning_rate and start again.", None)
        crops = count * self.parameters.batch * self.accelerator.num_processes
        return {
            "iteration": self.iteration, "share": self.share, "loss": loss, "learning_rate": self._rate,
            "images_per_second": crops / seconds if seconds else 0.0, "seconds": self.facts["seconds"],
        }  # fmt: skip

    def averaged_prior(self) -> EDMDenoiser:
        """The averaged weights as a prior."""
        precision = "bfloat16" if self.bfloat16 else "float32"
        return EDMDenoiser(self.average.network, self.accelerator.device, precision, data_std=DATA_STD)

    def keep_if_best(self, validation: Validation) -> bool:
        """Writes the averaged weights as the best ones where they are; returns whether."""
        best = self.facts["best"]
        if best is not None and validation.mean <= best["mean"]:
            return False
        self.facts["best"] = {"mean": validation.mean, "iteration": self.iteration}
        self._write(BEST)
        return True

    def save(self) -> None:
        """Writes checkpoint and latest weights."""
        if self.accelerator.is_main_process:
            save_checkpoint(self.output / CHECKPOINT, self.network, self.average.network, self.optimizer, self.facts)
            self._write(LATEST)
        self._saved_at = time.monotonic()

    def _write(self, name: str) -> None:
        if self.accelerator.is_main_process:
            replace_atomically(self.output / name, lambda path: save_network(self.average.network, path))

    def log(self, record: Progress) -> None:
        """Appends a report to the log."""
        if self.accelerator.is_main_process:
            loss = None if math.isnan(record.loss) else record.loss  # JSON knows no NaN
            facts = asdict(record) | {"loss": loss, "rejected": len(record.rejected)}
            try:
                with (self.output / LOG).open("a", encoding="utf-8") as file:
                    file.write(json.dumps(facts) + "\n")
            except OSError as error:
                raise unwritable(self.output / LOG, error) from error


def edm_loss(x0_hat: Tensor, x0: Tensor, sigma: Tensor) -> Tensor:
    """Mean of lambda(sigma) |D - x0|^2, lambda = (sigma^2 + sd^2) / (sigma sd)^2: Karras et al. 2022, table 1.

    Args:
        x0_hat: estimates D, (B, C, H, W).
        x0: clean images.
        sigma: their noise levels, (B,).
    """
    weight = (sigma.square() + DATA_STD**2) / (sigma * DATA_STD).square()
    return (weight[:, None, None, None] * (x0_hat - x0).square()).mean()


def _accelerator(device: str | None) -> Any:
    if device not in (None, "cpu"):
        raise ParameterError(f"The device is 'cpu' or left out, and {device!r} is neither. Choose a GPU by its number "
                             "in CUDA_VISIBLE_DEVICES.")  # fmt: skip
    try:
        from accelerate import Accelerator
    except ImportError:
        raise ProblemError("Training needs accelerate, which is not installed: pip install 'inverse[train]'.") from None
    return Accelerator(cpu=device == "cpu")
