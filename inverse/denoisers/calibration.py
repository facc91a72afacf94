"""What a latent prior's autoencoder is like near photographs, measured once on those that ship with the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.imaging import images
from inverse.randomness import generator
from inverse.resources import EXAMPLES

SIDE = 128
"""Of the photos, in pixels; autoencoders make them smaller by a part of it."""
CLOSE = 0.1
"""Of the latents' deviation: how far away the decoder is looked at."""
ITERATIONS = 8
"""Of the power method; it approaches the largest singular value from below."""
BEYOND = 1.5
"""Over what it finds at a few photos: elsewhere, and in more iterations, it is larger."""


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
    paths = sorted(EXAMPLES.glob("*.jpg"))
    photos = [images.to_tensor(images.fit(images.load(path), SIDE, square=True)).to(weight) for path in paths]
    latents = [codec.encode(photo) for photo in photos]
    z = torch.cat([each.flatten(2).squeeze(0).T for each in latents]).double().cpu()
    means = [F.avg_pool2d(photo, codec.factor) for photo in photos]
    seen = torch.cat([each.flatten(2).squeeze(0).T for each in means]).double().cpu()
    colours = torch.linalg.lstsq(torch.cat([z, torch.ones(len(z), 1).double()], 1), seen, driver="gelsd").solution.T
    deviation = float(z.std())
    changes, lipschitz = [], 0.0
    for each in latents[:2]:
        noise = torch.randn(each.shape, generator=generator(0), dtype=torch.float64).to(each)
        noise *= CLOSE * deviation
        changes.append((_change(codec, each, noise).square().mean() / noise.square().mean()).sqrt())
        lipschitz = max(lipschitz, _largest(codec, each, noise))
    return Calibration(colours, deviation, float(torch.stack(changes).mean()), BEYOND * lipschitz)


def _change(codec: Measured, z: Tensor, offset: Tensor) -> Tensor:
    return codec.decode(z + offset) - codec.decode(z)


def _largest(codec: Measured, z: Tensor, direction: Tensor) -> float:
    """The largest singular value of J = d decode / dz, by the power method on J^T J; J u by a difference."""
    length, value = torch.linalg.vector_norm(direction), 0.0
    for _ in range(ITERATIONS):
        direction = direction * (length / torch.linalg.vector_norm(direction))
        image = _change(codec, z, direction)
        value = float(torch.linalg.vector_norm(image) / length)
        with torch.enable_grad():
            leaf = z.detach().requires_grad_()
            decoded = codec.decode(leaf)
        (direction,) = torch.autograd.grad(decoded, leaf, image)
    return value
