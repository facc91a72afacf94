"""The state of a training and one step of it: EDM's loss, AdamW, a moving average, files written whole."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.embedded import (
    DATA_STD,
    SIGMA_MAX,
    SIGMA_MIN,
    EDMDenoiser,
    computes_in_bfloat16,
    load_network,
    precondition,
    save_network,
)
from inverse.denoisers.network import ResidualUNet
from inverse.errors import DivergenceError
from inverse.imaging.files import replace_atomically
from inverse.training.average import Average
from inverse.training.checkpoint import load_checkpoint, save_checkpoint
from inverse.training.growth import inherit
from inverse.training.settings import PriorTraining
from inverse.training.validation import Validation

CHECKPOINT, BEST, LATEST = "checkpoint.safetensors", "prior.safetensors", "latest.safetensors"
"""Files in the output folder: state for resuming, the best average so far, the latest one."""

PAUSE_FACTOR = 10
"""An update that takes this many times as long as usual was interrupted, and counts as a usual one."""

DIVERGED = "The loss is no longer finite. Lower learning_rate and go on from the last checkpoint."

_INITIAL, _NOISE = 2, 3


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
        network.to(accelerator.device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.network = network.train()
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

    def averaged_prior(self) -> EDMDenoiser:
        """The averaged weights as a prior."""
        precision = "bfloat16" if self.bfloat16 else "float32"
        return EDMDenoiser(self.average.network, self.accelerator.device, precision, data_std=DATA_STD)

    def keep_if_best(self, validation: Validation) -> bool:
        """Writes the averaged weights as the best ones where they are; returns whether."""
        best = self.facts["best"]
        if not math.isfinite(validation.mean) or (best is not None and validation.mean <= best["mean"]):
            return False
        self.facts["best"] = {"mean": validation.mean, "iteration": self.iteration}
        self._write(BEST)
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
            replace_atomically(self.output / name, lambda path: save_network(self.average.network, path))


def edm_loss(x0_hat: Tensor, x0: Tensor, sigma: Tensor) -> Tensor:
    """Mean of lambda(sigma) |D - x0|^2, lambda = (sigma^2 + sd^2) / (sigma sd)^2: Karras et al. 2022, table 1.

    Args:
        x0_hat: estimates D, (B, C, H, W).
        x0: clean images.
        sigma: their noise levels, (B,).
    """
    weight = (sigma.square() + DATA_STD**2) / (sigma * DATA_STD).square()
    return (weight[:, None, None, None] * (x0_hat - x0).square()).mean()
