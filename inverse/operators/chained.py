"""One operator after another: `chained`, in closed form where there is one, by conjugate gradients elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Operator, is_linear
from inverse.operators.cg import ITERATIONS, conjugate_gradients
from inverse.operators.colorization import Grey
from inverse.operators.composition import Composition
from inverse.operators.denoising import Identity
from inverse.operators.folding import folded
from inverse.operators.inpainting import Mask
from inverse.operators.lanczos import largest_singular_value
from inverse.operators.super_resolution import BlockMean

CUT = 0.03
"""Of a chain without a closed form, singular values below this part of the norm hardly count in `pinv`."""
SUFFICIENT, TOLERANCE = 20, 1e-3
"""Iterations of a solve and its precision, where it is a step of a solver in single precision: what is left undone is
in the smallest singular values, and the next step does more of it."""


class Chained(Composition):
    """B(A(x)). Noise comes where a sensor adds it: after all that is linear, and before the first that rounds or clips.

    Its norm is an upper estimate, the product of both.

    Args:
        inner: A, which measures pictures.
        outer: B, for pictures of A's shape.
    """

    def __init__(self, inner: Operator, outer: Operator) -> None:
        super().__init__(outer, inner, inner.image_shape)
        self.decode: Operator = inner
        self.alters_noise = inner.alters_noise or outer.alters_noise
        self.hidden_noise = max(inner.hidden_noise, outer.hidden_noise)
        self.missing = inner.missing if outer.missing is None else outer.missing

    @property
    def inner(self) -> Operator:
        return self.decode

    @property
    def norm(self) -> float:
        return self.outer.norm * self.inner.norm

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        if self.inner.alters_noise:
            return self.outer.project(self.outer(self.inner.measure(x, disturb)))
        return self.outer.measure(self.inner(x), disturb)

    def _read(self, picture: Tensor) -> Tensor:
        if picture.shape[1] not in (self.outer.image_shape[0], self.measurement_shape[0]):
            picture = self.inner.recoloured(picture)
        return self.outer._read(picture)

    def recoloured(self, picture: Tensor) -> Tensor:
        return self.outer.recoloured(self.inner.recoloured(picture))


class LinearChained(Chained, LinearOperator):
    """B A of two linear operators."""

    def __init__(self, inner: LinearOperator, outer: LinearOperator) -> None:
        super().__init__(inner, outer)
        self.outer: LinearOperator = outer
        self.decode: LinearOperator = inner

    @property
    def inner(self) -> LinearOperator:
        return self.decode

    def adjoint(self, y: Tensor) -> Tensor:
        return self.inner.adjoint(self.outer.adjoint(y))


class Iterative(LinearChained):
    """B A of which no decomposition is known: solves by conjugate gradients.

    Where one of the two is a mask, the other alone is nearly the same operator, and with its closed form the
    preconditioner. The norm is measured when it is asked for.
    """

    _norm: float | None = None

    def __init__(self, inner: LinearOperator, outer: LinearOperator) -> None:
        super().__init__(inner, outer)
        self.place = torch.zeros(1)  # which goes along wherever the operator is moved

    @property
    def norm(self) -> float:
        if self._norm is None:
            self._norm = largest_singular_value(self, self.place)
        return self._norm

    def pinv(self, y: Tensor) -> Tensor:
        """H^T (H H^T + c I)^-1 y for a small c, instead of a sharp cut, which would need the decomposition."""
        return self.regularized_pinv(y, (CUT * self.outer.norm * self.inner.norm) ** 2)

    def regularized_pinv(self, r: Tensor, c: float | Tensor) -> Tensor:
        r, coarse = self.project(r), r.dtype != torch.float64
        most, tolerance = (SUFFICIENT, TOLERANCE) if coarse else (ITERATIONS, None)
        solution = conjugate_gradients(
            lambda y: self(self.adjoint(y)) + c * y, r, precondition=self._near(c), iterations=most, tolerance=tolerance
        )
        return self.adjoint(solution)

    def _near(self, c: float | Tensor) -> Callable[[Tensor], Tensor]:
        """About (H H^T + c I)^-1."""
        masks = isinstance(self.inner, Mask), isinstance(self.outer, Mask)
        whole = self.outer if masks[0] else self.inner
        if not any(masks) or not whole.has_filter:
            return lambda r: r
        c = torch.as_tensor(c).clamp_min(1e-4 * whole.norm**2)  # less is lost in rounding

        def near(r: Tensor) -> Tensor:
            share = c.to(r)
            return self.project((r - whole(whole.regularized_pinv(r, share))) / share)

        return near


class Masked(LinearChained):
    """A mask over measurements of which every entry is a coefficient of its own: some of them are not measured."""

    pixelwise = True

    def __init__(self, inner: LinearOperator, outer: Mask) -> None:
        super().__init__(inner, outer)
        self.known = self.project(torch.ones(1, *self.measurement_shape, dtype=outer.mask.dtype))
        if not self.known.any():
            raise ProblemError("Together these leave nothing of the image. Leave one of them out, or hide less.")
        self.missing = 1 - float(self.known.mean())

    @property
    def norm(self) -> float:
        return float(self.singular_values.max())

    @property
    def entries(self) -> int:
        return int(self.known.sum())

    def project(self, y: Tensor) -> Tensor:
        return self.inner.project(self.outer.project(y))

    def as_pictures(self, y: Tensor) -> Tensor:
        return self.inner.as_pictures(self.outer.as_pictures(y))

    def preview(self, y: Tensor) -> Tensor:
        return self.inner.preview(y)

    @property
    def singular_values(self) -> Tensor:
        return self.inner.singular_values * self.inner.measurement_to_spectral(self.known)

    def to_spectral(self, x: Tensor) -> Tensor:
        return self.inner.to_spectral(x)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return self.inner.from_spectral(coefficients)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self.inner.measurement_to_spectral(self.outer.project(y))


class GreyFirst(LinearChained):
    """R w^T: the image becomes grey, and then whatever R does to a grey one.

    (H H^T + c I)^-1 = (|w|^2 R R^T + c I)^-1, so that R's own closed form serves; of its decomposition, V is R's for
    the grey and the identity for the other directions of colour.
    """

    def __init__(self, inner: Grey, outer: LinearOperator) -> None:
        super().__init__(inner, outer)
        self.cut = inner.norm * outer.cut

    @property
    def has_svd(self) -> bool:
        return self.outer.has_svd

    @property
    def has_filter(self) -> bool:
        return self.outer.has_svd

    def pinv(self, y: Tensor) -> Tensor:
        return self.inner.pinv(self.outer.pinv(y))

    def regularized_pinv(self, r: Tensor, c: float | Tensor) -> Tensor:
        return self.inner.pinv(self.outer.regularized_pinv(r, c / self.inner.norm**2))

    @property
    def singular_values(self) -> Tensor:
        channels, height, width = self.image_shape
        grey = (self.inner.norm * self.outer.singular_values).reshape(-1, *self.outer.singular_values.shape[-2:])
        return torch.cat([grey.expand(1, height, width), grey.new_zeros(channels - 1, height, width)])

    def to_spectral(self, x: Tensor) -> Tensor:
        grey, colours = self._parted(self.inner.to_spectral(x))
        return torch.cat([self.outer.to_spectral(grey), colours], dim=1)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        grey, colours = self._parted(coefficients)
        return self.inner.from_spectral(torch.cat([self.outer.from_spectral(grey), colours], dim=1))

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        grey = self.outer.measurement_to_spectral(y)
        return torch.cat([grey, grey.new_zeros(len(y), self.image_shape[0] - 1, *grey.shape[2:])], dim=1)

    def _parted(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x[:, :1], x[:, 1:]


def chained(inner: Operator, outer: Operator) -> Operator:
    """What `outer` makes of what `inner` makes of an image.

    Raises:
        ProblemError: nothing of the image is left.
    """
    if isinstance(inner, Identity) or isinstance(outer, Identity):
        return outer if isinstance(inner, Identity) else inner
    if not (is_linear(inner) and is_linear(outer)):
        return Chained(inner, outer)
    for rule in (_grey, _masked, _decimated):
        if (found := rule(inner, outer)) is not None:
            return found
    return Iterative(inner, outer)


def _grey(inner: LinearOperator, outer: LinearOperator) -> LinearOperator | None:
    """Grey goes to the front, where its order makes no difference."""
    if isinstance(inner, Grey):
        return GreyFirst(inner, outer)
    if isinstance(inner, GreyFirst) and isinstance(inner.inner, Grey):
        return GreyFirst(inner.inner, _linear(chained(inner.outer, outer)))
    if isinstance(outer, Grey) and inner.channelwise:
        first = Grey(outer.weights.flatten(), (outer.image_shape[0], *inner.image_shape[-2:]))
        return GreyFirst(first, _on_one_channel(inner))
    return None


def _masked(inner: LinearOperator, outer: LinearOperator) -> LinearOperator | None:
    if not (isinstance(outer, Mask) and inner.pixelwise):
        return None
    if isinstance(inner, Mask) and (known := inner.mask * outer.mask).any():
        return Mask(known, inner.image_shape)
    return Masked(inner, outer)


def _decimated(inner: LinearOperator, outer: LinearOperator) -> LinearOperator | None:
    if isinstance(inner, BlockMean) and isinstance(outer, BlockMean):
        return BlockMean(inner.factor * outer.factor, inner.image_shape)
    return folded(inner, outer)


def _linear(operator: Operator) -> LinearOperator:
    assert is_linear(operator)
    return operator


def _on_one_channel(operator: LinearOperator) -> LinearOperator:
    """The same for grey pictures, of an operator that is `channelwise`."""
    one = copy.copy(operator)
    one.image_shape, one.measurement_shape = (1, *operator.image_shape[1:]), (1, *operator.measurement_shape[1:])
    return one
