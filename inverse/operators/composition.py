"""A after a map into pictures, as the decoder of a latent prior: what `Denoiser.lift` returns there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from inverse.operators.base import LinearOperator, Operator, Shape

Map = Callable[[Tensor], Tensor]


class Composition(Operator):
    """A(decode(z)), of latents z, (B, C, h, w) -> (B, *measurement_shape); noise and its measurements are A's.

    Args:
        operator: A, of pictures.
        decode: the map into pictures, differentiable, (B, C, h, w) -> (B, *operator.image_shape). What it holds stays
            on its device.
        image_shape: (C, h, w).
        lipschitz: of `decode`, or an estimate of it.
    """

    def __init__(self, operator: Operator, decode: Map, image_shape: Shape, lipschitz: float = 1.0) -> None:
        self.outer, self.decode, self.lipschitz = operator, decode, lipschitz
        self.image_shape, self.measurement_shape = tuple(image_shape), tuple(operator.measurement_shape)
        self.measures_pictures, self.alters_noise = operator.measures_pictures, operator.alters_noise
        self.hidden_noise = operator.hidden_noise

    def __call__(self, x: Tensor) -> Tensor:
        return self.outer(self.decode(x))

    @property
    def norm(self) -> float:
        return self.outer.norm * self.lipschitz

    @property
    def entries(self) -> int:
        return self.outer.entries

    def project(self, y: Tensor) -> Tensor:
        return self.outer.project(y)

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        return self.outer.measure(self.decode(x), disturb)

    def as_pictures(self, y: Tensor) -> Tensor:
        return self.outer.as_pictures(y)

    def preview(self, y: Tensor) -> Tensor:
        return self.outer.preview(y)


class Autoencoder(Protocol):
    """Pictures to latents and back.

    Attributes:
        lipschitz: about the largest singular value of the decoder's derivative near clean latents.
        spread: by how much noise of standard deviation 1 in latents changes pixels there, their root mean square.
    """

    @property
    def lipschitz(self) -> float: ...
    @property
    def spread(self) -> float: ...
    def encode(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, C, h, w), sides that do not fit being padded."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 3, H', W'), H' >= H, W' >= W; what is beyond H and W belongs to no picture."""
        ...


class Autoencoded(Composition):
    """A(decode(z)) of a decoder that has an encoder beside it.

    The measurement is met in two ways. Through the decoder's gradient, as a non-linear operator; or, where A is linear,
    by A's own closed form in pictures, without any gradient (the proximal step of LATINO, Spagnoletti et al. 2025,
    arXiv 2503.12615):

        x = decode(z);  correction = encode(x + H^T (H H^T + c' I)^-1 (y - H x)) - encode(x),   c' = c / spread^2

    for what varies by sigma in latents does so by spread sigma in pixels. LATINO replaces z by the first term; the
    difference is ours: the autoencoder's own error cancels, so that a z that explains y stays where it is. Where only
    some of the pixels behind a latent are measured, the encoder averages, and a step goes part of the way: several at a
    level, as those of VML-MAP, or many levels make up for it.

    A decoder means something near clean latents only, hence `local`.
    """

    local = True

    def __init__(self, operator: Operator, autoencoder: Autoencoder, image_shape: Shape) -> None:
        self.autoencoder = autoencoder
        super().__init__(operator, self._picture, image_shape)

    @property
    def norm(self) -> float:
        return self.outer.norm * self.autoencoder.lipschitz

    @property
    def proximal(self) -> bool:
        return self.outer.proximal

    def correction(self, x: Tensor, y: Tensor, c: float) -> Tensor:
        picture = self.decode(x)
        change = self.outer.correction(picture, y, c / self.autoencoder.spread**2)
        return self.autoencoder.encode(picture + change) - self.autoencoder.encode(picture)

    def _picture(self, z: Tensor) -> Tensor:
        return cropped(self.autoencoder.decode(z), self.outer.image_shape)


def cropped(x: Tensor, image_shape: Shape) -> Tensor:
    """The upper left part of pictures, of the size of `image_shape`, (C, H, W); themselves where they have it."""
    height, width = image_shape[-2:]
    return x if tuple(x.shape[-2:]) == (height, width) else x[..., :height, :width]


class LinearComposition(Composition, LinearOperator):
    """H D of a linear decoder D. Its decomposition is not known; the adjoint is taken by autograd."""


def composed(
    operator: Operator, decode: Map, image_shape: Shape, lipschitz: float = 1.0, linear: bool = False
) -> Operator:
    """`Composition`, or `LinearComposition` where both maps are linear."""
    kind = LinearComposition if linear and operator.linear else Composition
    return kind(operator, decode, image_shape, lipschitz)
