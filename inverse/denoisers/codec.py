"""Autoencoders of diffusers: pictures to latents and back, in whose space a latent prior denoises."""

from __future__ import annotations

import math
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, VQModel
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from inverse.denoisers import models
from inverse.denoisers.base import pad_to_multiple
from inverse.denoisers.calibration import Calibration, calibrated
from inverse.errors import PriorError
from inverse.parameters import shown

UNSAID = 0.18215
"""The scaling factor that diffusers writes where nobody said one: that of Stable Diffusion."""
LARGEST_SCALE = 100.0
FOLDERS = ("vae", "vqvae")
"""What pipelines of diffusers call the folder of their autoencoder."""


class Codec:
    """An autoencoder with a variational bottleneck (Kingma and Welling 2014) or a codebook (Esser et al. 2021).

    Latents are those that the diffusion network was trained on, scaled and shifted: z = (E(x) - shift) scale. E is the
    mean of the bottleneck's distribution and never a sample; a codebook quantises in the decoder, as in Rombach et al.
    2022, and its gradient is passed straight through.

    It computes in float32 whatever the prior does: some of these autoencoders overflow in half precision
    (`force_upcast`). Where a gradient is taken, the decoder's blocks are computed again on the way back instead of
    being kept (Chen et al. 2016, arXiv 1604.06174): a third of the memory for half as much time again.

    Args:
        network: of colour pictures; it is frozen and moved to the device.
        device: where it runs.

    Attributes:
        channels: of latents.
        factor: pixels a side of what one latent stands for.

    Raises:
        PriorError: it is not of colour pictures, or scales its latents in a way that is unknown here.
    """

    def __init__(self, network: AutoencoderKL | VQModel, device: torch.device | str = "cpu") -> None:
        config: Any = network.config
        if (config.in_channels, config.out_channels) != (3, 3):
            raise PriorError("This autoencoder is not one of colour pictures. Use a prior of colour pictures.")
        if config.get("latents_mean") is not None or config.get("latents_std") is not None:
            raise PriorError(
                "This autoencoder has a mean and a deviation for every channel of its latents, and what its network "
                "makes of them differs from model to model. Use a prior with one scaling factor."
            )
        self.channels: int = config.latent_channels
        self.factor: int = 2 ** (len(config.block_out_channels) - 1)
        self.scale, self.shift = _scaling(config, isinstance(network, VQModel))
        self.device = torch.device(device)
        network.to(self.device)  # pyright: ignore[reportArgumentType]  (diffusers wraps it, and its type is lost)
        self.network = network.eval().requires_grad_(False)
        self.checkpointing = True
        for block in (*network.decoder.up_blocks, *_resnets(network.decoder)):
            block.forward = partial(self._again, block.forward)

    def encode(self, x: Tensor) -> Tensor:
        """The latents (B, C, ceil(H / factor), ceil(W / factor)) of pictures (B, 3, H, W) on [-1, 1].

        Sides that are no multiples of the factor are padded by mirroring.
        """
        x = pad_to_multiple(x, self.factor)
        if isinstance(self.network, VQModel):
            mean = self.network.encode(x).latents
        else:
            encoded: Any = self.network.encode(x)
            mean = encoded.latent_dist.mode()
        return (mean - self.shift) * self.scale

    def decode(self, z: Tensor) -> Tensor:
        """The pictures (B, 3, factor h, factor w) on [-1, 1] of latents (B, C, h, w); differentiable."""
        network: Any = self.network
        return network.decode(z / self.scale + self.shift).sample

    def preview(self, z: Tensor) -> Tensor:
        """`decode` in a hurry: colours that are linear in the latents, of the same size, without any detail."""
        colours = self.calibration.colours.to(z)
        small = F.conv2d(z, colours[:, :-1, None, None], colours[:, -1])
        return F.interpolate(small, scale_factor=self.factor, mode="bilinear")

    @cached_property
    def calibration(self) -> Calibration:
        """What is measured of it on the example photos, once."""
        return calibrated(self)

    @property
    def spread(self) -> float:
        return self.calibration.spread

    @property
    def lipschitz(self) -> float:
        return self.calibration.lipschitz

    def _again(self, forward: Any, *args: Any, **named: Any) -> Any:
        if not (torch.is_grad_enabled() and self.checkpointing):
            return forward(*args, **named)
        return checkpoint(forward, *args, use_reentrant=False, preserve_rng_state=False, **named)


def load_codec(folder: Path, device: torch.device | str, *, allow_pickle: bool = False, root: Path) -> Codec:
    """Reads an autoencoder that `save_pretrained` wrote; no code from the folder is run.

    Raises:
        PriorError: it is missing, damaged, a pickle, or of an unknown kind.
    """
    config = models.configuration(folder, root)
    kinds = {kind.__name__: kind for kind in (AutoencoderKL, VQModel)}
    kind = kinds.get(str(config.get("_class_name")))
    if kind is None:
        raise PriorError(
            f"{folder.name} holds a {shown(config.get('_class_name'))}. Use a prior with one of {', '.join(kinds)}."
        )
    return Codec(models.loaded(kind, config, folder, root, _tried, allow_pickle=allow_pickle), device)


def _tried(network: Any) -> None:
    side = 2 ** len(network.config.block_out_channels)
    network.encode(torch.empty(1, network.config.in_channels, side, side))
    network.decode(torch.empty(1, network.config.latent_channels, 2, 2))


def _scaling(config: Any, quantised: bool) -> tuple[float, float]:
    """Scale and shift of latents.

    The latents of a VQ model are used as they are, and of its classes' default nobody ever meant anything: it would be
    garbage, silently.
    """
    scale, shift = config.scaling_factor, config.get("shift_factor")
    shift = 0.0 if shift is None else shift
    known = all(isinstance(number, int | float) and math.isfinite(number) for number in (scale, shift))
    if not known or not 0 < scale < LARGEST_SCALE:
        raise PriorError(
            f"This autoencoder scales its latents by {shown(scale)} and shifts them by {shown(shift)}, which no "
            "network was trained with. Download the prior again."
        )
    return (1.0 if quantised and scale == UNSAID else float(scale)), float(shift)


def _resnets(decoder: nn.Module) -> list[nn.Module]:
    return [module for module in decoder.modules() if isinstance(module, ResnetBlock2D)]
