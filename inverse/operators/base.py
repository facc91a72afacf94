"""The contract of a measurement operator `A`, and what of a linear one follows from its decomposition."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self, TypeGuard

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.cg import conjugate_gradients

Shape = tuple[int, ...]


class Operator(ABC):
    """A differentiable map from images (B, C, H, W) on [-1, 1] to measurements (B, *measurement_shape).

    Attributes:
        image_shape: (C, H, W) of the images it accepts.
        measurement_shape: shape of one measurement, without the batch.
        norm: Lipschitz constant of A on images, or an upper estimate of it; of the surrogate where A has one.
        measures_pictures: a measurement is a picture that a camera or a file may hold already.
        alters_noise: `measure` rounds or clips what was disturbed, so that noise does not come through as it is.
        missing: share of pixels of which nothing is measured; None where pixels are not measured one by one.
        hidden_noise: standard deviation of noise up to which a measurement need not show it, as where A rounds.
        proximal: `correction` is known in closed form.
        local: it means something near clean images only, as what begins with a decoder: solvers ask it about estimates,
            and about nothing farther away.
    """

    linear = False
    local = False
    measures_pictures = True
    alters_noise = False
    missing: float | None = None
    hidden_noise = 0.0
    image_shape: Shape
    measurement_shape: Shape
    norm: float

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor:
        """The noiseless measurement of x, (B, C, H, W) -> (B, *measurement_shape)."""

    @property
    def proximal(self) -> bool:
        return False

    def correction(self, x: Tensor, y: Tensor, c: float) -> Tensor:
        """What leads from x to argmin_u ||y - A(u)||^2 + c ||u - x||^2, or near it, for c > 0, (B, C, H, W)."""
        raise NotImplementedError(f"{type(self).__name__} has no proximal step in closed form")

    @property
    def entries(self) -> int:
        """How many numbers one measurement really has; entries of y that are always 0 do not count."""
        return math.prod(self.measurement_shape)

    def twin(self, x: Tensor) -> Tensor:
        """Another image than x that measures the same, (B, C, H, W), by an isometry; x itself where none is known."""
        return x

    def project(self, y: Tensor) -> Tensor:
        """The nearest y that can be measured: entries that are not measured 0, values within the range of A."""
        return y

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        """The measurement of x with noise, (B, C, H, W) -> (B, *measurement_shape).

        `disturb` adds noise to what has that shape, where a sensor would: what rounds or clips comes after it.
        """
        return self.project(disturb(self(x)))

    def as_pictures(self, y: Tensor) -> Tensor:
        """y as pictures whose neighbouring pixels are alike but for noise, NaN where nothing is measured."""
        return y

    def preview(self, y: Tensor) -> Tensor:
        """A picture (B, C, h, w) on [-1, 1] of a measurement, for people to look at; a grey one has 3 channels too."""
        return y.expand(-1, 3, -1, -1) if y.shape[1] == 1 else y

    def measurement_of(self, picture: Tensor) -> Tensor:
        """The measurement (1, *measurement_shape) that an already degraded photo holds, (1, C, h, w) on [-1, 1].

        Raises:
            ProblemError: this operator does not measure pictures, or not of that size.
        """
        if not self.measures_pictures:
            raise ProblemError(
                "What this task measures is not a picture, so no photo can be its measurement. "
                "Give it a clean photo, to be degraded here first."
            )
        found, wanted = tuple(picture.shape[1:]), tuple(self.measurement_shape)
        if found[1:] != wanted[1:] or found[0] not in (wanted[0], self.image_shape[0]):
            found, wanted = ("x".join(map(str, shape)) for shape in (found, wanted))
            raise ProblemError(
                f"The photo is {found} (channels x height x width) and the measurement {wanted}. "
                "Build the operator for the photo's size."
            )
        return self.project(self._read(picture))

    def _read(self, picture: Tensor) -> Tensor:
        """The measurement in a picture (1, C, h, w) of the right size, whose channels may be the image's."""
        return self.recoloured(picture)

    def recoloured(self, picture: Tensor) -> Tensor:
        """A picture (1, C, h, w) of any size that may have the image's channels, with those of a measurement."""
        return picture

    def vjp(self, x: Tensor, cotangent: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """A(x), (B, *measurement_shape), and J^T v, (B, C, H, W), for J = dA/dx at x and v = cotangent(A(x)).

        With v = y - A(x) that is minus the gradient of ||y - A(x)||^2 / 2; of a linear operator it is H^T v.
        """
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            value = self(x)
        (product,) = torch.autograd.grad(value, x, cotangent(value.detach()))
        return value.detach(), product

    def fitted_to(self, picture: Tensor) -> Self:
        """The operator for this picture, (B, C, h, w), clean or degraded, where what it measures depends on it."""
        return self

    def to(self, device: torch.device | str, dtype: torch.dtype = torch.float32) -> Self:
        """A copy with every tensor on the device and in the precision, complex ones in the matching complex one."""
        moved = copy.copy(self)
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                target = dtype.to_complex() if value.is_complex() else dtype if value.is_floating_point() else None
                setattr(moved, name, value.to(device=device, dtype=target))
            elif isinstance(value, Operator):
                setattr(moved, name, value.to(device, dtype))
        return moved


class LinearOperator(Operator):
    """A linear operator H: its forward map, and its singular value decomposition where it has one.

    Adjoint, pseudo-inverse and the solve that most solvers need follow from `filter`, which follows from the
    decomposition; an operator says its own only where it knows a faster one. An operator without a decomposition is
    complete with `__call__`: the adjoint is taken by autograd, solves by conjugate gradients.

    Attributes:
        norm: spectral norm of H, its largest singular value.
        cut: singular values below it count as zero in `pinv`.
        pixelwise: every entry of a measurement is a coefficient of its own, U = I, so that what hides entries leaves
            the decomposition as it is.
        channelwise: it does the same to every channel, however many there are.
        spectral: H is applied by way of `to_spectral`, so that whoever applies it and its inverse does better to stay
            among the coefficients.

    The decomposition H = U diag(s) V^T has real orthogonal U and V: a Fourier transform is taken as the Hartley
    transform, its real twin. So V^T of white noise is white noise of the same variance, and a solver may work on every
    coefficient alone.
    """

    linear = True
    spectral = False
    pixelwise = False
    channelwise = False
    cut = 0.0

    # The decomposition

    @property
    def has_svd(self) -> bool:
        """The methods of the decomposition are there; solvers that work on single coefficients need them."""
        return type(self).singular_values is not LinearOperator.singular_values

    @property
    def singular_values(self) -> Tensor:
        """s >= 0, in the shape of coefficients or one that broadcasts to it; 0 in the null space of H."""
        raise NotImplementedError

    def to_spectral(self, x: Tensor) -> Tensor:
        """V^T x: the coefficients of images, (B, C, H, W), in the same shape."""
        raise NotImplementedError

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        """V c: the images of coefficients, the inverse of `to_spectral`."""
        raise NotImplementedError

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        """U^T y in the layout of the coefficients, 0 where s = 0: s * V^T x for y = H x."""
        raise NotImplementedError

    @property
    def has_filter(self) -> bool:
        """`filter` is there, by the decomposition or in another way."""
        return self.has_svd or type(self).filter is not LinearOperator.filter

    # What follows from it

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        """V diag(f(s)) U^T y, (B, *measurement_shape) -> (B, C, H, W).

        f, the response, is given all singular values at once; what it is at s = 0 does not matter.
        """
        factor = response(self.singular_values)
        return self.from_spectral(factor.to(y.dtype) * self.measurement_to_spectral(y))

    def adjoint(self, y: Tensor) -> Tensor:
        """H^T y, (B, *measurement_shape) -> (B, C, H, W)."""
        if self.has_filter:
            return self.filter(y, lambda s: s)
        origin = y.new_zeros(len(y), *self.image_shape)
        return super().vjp(origin, lambda _: y)[1]

    def pinv(self, y: Tensor) -> Tensor:
        """H^+ y, the pseudo-inverse; singular values below the operator's cut count as zero.

        Without a decomposition it is what conjugate gradients reach: small singular values count less than others.
        """
        if self.has_filter:
            return self.filter(y, lambda s: torch.where((s >= self.cut) & (s > 0), 1 / torch.where(s > 0, s, 1), 0))
        return conjugate_gradients(lambda x: self.adjoint(self(x)), self.adjoint(y))

    def regularized_pinv(self, r: Tensor, c: float | Tensor) -> Tensor:
        """H^T (H H^T + c I)^-1 r for c > 0, one number or (B, 1, 1, 1): (B, *measurement_shape) -> (B, C, H, W).

        Solvers use it in place of `solve`: the forms are equal in algebra, but this one does not cancel
        in float32 at sigma = 80.
        """
        if self.has_filter:
            return self.filter(r, lambda s: s / (s.square() + c))
        return self.adjoint(conjugate_gradients(lambda y: self(self.adjoint(y)) + c * y, r))

    @property
    def proximal(self) -> bool:
        return True

    def correction(self, x: Tensor, y: Tensor, c: float) -> Tensor:
        """H^T (H H^T + c I)^-1 (y - H x)."""
        return self.regularized_pinv(y - self(x), c)

    def solve(self, v: Tensor, a: float, b: float) -> Tensor:
        """(a H^T H + b I)^-1 v for a, b > 0, right in the null space too (Woodbury's identity)."""
        return (v - self.regularized_pinv(self(v), b / a)) / b

    def vjp(self, x: Tensor, cotangent: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        value = self(x)
        return value, self.adjoint(cotangent(value))


def is_linear(operator: Operator) -> TypeGuard[LinearOperator]:
    """`Operator.linear`, in words that a type checker understands."""
    return operator.linear


def as_linear(operator: Operator) -> LinearOperator:
    """The operator of a task that must be linear; TypeError where it is not."""
    if not is_linear(operator):
        raise TypeError(f"{type(operator).__name__} is not linear")
    return operator


class StraightThrough(Operator):
    """A map whose own derivative is useless, because it rounds: autograd sees another one in its place.

    The value is `exact(x)`, the derivative that of `surrogate(x)` (the straight-through estimator of Bengio, Leonard
    and Courville, 2013).
    """

    alters_noise = True

    @abstractmethod
    def exact(self, x: Tensor) -> Tensor:
        """The measurement as it is."""

    @abstractmethod
    def surrogate(self, x: Tensor) -> Tensor:
        """A differentiable map near `exact`; `norm` is its Lipschitz constant."""

    def measure(self, x: Tensor, disturb: Callable[[Tensor], Tensor]) -> Tensor:
        return self.exact(disturb(x))  # noise is in the image that is rounded

    def __call__(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            exact = self.exact(x)
        if not (torch.is_grad_enabled() and x.requires_grad):
            return exact
        surrogate = self.surrogate(x)
        return surrogate + (exact - surrogate.detach())
