"""Flow-matching networks as denoisers: they give the velocity between data and noise (Lipman et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import SD3Transformer2DModel
from torch import Tensor, nn

from inverse.denoisers import models, prompt, weights
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import FLOW
from inverse.errors import PriorError, ProblemError
from inverse.parameters import shown

Velocity = Callable[[Tensor, Tensor], Tensor]
"""v(z_t, t), (B, C, h, w) and (B,) -> (B, C, h, w)."""

EARLIEST, LATEST = 0.001, 0.998
"""The times that are asked for. At 1 nothing is left of the data, and sigma is infinite."""
TIME_STEPS = 1000
"""What networks of diffusers are told for t = 1."""
SCHEDULER = "FlowMatch"
"""How schedulers of such networks begin."""


class FlowDenoiser(Denoiser):
    """A network trained on z_t = (1 - t) z0 + t n to give v = E[n - z0 | z_t], in variance-exploding coordinates.

    z_t / (1 - t) = z0 + sigma n for sigma = t / (1 - t), and z0 = z_t - t v on average, so that

        D(z, sigma) = (z - sigma v(z / (1 + sigma), t)) / (1 + sigma),   t = sigma / (1 + sigma)

    which is exact where v is (Lipman et al. 2023, arXiv 2210.02747; Esser et al. 2024, arXiv 2403.03206, section 2).

    Args:
        velocity: v.
        channels: of z.
        multiple: sides of z must be multiples of this.
        device, dtype: where, and in which precision, v computes.
    """

    kind = FLOW
    data_std = 1.0
    sigma_min, sigma_max = EARLIEST / (1 - EARLIEST), LATEST / (1 - LATEST)

    def __init__(
        self,
        velocity: Velocity,
        channels: int,
        multiple: int = 1,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.velocity, self.channels, self.multiple = velocity, channels, multiple
        self.device, self.dtype = torch.device(device), dtype

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        time = (sigma / (1 + sigma)).clamp(EARLIEST, LATEST)
        sigma = sigma[:, None, None, None]
        return (x - sigma * self.velocity(x / (1 + sigma), time)) / (1 + sigma)


class PromptedTransformer(nn.Module):
    """The velocity of a transformer of Stable Diffusion 3 that is told the empty prompt.

    Args:
        network: v(z_t, prompt, 1000 t); it is frozen.
        words: the embedding of the empty prompt, (1, L, width).
        pooled: the pooled one, (1, width).
    """

    words: Tensor
    pooled: Tensor

    def __init__(self, network: SD3Transformer2DModel, words: Tensor, pooled: Tensor) -> None:
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.register_buffer("words", words)
        self.register_buffer("pooled", pooled)

    def forward(self, z: Tensor, time: Tensor) -> Tensor:
        config: Any = self.network.config
        most = config.pos_embed_max_size * config.patch_size
        if max(z.shape[-2:]) > most:
            raise ProblemError(
                f"This prior knows latents of up to {most} a side, and was given {tuple(z.shape[-2:])}. Choose a "
                "smaller size."
            )
        words, pooled = self.words.expand(len(z), -1, -1), self.pooled.expand(len(z), -1)
        told: Any = self.network(z, words, pooled, TIME_STEPS * time, return_dict=False)
        return told[0]


def load_flow(folder: Path, device: torch.device | str, *, allow_pickle: bool = False, root: Path) -> FlowDenoiser:
    """Reads transformer/ and scheduler/ of a pipeline, and the embedding of the empty prompt beside them.

    Raises:
        PriorError: a part is missing, damaged, a pickle, or of an unknown kind.
    """
    schedule = weights.read_json(weights.regular_file(folder / "scheduler" / "scheduler_config.json", root))
    if not str(schedule.get("_class_name")).startswith(SCHEDULER):
        raise PriorError(
            f"The scheduler {shown(schedule.get('_class_name'))} is not that of a flow from data to noise. Use a prior "
            "whose transformer was trained by flow matching."
        )
    place = folder / "transformer"
    config = models.configuration(place, root)
    if config.get("_class_name") != SD3Transformer2DModel.__name__:
        raise PriorError(
            f"The folder holds a {shown(config.get('_class_name'))}. Use a {SD3Transformer2DModel.__name__}."
        )
    network = models.loaded(SD3Transformer2DModel, config, place, root, _tried, allow_pickle=allow_pickle)
    if network.config.in_channels != network.out_channels:
        raise PriorError("This network needs more than noisy latents. Use one for making pictures from text.")
    width, pooled = network.config.joint_attention_dim, network.config.pooled_projection_dim
    found = prompt.saved(folder, root, {prompt.WORDS: width, prompt.POOLED: pooled})
    if found is None:
        raise PriorError(
            f"{folder.name} has no {prompt.FILE}: the embedding of the empty prompt by this model's three text "
            f"encoders, as {prompt.WORDS} (1, L, {width}) and {prompt.POOLED} (1, {pooled}). Save it there once."
        )
    velocity = PromptedTransformer(network, found[prompt.WORDS], found[prompt.POOLED]).to(device)
    return FlowDenoiser(velocity, network.config.in_channels, network.config.patch_size, device)


def _tried(network: Any) -> None:
    config = network.config
    words, pooled = torch.empty(1, 2, config.joint_attention_dim), torch.empty(1, config.pooled_projection_dim)
    side = 2 * config.patch_size
    network(torch.empty(1, config.in_channels, side, side), words, pooled, torch.empty(1))
