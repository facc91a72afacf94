"""The state of a training and one step of it: AdamW, a moving average, files written whole."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from inverse import randomness
from inverse.denoisers.precision import computes_in_bfloat16
from inverse.errors import DivergenceError
from inverse.imaging.files import replace_atomically
from inverse.training.average import Average
from inverse.training.checkpoint import load_checkpoint, save_checkpoint
from inverse.training.settings import Training

CHECKPOINT, LATEST = "checkpoint.safetensors", "latest.safetensors"
"""Files in the output folder: state for resuming, and the latest average; beside them the best one so far."""

PAUSE_FACTOR = 10
"""An update that takes this many times as long as usual was interrupted, and counts as a usual one."""

DIVERGED = "The loss is no longer finite. Lower learning_rate and go on from the last checkpoint."

_INITIAL, _NOISE = 2, 3

Network = TypeVar("Network", bound=nn.Module)
Settings = TypeVar("Settings", bound=Training)


class Measured(Protocol):
    """What a validation says."""

    @property
    def mean(self) -> float:
        """What the best weights are chosen by: the larger, the better."""
        ...


def initialised(make: Callable[[], Network], seed: int) -> Network:
    """A network with the weights that the seed draws, whatever was drawn before."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(randomness.generator(seed, _INITIAL).initial_seed())
        return make()


class Trainer(ABC, Generic[Network, Settings]):
    """Network, average, optimizer and counters of one training; `update` is one step of it.

    Args:
        parameters: of the training.
        accelerator: where it runs.
        output: folder of its files; a checkpoint there is resumed.
        network: what is trained.

    Attributes:
        best: name of the file in the output folder with the best weights.
    """

    best: ClassVar[str]
    weight_decay: ClassVar[float] = 0.01

    def __init__(self, parameters: Settings, accelerator: Any, output: Path, network: Network) -> None:
        self.parameters, self.accelerator, self.output = parameters, accelerator, output
        network.to(accelerator.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.network = network.train()
        self.average = Average(self.network, parameters.average)
        optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=parameters.learning_rate, betas=(0.9, 0.99), weight_decay=self.weight_decay,
            fused=True,
        )  # fmt: skip
        self.facts: dict[str, Any] = {"iteration": 0, "seconds": 0.0, "best": None, "curve": []}
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
    def ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.share >= 1

    @property
    def checkpoint_due(self) -> bool:
        return time.monotonic() - self._saved_at >= 60 * self.parameters.checkpoint_minutes

    @abstractmethod
    def loss(self, x0: Tensor, generator: torch.Generator) -> Tensor:
        """The loss of clean crops x0 (B, C, H, W) on [-1, 1]; all that is random comes from the generator."""

    @abstractmethod
    def write(self, path: Path) -> None:
        """Saves the averaged weights as what uses them loads them."""

    def update(self, crops: Tensor) -> None:
        """One step on crops (B, C, H, W) uint8."""
        started = time.monotonic()
        x0 = crops.to(self.accelerator.device).float() / 127.5 - 1
        self._rate = self.parameters.rate(self.iteration, self.share)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate
        purpose = (_NOISE, self.iteration, self.accelerator.process_index)
        loss = self.loss(x0, randomness.generator(self.parameters.seed, *purpose))
        self.optimizer.zero_grad()
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.facts["iteration"] += 1
        self.average.update(self.network, self.iteration)
        self._losses.append(loss.detach())
        self._count(time.monotonic() - started)

    def _count(self, seconds: float) -> None:
        paused = self._usual > 0 and seconds > PAUSE_FACTOR * self._usual
        seconds = self._usual if paused else seconds
        if self.accelerator.num_processes > 1:  # all of them end, and decay, at the same update
            mean = self.accelerator.reduce(torch.tensor(seconds, device=self.accelerator.device), "mean")
            seconds = float(mean)
        self._usual = seconds if not self._usual else 0.9 * self._usual + 0.1 * seconds
        self.facts["seconds"] += seconds
        self._report_seconds += seconds

    def measured(self) -> dict[str, Any]:
        """What a report says of the updates since the last one; begins anew."""
        count, seconds = len(self._losses), self._report_seconds
        loss = float(torch.stack(self._losses).mean()) if count else float("nan")
        self._losses, self._report_seconds = [], 0.0
        if count and not math.isfinite(loss):
            raise DivergenceError(DIVERGED, None)
        crops = count * self.parameters.batch * self.accelerator.num_processes
        return {
            "iteration": self.iteration, "share": self.share, "loss": loss, "learning_rate": self._rate,
            "images_per_second": crops / seconds if seconds else 0.0, "seconds": self.facts["seconds"],
        }  # fmt: skip

    def keep_if_best(self, validation: Measured) -> bool:
        """Writes the averaged weights as the best ones where they are; returns whether."""
        self.facts["curve"].append([self.iteration, validation.mean])
        best = self.facts["best"]
        if not math.isfinite(validation.mean) or (best is not None and validation.mean <= best["mean"]):
            return False
        self.facts["best"] = {"mean": validation.mean, "iteration": self.iteration}
        self._write(self.best)
        return True

    def save(self) -> None:
        """Writes checkpoint and latest weights.

        Raises:
            DivergenceError: a weight is no longer finite; the files stay as they are.
        """
        if not all(parameter.isfinite().all() for parameter in self.network.parameters()):
            raise DivergenceError(DIVERGED, None)
        if self.accelerator.is_main_process:
            save_checkpoint(self.output / CHECKPOINT, self.network, self.average.network, self.optimizer, self.facts)
            self._write(LATEST)
        self._saved_at = time.monotonic()

    def _write(self, name: str) -> None:
        if self.accelerator.is_main_process:
            replace_atomically(self.output / name, self.write)
