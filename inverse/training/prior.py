"""Training of a prior: EDM's loss on random crops of photographs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inverse.denoisers.embedded import (
    DATA_STD,
    SIGMA_MAX,
    SIGMA_MIN,
    EDMDenoiser,
    load_network,
    precondition,
    save_network,
)
from inverse.denoisers.network import ResidualUNet
from inverse.training.growth import inherit
from inverse.training.loop import Progress, accelerated, made, reports
from inverse.training.photos import Weights, load_photos
from inverse.training.settings import PriorTraining
from inverse.training.trainer import Trainer, initialised
from inverse.training.validation import Validation, validate


class PriorTrainer(Trainer[ResidualUNet, PriorTraining]):
    """The training of a prior.

    Args:
        parameters, accelerator, output: as for `Trainer`.
        initial: a prior to start from, else None.
    """

    best = "prior.safetensors"

    def __init__(self, parameters: PriorTraining, accelerator: Any, output: Path, initial: Path | None) -> None:
        network = initialised(lambda: ResidualUNet(parameters.config), parameters.seed)
        if initial is not None:
            inherit(network, load_network(initial))
        super().__init__(parameters, accelerator, output, network)

    def loss(self, x0: Tensor, generator: torch.Generator) -> Tensor:
        sigma, noise = self._noise(x0, generator)
        with torch.autocast(self.accelerator.device.type, torch.bfloat16, enabled=self.bfloat16):
            x0_hat = precondition(self.prepared, x0 + noise, sigma, DATA_STD)
        return edm_loss(x0_hat, x0, sigma)

    def _noise(self, x0: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Noise levels (B,) and noise of those levels (B, C, H, W)."""
        # One level from each B-th part of the distribution: the same distribution, and a steadier gradient.
        uniform = (torch.arange(len(x0)) + torch.rand(len(x0), generator=generator)) / len(x0)
        normal = torch.special.ndtri(uniform.double().clamp(1e-6, 1 - 1e-6)).float()
        sigma = (self.parameters.log_sigma_mean + self.parameters.log_sigma_std * normal).exp()
        sigma = sigma.clamp(SIGMA_MIN, SIGMA_MAX).to(x0.device)
        on_device = torch.Generator(x0.device).manual_seed(generator.initial_seed())
        noise = torch.randn(x0.shape, generator=on_device, device=x0.device)
        return sigma, sigma[:, None, None, None] * noise

    def write(self, path: Path) -> None:
        save_network(self.average.network, path)

    def averaged_prior(self) -> EDMDenoiser:
        """The averaged weights as a prior."""
        precision = "bfloat16" if self.bfloat16 else "float32"
        return EDMDenoiser(self.average.network, self.accelerator.device, precision, data_std=DATA_STD)


def edm_loss(x0_hat: Tensor, x0: Tensor, level: Tensor) -> Tensor:
    """Mean of lambda(sigma) |D - x0|^2, lambda = (sigma^2 + sd^2) / (sigma sd)^2: Karras et al. 2022, table 1.

    Args:
        x0_hat: estimates D, (B, C, H, W).
        x0: clean images.
        level: sigma, of images, (B,), or of pixels, (B, 1, H or 1, W or 1).
    """
    level = level.view(-1, 1, 1, 1) if level.ndim == 1 else level
    weight = (level.square() + DATA_STD**2) / (level * DATA_STD).square()
    return (weight * (x0_hat - x0).square()).mean()


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
        output: folder for the checkpoint, the weights and the log; made if need be.
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
    accelerator = accelerated(device)
    collection = load_photos(
        images, smallest=parameters.crop, memory=parameters.memory, held_out=parameters.held_out, weights=weights
    )
    trainer = PriorTrainer(parameters, accelerator, made(output), initial)

    def validation() -> Validation:
        return validate(trainer.averaged_prior(), collection.validation, max(128, parameters.crop))

    yield from reports(trainer, collection, validation)
