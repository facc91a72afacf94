"""The network of the embedded prior: a residual U-Net without normalisation, on space-to-depth input."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_WIDTH, MAX_LEVELS, MAX_DEPTH = 4096, 8, 64


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of a `ResidualUNet`, stored beside its weights.

    Attributes:
        channels: of the image.
        patch: side of the space-to-depth blocks.
        widths: channels at each resolution, the finest first.
        depths: residual blocks at each resolution; all but the last number stand in encoder and decoder alike.
        embedding: width of the noise embedding.
        frequencies: number of sine and cosine pairs in the noise embedding.
        context: side of a depthwise convolution in every block at the lowest resolution, odd; 0 for none.
    """

    channels: int = 3
    patch: int = 2
    widths: tuple[int, ...] = (64, 96, 160)
    depths: tuple[int, ...] = (3, 3, 4)
    embedding: int = 128
    frequencies: int = 16
    context: int = 0

    def __post_init__(self) -> None:
        """Bounds what a file can ask for.

        Raises:
            ValueError: a number is not of the right type, or far from what a network of this kind has.
        """
        numbers = (self.channels, self.patch, self.embedding, self.frequencies, *self.widths, *self.depths)
        whole = all(isinstance(number, int) and 1 <= number <= MAX_WIDTH for number in numbers)
        levels = 1 <= len(self.widths) == len(self.depths) <= MAX_LEVELS and max(self.depths) <= MAX_DEPTH
        if not (whole and levels and self.patch <= MAX_LEVELS and 0 <= self.context <= MAX_DEPTH):
            raise ValueError(f"no network has the shape {self}")

    @property
    def multiple(self) -> int:
        """The sides of an image must be multiples of this."""
        return self.patch * 2 ** (len(self.widths) - 1)

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class ResidualBlock(nn.Module):
    """x + conv(relu(film(conv(x)))), with scale and shift from the noise embedding (Perez et al. 2018).

    With a context, conv(x) becomes conv(x + depthwise(x)), whose large kernel sees far for few weights.
    """

    def __init__(self, width: int, embedding: int, context: int = 0) -> None:
        super().__init__()
        self.context = nn.Conv2d(width, width, context, padding=context // 2, groups=width) if context else None
        self.conv_in = nn.Conv2d(width, width, 3, padding=1)
        self.film = nn.Linear(embedding, 2 * width)
        self.conv_out = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, embedding: Tensor, share: Tensor | None = None) -> Tensor:
        """(B, width, H, W) and (B, E); or (B, 2, E) and where between the two a pixel is, (B, 1, H, W)."""
        film = self.film(embedding)[..., None, None]
        film = film if share is None else torch.lerp(film[:, 0], film[:, 1], share.to(film.dtype))
        scale, shift = film.chunk(2, dim=1)
        h = self.conv_in(x if self.context is None else x + self.context(x))
        # In place where autograd keeps nothing: the same numbers, and a tenth of the time of large images.
        h = F.relu((h + shift).add_(scale * h), inplace=True)
        return self.conv_out(h).add_(x)


class Level(nn.ModuleList):
    """Residual blocks at one resolution, one after the other."""

    def forward(self, h: Tensor, embedding: Tensor, share: Tensor | None = None) -> Tensor:
        for block in self:
            h = block(h, embedding, share)
        return h


class ResidualUNet(nn.Module):
    """F(c_in x, ln sigma) of Karras et al. 2022, eq. 7; fully convolutional.

    Normalisation layers are left out because they cost a third of the time of such a small network on a CPU, and
    because statistics over the image would make the result depend on its size.
    """

    frequencies: Tensor

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        widths, depths, embedding = config.widths, config.depths, config.embedding
        pixels = config.channels * config.patch**2

        def blocks(level: int, context: int = 0) -> Level:
            return Level(ResidualBlock(widths[level], embedding, context) for _ in range(depths[level]))

        # A range of periods over ln sigma in [ln 0.002, ln 80]: the slowest separates its ends, the fastest half units.
        self.register_buffer("frequencies", torch.linspace(math.log(0.1), math.log(3.0), config.frequencies).exp())
        self.noise = nn.Sequential(
            nn.Linear(2 * config.frequencies, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU()
        )
        levels = range(len(widths) - 1)
        self.stem = nn.Conv2d(pixels, widths[0], 3, padding=1)
        self.encoder = nn.ModuleList(blocks(level) for level in levels)
        self.down = nn.ModuleList(nn.Conv2d(widths[level], widths[level + 1], 2, stride=2) for level in levels)
        self.middle = blocks(len(widths) - 1, config.context)
        self.up = nn.ModuleList(nn.ConvTranspose2d(widths[level + 1], widths[level], 2, stride=2) for level in levels)
        self.decoder = nn.ModuleList(blocks(level) for level in levels)
        self.head = nn.Conv2d(widths[0], pixels, 3, padding=1)

    def forward(
        self, x: Tensor, log_sigma: Tensor, share: Tensor | None = None, hints: Sequence[Tensor | None] = ()
    ) -> Tensor:
        """F, (B, C, H, W) -> (B, C, H, W).

        Args:
            x: images whose sides are multiples of `multiple`.
            log_sigma: ln of their noise, (B,); or of two levels between which each pixel's is, (B, 2).
            share: where between the two, 0 to 1, (B, 1, H, W).
            hints: what an estimator adds, or None, in this order: before the blocks of every level of the encoder,
                before the middle's blocks and after them, before those of every level of the decoder, and to the head's
                output, before its pixels are shuffled.
        """
        embedding = self.embed(log_sigma)
        shares = self.shares(share)
        added = iter(hints)
        h = self.stem(F.pixel_unshuffle(x, self.config.patch))
        skips = []
        for blocks, down, at in zip(self.encoder, self.down, shares, strict=False):
            h = _plus(h, next(added, None))
            h = blocks(h, embedding, at)
            skips.append(h)
            h = down(h)
        h = _plus(h, next(added, None))
        h = _plus(self.middle(h, embedding, shares[-1]), next(added, None))
        for level in reversed(range(len(self.up))):
            h = _plus(self.up[level](h).add_(skips[level]), next(added, None))
            h = self.decoder[level](h, embedding, shares[level])
        return F.pixel_shuffle(_plus(self.head(h), next(added, None)), self.config.patch)

    def embed(self, log_sigma: Tensor) -> Tensor:
        """The noise embedding, (...) -> (..., E)."""
        angle = log_sigma[..., None] * self.frequencies
        return self.noise(torch.cat([angle.sin(), angle.cos()], dim=-1))

    def shares(self, share: Tensor | None) -> list[Tensor | None]:
        """`share` at the resolution of every level."""
        levels = range(len(self.config.widths))
        return [None if share is None else F.avg_pool2d(share, self.config.patch * 2**level) for level in levels]


def _plus(h: Tensor, hint: Tensor | None) -> Tensor:
    return h if hint is None else h + hint
