"""What a solver's loop works with: the prior, the measurement, randomness, and the count of what it cost."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.errors import ProblemError
from inverse.operators import noise
from inverse.operators.base import LinearOperator, Operator, as_linear, is_linear
from inverse.operators.composition import cropped
from inverse.randomness import Source
from inverse.solvers.calls import PAUSE, Call, Computation, Pause, answered
from inverse.solvers.step import Map, unchanged

SIGMA_Y_FLOOR = 1e-3
"""Where a formula divides by sigma_y or inverts H, a noiseless measurement counts as this noisy: as sigma_y -> 0 the
prior's weight vanishes, and rounding errors are magnified instead."""


BACKWARD_COST = 1.4
"""A backward pass takes about as long as this many forward passes."""


def in_passes(forward: float, backward: float) -> float:
    """So many forward passes of the network and so many backward ones, in forward passes."""
    return forward + BACKWARD_COST * backward


class Run:
    """One run of a solver; the arguments are those of `Solver.solve`.

    Attributes:
        operator: A on the prior's own space; that is what a solver inverts.
        pictures: A of pictures.
        finish: what is done to every estimate's picture, as in `Step`.
        y: one measurement a sample; `measured` is what was given, one for all or one for each.

    Raises:
        ProblemError: y does not fit the operator or the number of samples.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[Source],
    ) -> None:
        self.denoiser = denoiser
        self.finish: Map = unchanged
        self.pictures = operator.to(denoiser.device, denoiser.dtype)
        self.operator = denoiser.lift(self.pictures)
        expected = tuple(operator.measurement_shape)
        if tuple(y.shape[1:]) != expected or y.shape[0] not in (1, len(generators)):
            raise ProblemError(
                f"The task expects a measurement of shape {expected}, one for all or one for each of "
                f"{len(generators)} samples, and was given {tuple(y.shape)}. Measure the image again with this task."
            )
        y = self.pictures.project(y.to(denoiser.device, denoiser.dtype))
        self.measured, self.y = y, y.expand(len(generators), *expected)
        self.sigma_y = sigma_y
        self.generators = generators
        self.nfe = self.vjp = self.operator_calls = 0
        self.passes = 0.0
        self.denoised: tuple[Tensor, Tensor] | None = None

    def forget(self) -> None:
        """From here on estimates are those of the prior alone, which knows nothing of y."""
        self.conditions = None

    def _count(self, sigma: float, gradients: int = 0) -> None:
        """Counts an estimate, and the passes back through it."""
        told, (_, height, width) = bool(self.conditions), self.operator.image_shape
        each = self.denoiser.passes if told or not self.denoiser.conditional else 1
        self.nfe, self.vjp = self.nfe + each, self.vjp + gradients * each
        self.passes += self.denoiser.cost(sigma, (height, width), told) * in_passes(1, gradients)

    def lower(self, z: Tensor) -> Tensor:
        """The pictures behind z, as `Denoiser.lower`, of the size that is measured."""
        return cropped(self.denoiser.lower(z), self.pictures.image_shape)

    def preview(self, z: Tensor) -> Tensor:
        """The same in a hurry."""
        return cropped(self.denoiser.preview(z), self.pictures.image_shape)

    def alone(self, sample: int) -> Run:
        """The run of one sample by itself, before its first step."""
        run, one = copy.copy(self), slice(sample, sample + 1)
        run.y, run.generators = self.y[one], self.generators[one]
        run.conditions = self.conditions and self.conditions[one]
        return run

    @cached_property
    def conditions(self) -> tuple[Any, ...] | None:
        """What the prior is told of every sample's measurement; None where it does not look. See `Denoiser`."""
        found = tuple(self.denoiser.condition(self.pictures, y, self.sigma_y) for y in self.measured.split(1))
        if any(one is None for one in found):
            return None
        return found * (len(self.generators) // len(found))

    def noise(self, shape: Sequence[int] | None = None) -> Tensor:
        """Standard normal images (B, C, H, W), or of another shape (B, *shape)."""
        like = torch.empty(0, device=self.denoiser.device, dtype=self.denoiser.dtype)
        return randomness.normal(self.generators, self.operator.image_shape if shape is None else shape, like)

    def operator_call(self) -> Iterator[Pause]:
        """Counts a gradient through A that was taken without the network, by `yield from`: a run can be ended there."""
        self.operator_calls += 1
        yield PAUSE

    @property
    def linear(self) -> LinearOperator:
        """The operator of a linear task: what a solver that is `linear_only` works with."""
        return as_linear(self.operator)

    def denoise(self, x: Tensor, sigma: float) -> Computation[Tensor]:
        """D(x, sigma), by `yield from`."""
        self._count(sigma)
        (x0_hat,) = yield from answered(Call(x, sigma, None, self.conditions))
        self.denoised = (x, x0_hat)
        return x0_hat

    def denoise_vjp(
        self, x: Tensor, sigma: float, cotangent: Callable[[Tensor], Tensor], jacobian: str = "exact"
    ) -> Computation[tuple[Tensor, Tensor]]:
        """D(x, sigma) and J^T v with J = dD/dx, v = cotangent(D), by `yield from`.

        With the jacobian "exact", by a backward pass; with "finite-difference", J v by a second forward pass, a
        hundredth of the noise away (a tenth in bfloat16). J is symmetric for an exact denoiser only, so that for a
        network this is an approximation; but no graph is held in memory.
        """
        if jacobian == "finite-difference":
            return (yield from self._denoise_difference(x, sigma, cotangent))
        self._count(sigma, gradients=1)
        x0_hat, product = yield from answered(Call(x, sigma, cotangent, self.conditions))
        self.denoised = (x, x0_hat)
        return x0_hat, product

    def denoise_misfit(
        self, x: Tensor, sigma: float, jacobian: str = "exact"
    ) -> Computation[tuple[Tensor, Tensor, Tensor]]:
        """D(x, sigma), the gradient g in x of f = ||y - A(D)||_2, and how far to go along -g, by `yield from`.

        A step of length t >= 0 that moved D by -t g would, to first order, lower f by t <v, g>, with v = df/dD and
        g = J^T v. Where that arrives at the noise, f* = sigma_y sqrt(m) for m measured numbers, is Polyak's step,
        (f - f*)_+ / <v, g> (Polyak 1969; Morozov's discrepancy principle for f*).

        Returns:
            x0_hat and g, (B, C, H, W), and t, (B, 1, 1, 1); t is huge where -g leads D nowhere.
        """
        found: list[tuple[Tensor, Tensor]] = []

        def cotangent(x0_hat: Tensor) -> Tensor:
            found[:] = [self.misfit_and_gradient(x0_hat)]
            return found[0][1]

        x0_hat, gradient = yield from self.denoise_vjp(x, sigma, cotangent, jacobian)
        ((misfit, slope),) = found
        excess = (misfit - self.noise_norm(x0_hat)).clamp_min(0)
        descent = (slope * gradient).sum((1, 2, 3), keepdim=True)
        return x0_hat, gradient, excess / descent.clamp_min(torch.finfo(descent.dtype).tiny)

    def _denoise_difference(
        self, x: Tensor, sigma: float, cotangent: Callable[[Tensor], Tensor]
    ) -> Computation[tuple[Tensor, Tensor]]:
        # Rounding drowns a small difference. Against the backward pass of the embedded prior, the cosine is 0.95 to
        # 0.99 in float32; in bfloat16 it is 0.84 to 0.97 at the larger distance, and 0.45 to 0.97 at the smaller.
        share = 0.1 if self.denoiser.bfloat16 else 0.01
        x0_hat = yield from self.denoise(x, sigma)
        v = cotangent(x0_hat)
        norm = norms(v)
        distance = share * sigma * x[0].numel() ** 0.5
        unit = v / norm.clamp_min(torch.finfo(v.dtype).tiny)
        displaced = yield from self.denoise(x + distance * unit, sigma)
        return x0_hat, (displaced - x0_hat) * (norm / distance)

    @cached_property
    def spectrum(self) -> Tensor:
        """U^T y of a linear operator, in the layout of its coefficients."""
        return self.linear.measurement_to_spectral(self.y)

    def correction(self, x: Tensor, c: float) -> Tensor:
        """H^T (H H^T + c I)^-1 (y - H x) of a linear operator, for c > 0, (B, C, H, W).

        Of another one with a proximal step, that: see `Operator.correction`.
        """
        if not is_linear(self.operator):
            return self.operator.correction(x, self.y, c)
        misfit, operator = self._misfit(x), self.linear
        if not operator.spectral:
            return operator.regularized_pinv(misfit, c)
        s = operator.singular_values
        return operator.from_spectral(s / (s.square() + c) * misfit)

    def proximal_step(self, v: Tensor, c: float, gradient_steps: int) -> Computation[Tensor]:
        """argmin_x ||y - A(x)||^2 + c ||x - v||^2 for c > 0, (B, C, H, W), by `yield from`.

        Where A has no such step in closed form, what so many gradient steps of a length that is safe reach from v.
        """
        if self.operator.proximal:
            return v + self.correction(v, c)
        x = v
        for _ in range(gradient_steps):
            x = x + (self.adjoint_residual(x) + c * (v - x)) / (self.operator.norm**2 + c)
            yield from self.operator_call()
        return x

    def misfit_norm(self, x: Tensor) -> Tensor:
        """||y - A(x)||_2 of each sample, (B, 1, 1, 1)."""
        return norms(self._misfit(x) if is_linear(self.operator) else self.y - self.operator(x))

    def _misfit(self, x: Tensor) -> Tensor:
        """y - H x of a linear operator; U^T of it, in the layout of coefficients, where it is applied among those."""
        operator = self.linear
        if not operator.spectral:
            return self.y - operator(x)
        return self.spectrum - operator.singular_values * operator.to_spectral(x)

    def spectral_misfit(self, x: Tensor) -> Tensor:
        """U^T (y - H x) of a linear operator, in the layout of its coefficients."""
        misfit, operator = self._misfit(x), self.linear
        return misfit if operator.spectral else operator.measurement_to_spectral(misfit)

    def adjoint_residual(self, x0_hat: Tensor) -> Tensor:
        """H^T (y - H x0_hat); for a non-linear A what it stands for, minus the gradient of ||y - A(x0_hat)||^2 / 2."""
        if is_linear(self.operator):
            return self._adjoint(self._misfit(x0_hat))
        return self.operator.vjp(x0_hat, lambda value: self.y - value)[1]

    def _adjoint(self, misfit: Tensor) -> Tensor:
        """H^T of what `_misfit` returns."""
        operator = self.linear
        if not operator.spectral:
            return operator.adjoint(misfit)
        return operator.from_spectral(operator.singular_values * misfit)

    def misfit_and_gradient(self, x0_hat: Tensor) -> tuple[Tensor, Tensor]:
        """f = ||y - A(x0_hat)||_2 of each sample, (B, 1, 1, 1), and its gradient in x0_hat; 0 where f is 0."""
        if is_linear(self.operator):
            misfit = self._misfit(x0_hat)  # U is orthogonal: its coefficients are as long as the misfit itself
            norm = norms(misfit)
            return norm, -self._adjoint(misfit) / norm.clamp_min(torch.finfo(misfit.dtype).tiny)
        value, gradient = self.operator.vjp(x0_hat, lambda value: _unit(value - self.y))
        return norms(self.y - value), gradient

    def noise_norm(self, x0_hat: Tensor) -> Tensor:
        """The misfit that noise alone leaves, sigma_y sqrt(m) for m measured numbers, (B, 1, 1, 1).

        It depends on the image only where A rounds or clips what is noisy, as `noise.left_by` says.
        """
        left = noise.left_by(x0_hat, self.operator, self.sigma_y) * self.operator.entries**0.5
        return left[:, None, None, None]

    def residual(self, x0_hat: Tensor) -> Tensor:
        """Root mean square of y - A(x0_hat) over what was measured, for each picture x0_hat, (B,)."""
        square = (self.y - self.pictures(x0_hat)).flatten(1).square().sum(1)
        return (square / max(self.pictures.entries, 1)).sqrt()


def _unit(r: Tensor) -> Tensor:
    """Every sample at length 1; a zero stays zero."""
    norm = torch.linalg.vector_norm(r.flatten(1), dim=1).view(-1, *[1] * (r.ndim - 1))
    return r / norm.clamp_min(torch.finfo(r.dtype).tiny)


def norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, (B, 1, 1, 1)."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)[:, None, None, None]
