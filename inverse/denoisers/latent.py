"""Priors of latents: any prior, on the space of an autoencoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from inverse.denoisers import models, prompt, weights
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import LATENT
from inverse.denoisers.codec import FOLDERS, Codec, load_codec
from inverse.denoisers.flow import load_flow
from inverse.denoisers.unet import UNetDenoiser, load_unet, noise_table
from inverse.errors import PriorError, ProblemError
from inverse.operators.base import Operator
from inverse.operators.composition import Autoencoded


class LatentDenoiser(Denoiser):
    """D(z, sigma) = E[z0 | z0 + sigma n = z] of latents z, with the way to pictures (Rombach et al. 2022, LDM).

    States and estimates are latents, in the same variance-exploding coordinates as pictures are elsewhere.

    Args:
        inner: D, a prior of latents.
        codec: the autoencoder.

    Raises:
        PriorError: the two do not belong together.
    """

    def __init__(self, inner: Denoiser, codec: Codec) -> None:
        if inner.channels != codec.channels:
            raise PriorError(
                f"The network denoises latents of {inner.channels} channels, and its autoencoder makes "
                f"{codec.channels}. Use a prior whose parts belong together."
            )
        self.inner, self.codec = inner, codec
        self.kind = LATENT if isinstance(inner, UNetDenoiser) else inner.kind
        self.channels, self.multiple, self.factor = inner.channels, inner.multiple, codec.factor
        self.sigma_min, self.sigma_max = inner.sigma_min, inner.sigma_max
        self.passes, self.bfloat16 = inner.passes, inner.bfloat16
        self.device, self.dtype = inner.device, inner.dtype

    @property
    def data_std(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]  (measured when asked for)
        return self.codec.calibration.deviation

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        return *self.inner.networks, self.codec.network

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.inner.denoise(x, sigma)

    def lift(self, operator: Operator) -> Operator:
        """A(decode(z)).

        Raises:
            ProblemError: A is not of colour pictures.
        """
        channels, height, width = operator.image_shape
        if channels != 3:
            raise ProblemError(
                f"This prior restores colour pictures, and these have {channels} channels. Convert them."
            )
        factor = self.codec.factor
        return Autoencoded(operator, self.codec, (self.channels, -(-height // factor), -(-width // factor)))

    def lower(self, z: Tensor) -> Tensor:
        return self.codec.decode(z)

    def preview(self, z: Tensor) -> Tensor:
        return self.codec.preview(z)


def load_latent(
    folder: Path,
    device: torch.device | str = "cpu",
    precision: str = "auto",
    *,
    allow_pickle: bool = False,
    root: Path | None = None,
) -> LatentDenoiser:
    """Reads a pipeline of diffusers: vae/ or vqvae/, unet/ or transformer/, and scheduler/.

    Its network is a `UNet2DModel`; a `UNet2DConditionModel`, told the empty prompt, see `prompt`; or a transformer that
    gives a velocity, see `flow`. No code from the folder is run.

    Args:
        folder, device, allow_pickle, root: as in `load_unet`.
        precision: of a U-Net, as there; autoencoders and flows compute in float32.

    Raises:
        PriorError: a part is missing, damaged, a pickle, or of an unknown kind.
    """
    root = root or folder
    place = next((folder / name for name in FOLDERS if (folder / name).is_dir()), None)
    if place is None:
        raise PriorError(f"{folder.name} has no autoencoder. Save the whole pipeline there.")
    codec = load_codec(place, device, allow_pickle=allow_pickle, root=root)
    if (folder / "transformer").is_dir():
        return LatentDenoiser(load_flow(folder, device, allow_pickle=allow_pickle, root=root), codec)
    config = models.configuration(folder / "unet", root)
    if config.get("_class_name") != prompt.NETWORK:
        return LatentDenoiser(
            load_unet(folder, device, precision, allow_pickle=allow_pickle, root=root, latent=True), codec
        )
    scheduler = weights.regular_file(folder / "scheduler" / "scheduler_config.json", root)
    levels, prediction = noise_table(weights.read_json(scheduler))
    network: Any = prompt.load_prompted(folder, config, root, allow_pickle=allow_pickle)  # called as a UNet2DModel is
    return LatentDenoiser(UNetDenoiser(network, levels, prediction, device, precision=precision), codec)
