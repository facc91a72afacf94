"""What is trained beside a frozen prior: a thin adapter, or the copy of its encoder that a ControlNet has."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from inverse.denoisers.network import NetworkConfig, ResidualBlock, ResidualUNet

SCALARS = 2
"""ln sigma and ln sigma_y."""
EMBEDDING = 64
"""Width of what is made of them."""


class Adapter(nn.Module):
    """A small U-Net that looks at the condition and adds to the prior's features at every level.

    What it adds goes through 1x1 convolutions that begin at zero (Zhang, Rao and Agrawala 2023, arXiv 2302.05543): at
    first it changes nothing.

    Args:
        config: of the prior's network.
        pictures: channels of the condition, in pixels.
        widths: its own, the finest level first; none should be a multiple of 64, as `training.settings` says.
    """

    def __init__(self, config: NetworkConfig, pictures: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.config, levels = config, range(len(config.widths))
        self.scalars = nn.Sequential(
            nn.Linear(SCALARS, EMBEDDING), nn.SiLU(), nn.Linear(EMBEDDING, EMBEDDING), nn.SiLU()
        )
        self.stem = nn.Conv2d(pictures * config.patch**2, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(widths[i], widths[i + 1], 2, stride=2) for i in levels[:-1])
        self.up = nn.ModuleList(nn.ConvTranspose2d(widths[i + 1], widths[i], 2, stride=2) for i in levels[:-1])
        self.encoder = nn.ModuleList(ResidualBlock(widths[i], EMBEDDING) for i in levels)
        self.decoder = nn.ModuleList(ResidualBlock(widths[i], EMBEDDING) for i in levels[:-1])
        self.to_encoder = nn.ModuleList(_zero(widths[i], config.widths[i]) for i in levels)
        self.to_decoder = nn.ModuleList(_zero(widths[i], config.widths[i]) for i in levels[:-1])
        self.to_output = _zero(widths[0], config.channels * config.patch**2)

    def forward(self, condition: Tensor, scalars: Tensor) -> list[Tensor | None]:
        """Hints for `ResidualUNet`.

        Args:
            condition: (B, pictures, H, W), the sides multiples of the prior's.
            scalars: ln sigma and ln sigma_y, (B, 2).
        """
        embedding = self.scalars(scalars)
        h = self.stem(F.pixel_unshuffle(condition, self.config.patch))
        features = []
        for level, block in enumerate(self.encoder):
            h = block(self.down[level - 1](h) if level else h, embedding)
            features.append(h)
        hints: list[Tensor | None] = [layer(h) for layer, h in zip(self.to_encoder, features, strict=True)]
        hints.append(None)
        for level in reversed(range(len(self.up))):
            h = self.decoder[level](self.up[level](h) + features[level], embedding)
            hints.append(self.to_decoder[level](h))
        hints.append(self.to_output(h))
        return hints


class Control(nn.Module):
    """The paper's form: a trainable copy of the prior's encoder and middle, which sees the condition beside x.

    Args:
        config: of the prior's network.
        pictures: channels of the condition, in pixels.
    """

    def __init__(self, config: NetworkConfig, pictures: int) -> None:
        super().__init__()
        self.config, self.copied = config, ResidualUNet(config)
        for unused in ("up", "decoder", "head"):
            delattr(self.copied, unused)
        self.embed_condition = nn.Sequential(
            nn.Conv2d(pictures * config.patch**2, config.widths[0], 3, padding=1), nn.SiLU(),
            _zero(config.widths[0], config.widths[0]),
        )  # fmt: skip
        self.to_decoder = nn.ModuleList(_zero(width, width) for width in config.widths)

    def forward(self, x: Tensor, condition: Tensor, log_sigma: Tensor) -> list[Tensor | None]:
        """Hints for `ResidualUNet`: of x as it sees it, (B, C, H, W), the condition, and ln sigma (B,)."""
        copied = self.copied
        embedding = copied.embed(log_sigma)
        h = copied.stem(F.pixel_unshuffle(x, self.config.patch))
        h = h + self.embed_condition(F.pixel_unshuffle(condition, self.config.patch))
        features = []
        for blocks, down in zip(copied.encoder, copied.down, strict=True):
            h = blocks(h, embedding)
            features.append(h)
            h = down(h)
        h = copied.middle(h, embedding)
        hints: list[Tensor | None] = [None] * len(self.config.widths)
        outputs = [layer(h) for layer, h in zip(self.to_decoder, [*features, h], strict=True)]
        return [*hints, *reversed(outputs)]


def _zero(inputs: int, outputs: int) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, 1)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer
