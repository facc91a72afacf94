"""What a latent prior's autoencoder is like near photographs, measured once on those that ship with the program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.imaging import images
from inverse.randomness import generator
from inverse.resources import EXAMPLES

SIDE, PART = 128, 64
"""Sides of the photos, and of their middles that are looked at, in pixels: a large autoencoder is slow on a CPU."""
CLOSE = 0.1
"""Of the latents' deviation: how far away the decoder is looked at."""
ITERATIONS = 4
"""Of the power method, which approaches the largest singular value from below."""
BEYOND = 1.5
"""Over what it finds: elsewhere, and in more iterations, it is larger."""


class Measured(Protocol):
    """What is measured: a `Codec`."""

    network: Any
    factor: int

    def encode(self, x: Tensor) -> Tensor: ...
    def decode(self, z: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Calibration:
    """Figures of an autoencoder.

    Attributes:
        colours: affine map from latents to the mean colours of their pixels, (3, C + 1), the constant last: least
            squares over the photos.
        deviation: standard deviation of latents.
        spread: by how much noise of standard deviation 1 in latents changes pixels, their root mean square, to first
            order.
        lipschitz: about the largest singular value of the decoder's derivative.
    """

    colours: Tensor
    deviation: float
    spread: float
    lipschitz: float


@torch.inference_mode(False)
@torch.no_grad()
def calibrated(codec: Measured) -> Calibration:
    """Measures an autoencoder; a few passes over small photos."""
    weight = next(codec.network.parameters())
    photos = torch.cat([_center(path) for path in sorted(EXAMPLES.glob("*.jpg"))]).to(weight)
    latents = torch.cat([codec.encode(photo) for photo in photos.split(1)])
    z, seen = (_pixels(each).double().cpu() for each in (latents, F.avg_pool2d(photos, codec.factor)))
    colours = torch.linalg.lstsq(torch.cat([z, torch.ones(len(z), 1).double()], 1), seen, driver="gelsd").solution.T
    deviation, one = float(z.std()), latents[:1]
    noise = CLOSE * deviation * torch.randn(one.shape, generator=generator(0), dtype=torch.float64).to(one)
    decoded = codec.decode(one)
    spread = ((codec.decode(one + noise) - decoded).square().mean() / noise.square().mean()).sqrt()
    return Calibration(colours, deviation, float(spread), BEYOND * _largest(codec, one, decoded, noise))


def _center(path: Path) -> Tensor:
    """The middle of a photo, (1, 3, PART, PART)."""
    start = (SIDE - PART) // 2
    photo = images.to_tensor(images.fit(images.load(path), SIDE, square=True))
    return photo[..., start : start + PART, start : start + PART]


def _pixels(x: Tensor) -> Tensor:
    """(B, C, H, W) -> (B H W, C)."""
    return x.movedim(1, -1).flatten(0, 2)


def _largest(codec: Measured, z: Tensor, decoded: Tensor, direction: Tensor) -> float:
    """The largest singular value of J = d decode / dz, by the power method on J^T J; J u by a difference."""
    length, value = torch.linalg.vector_norm(direction), 0.0
    for _ in range(ITERATIONS):
        direction = direction * (length / torch.linalg.vector_norm(direction))
        image = codec.decode(z + direction) - decoded
        value = float(torch.linalg.vector_norm(image) / length)
        with torch.enable_grad():
            leaf = z.detach().requires_grad_()
            there = codec.decode(leaf)
        (direction,) = torch.autograd.grad(there, leaf, image)
    return value
