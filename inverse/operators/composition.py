"""A after a map into pictures, as the decoder of a latent prior: what `Denoiser.lift` returns there."""

from __future__ import annotations

from collections.abc import Callable

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
        self.outer, self.decode = operator, decode
        self.image_shape, self.measurement_shape = tuple(image_shape), tuple(operator.measurement_shape)
        self.norm = operator.norm * lipschitz
        self.measures_pictures, self.alters_noise = operator.measures_pictures, operator.alters_noise
        self.hidden_noise = operator.hidden_noise

    def __call__(self, x: Tensor) -> Tensor:
        return self.outer(self.decode(x))

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


class LinearComposition(Composition, LinearOperator):
    """H D of a linear decoder D. Its decomposition is not known; the adjoint is taken by autograd."""


def composed(
    operator: Operator, decode: Map, image_shape: Shape, lipschitz: float = 1.0, linear: bool = False
) -> Operator:
    """`Composition`, or `LinearComposition` where both maps are linear."""
    kind = LinearComposition if linear and operator.linear else Composition
    return kind(operator, decode, image_shape, lipschitz)
