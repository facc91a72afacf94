"""The contract of a solver: validated hyper-parameters that turn a measurement into a stream of `Step`s."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.errors import DivergenceError, ProblemError
from inverse.operators.base import Operator
from inverse.parameters import Parameters, Registry, choice, integer, real
from inverse.schedule import SCHEDULES, noise_levels


@dataclass(frozen=True)
class Step:
    """One frame of a restoration. The last one's `x0_hat` is the result.

    Attributes:
        index, total: this is step `index` of `total`, counted from 1.
        sigma: noise level of x, 0 when it is clean.
        x: state of the reverse process, (B, C, H, W).
        x0_hat: the prior's estimate of the clean image, (B, C, H, W), on [-1, 1].
        residual: root mean square of y - A(x0_hat) over what was measured, (B,), in the units of y.
        nfe: forward passes of the prior so far, for each sample.
        vjp: how many of them were followed by a backward pass.
    """

    index: int
    total: int
    sigma: float
    x: Tensor
    x0_hat: Tensor
    residual: Tensor
    nfe: int
    vjp: int


SIGMA_Y_FLOOR = 1e-3
"""Where a formula divides by sigma_y or inverts H, a noiseless measurement counts as this noisy: as sigma_y -> 0 the
prior's weight vanishes, and rounding errors are magnified instead."""

LIMIT = 1e6
"""Clean images lie on [-1, 1] and noise levels end at 200: whatever grows beyond this has diverged."""


class Run:
    """What one run of a solver works with: prior, measurement, randomness; and the count of what it cost.

    Args:
        denoiser: the prior.
        operator: A.
        y: one measurement (1, *measurement_shape) or one a sample.
        sigma_y: standard deviation of its noise, on [-1, 1].
        generators: one CPU generator a sample.

    Raises:
        ProblemError: y does not fit the operator or the number of samples.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[torch.Generator],
    ) -> None:
        self.denoiser = denoiser
        self.operator = operator.to(denoiser.device, denoiser.dtype)
        expected = tuple(operator.measurement_shape)
        if tuple(y.shape[1:]) != expected or y.shape[0] not in (1, len(generators)):
            raise ProblemError(
                f"The task expects a measurement of shape {expected}, one for all or one for each of "
                f"{len(generators)} samples, and was given {tuple(y.shape)}. Measure the image again with this task."
            )
        y = self.operator.restrict(y.to(denoiser.device, denoiser.dtype))
        self.y = y.expand(len(generators), *expected)
        self.sigma_y = sigma_y
        self.generators = generators
        self.nfe = self.vjp = 0
        self.denoised: tuple[Tensor, Tensor] | None = None

    def noise(self) -> Tensor:
        """Standard normal images (B, C, H, W)."""
        return self._normal(self.operator.image_shape)

    def measurement_noise(self) -> Tensor:
        """Standard normal measurements (B, *measurement_shape), 0 where nothing is measured."""
        return self.operator.restrict(self._normal(self.operator.measurement_shape))

    def _normal(self, shape: Sequence[int]) -> Tensor:
        like = torch.empty(0, device=self.denoiser.device, dtype=self.denoiser.dtype)
        return randomness.normal(self.generators, shape, like)

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """D(x, sigma)."""
        self.nfe += 1
        x0_hat = self.denoiser(x, sigma)
        self.denoised = (x, x0_hat)
        return x0_hat

    def denoise_vjp(
        self, x: Tensor, sigma: float, cotangent: Callable[[Tensor], Tensor], jacobian: str = "exact"
    ) -> tuple[Tensor, Tensor]:
        """D(x, sigma) and J^T v with J = dD/dx, v = cotangent(D).

        Args:
            x: (B, C, H, W).
            sigma: its noise level.
            cotangent: v as a function of D, (B, C, H, W) -> (B, C, H, W).
            jacobian: "exact": by a backward pass. "finite-difference": J v by a second forward pass, a hundredth of
                the noise away (a tenth in bfloat16). J is symmetric for an exact denoiser only, so that for a network
                this is an approximation; but no graph is held in memory.
        """
        if jacobian == "finite-difference":
            return self._denoise_difference(x, sigma, cotangent)
        self.nfe += 1
        self.vjp += 1
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            x0_hat = self.denoiser(x, sigma)
        self.denoised = (x.detach(), x0_hat.detach())
        v = cotangent(x0_hat.detach())
        (product,) = torch.autograd.grad(x0_hat, x, v)
        return x0_hat.detach(), product

    def _denoise_difference(
        self, x: Tensor, sigma: float, cotangent: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor]:
        # Rounding drowns a small difference. Against the backward pass of the embedded prior, the cosine is 0.95 to
        # 0.99 in float32; in bfloat16 it is 0.84 to 0.97 at the larger distance, and 0.45 to 0.97 at the smaller.
        share = 0.1 if self.denoiser.bfloat16 else 0.01
        x0_hat = self.denoise(x, sigma)
        v = cotangent(x0_hat)
        norm = norms(v)
        distance = share * sigma * x[0].numel() ** 0.5
        displaced = self.denoise(x + distance * (v / norm.clamp_min(torch.finfo(v.dtype).tiny)), sigma)
        return x0_hat, (displaced - x0_hat) * (norm / distance)

    def adjoint_residual(self, x0_hat: Tensor) -> Tensor:
        """H^T (y - H x0_hat); for a non-linear A what it stands for, minus the gradient of ||y - A(x0_hat)||^2 / 2."""
        if self.operator.linear:
            return self.operator.adjoint(self.y - self.operator(x0_hat))
        with torch.enable_grad():
            x0_hat = x0_hat.detach().requires_grad_()
            half_square = (self.y - self.operator(x0_hat)).square().sum() / 2
            (gradient,) = torch.autograd.grad(half_square, x0_hat)
        return -gradient

    def misfit_gradient(self, x0_hat: Tensor) -> Tensor:
        """Gradient of ||y - A(x0_hat)||_2 in x0_hat, for each sample; 0 where the misfit is 0."""
        with torch.enable_grad():
            x0_hat = x0_hat.detach().requires_grad_()
            misfit = torch.linalg.vector_norm((self.y - self.operator(x0_hat)).flatten(1), dim=1)
            (gradient,) = torch.autograd.grad(misfit.sum(), x0_hat)
        return gradient

    def residual(self, x0_hat: Tensor) -> Tensor:
        """Root mean square of y - A(x0_hat) over what was measured, for each sample, (B,)."""
        square = (self.y - self.operator(x0_hat)).flatten(1).square().sum(1)
        return (square / max(self.operator.entries, 1)).sqrt()


def norms(x: Tensor) -> Tensor:
    """Euclidean norm of each sample, (B, 1, 1, 1)."""
    return torch.linalg.vector_norm(x.flatten(1), dim=1)[:, None, None, None]


Frame = tuple[float, Tensor, Tensor]
"""What a solver's own loop yields: sigma, x, x0_hat."""


def steps_field(default: int, low: int = 2) -> Any:
    return integer(
        default, low, 1000, help="Noise levels of the reverse process.",
        effect="Too few leave noise or artefacts; more take longer.",
    )  # fmt: skip


def schedule_field(default: str) -> Any:
    return choice(default, *SCHEDULES, advanced=True, help="How the noise levels are spaced.")


def sigma_max_field(default: float) -> Any:
    return real(
        default, 0.5, 200.0, log=True, advanced=True,
        help="Noise level of the first step, or the largest that the prior knows.",
        effect="Too low cannot fill large holes; too high wastes steps.",
    )  # fmt: skip


def sigma_min_field(default: float) -> Any:
    return real(
        default, 0.001, 0.5, log=True, advanced=True,
        help="Noise level of the last step: at most twice the measurement's noise, at least what the prior knows.",
        effect="Too high leaves the result soft.",
    )  # fmt: skip


def jacobian_field() -> Any:
    return choice(
        "exact", "exact", "finite-difference", advanced=True,
        help="How the gradient goes through the prior: exactly, by a backward pass, or approximately, by comparing two "
        "forward passes, which needs far less memory.",
        effect="The approximation costs some quality with a trained prior.",
    )  # fmt: skip


def guidance_scale_field(default: float = 1.0) -> Any:
    return real(
        default, 0.01, 100.0, log=True, help="Weight of the measurement against the prior; 1 is Bayes' rule.",
        effect="Too low smooths details away; too high brings the measurement's noise back.",
    )  # fmt: skip


def stochasticity_field(default: float, symbol: str) -> Any:
    return real(
        default, 0.0, 1.0,
        help=f"Share of the noise that is drawn anew at every step: {symbol} of the paper.",
        effect="At 0 all samples of a run look alike and keep early mistakes; at 1 they vary most.",
    )  # fmt: skip


def cut_field(default: float) -> Any:
    return real(
        default, 0.0, 0.5, advanced=True,
        help="Singular values of the operator below this share of the largest count as zero: not measured.",
        effect="Too low lets a blur's weakest frequencies bring noise back; too high leaves the image soft.",
    )  # fmt: skip


def gradient_cost(forwards: int, gradients: int, jacobian: str) -> tuple[int, int]:
    """`Solver.cost` of a run with so many forward passes, of which so many go on to a gradient."""
    return (forwards, gradients) if jacobian == "exact" else (forwards + gradients, 0)


@dataclass(frozen=True)
class Solver(Parameters):
    """Base of every solver. An instance is its hyper-parameters; a new solver is a subclass with a loop `frames`.

    Attributes:
        name: what the command line and saved settings call it.
        title: what people read.
        summary: one sentence for people.
        source: the paper, and what of it is a reconstruction.
        linear_only: it needs a linear operator.
        unstable: the parameter that a diverging run should lower; empty when no parameter helps.
    """

    summary: ClassVar[str] = ""
    source: ClassVar[str] = ""
    linear_only: ClassVar[bool] = False
    unstable: ClassVar[str] = "step_size"

    steps: int = steps_field(100)
    schedule: str = schedule_field("karras")
    sigma_max: float = sigma_max_field(10.0)
    sigma_min: float = sigma_min_field(0.01)

    @abstractmethod
    def frames(self, run: Run, sigmas: list[float]) -> Iterator[Frame]:
        """The algorithm. Runs without autograd; yields after every update, the last time with the result as x0_hat.

        Args:
            run: prior, measurement and randomness.
            sigmas: the noise levels, the largest first, and 0 at the end.
        """

    @property
    @abstractmethod
    def total(self) -> int:
        """How many frames a run has."""

    @property
    @abstractmethod
    def cost(self) -> tuple[int, int]:
        """Forward passes of the whole run, and how many of them are followed by a backward pass."""

    @torch.no_grad()  # on a generator it holds only while the generator runs, not while its caller does
    def solve(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[torch.Generator],
    ) -> Iterator[Step]:
        """Restores the image behind y, one sample a generator.

        Args:
            denoiser: the prior.
            operator: A.
            y: (1, *measurement_shape), or (B, *measurement_shape) with one measurement a sample.
            sigma_y: standard deviation of the noise in y, on [-1, 1].
            generators: one CPU generator a sample; the only source of randomness.

        Yields:
            `total` steps.

        Raises:
            ProblemError: the solver cannot deal with this operator, or the measurement does not fit it.
            DivergenceError: a value is not finite or beyond `LIMIT`; raised within the step in which it appeared.
        """
        if self.linear_only and not operator.linear:
            able = ", ".join(name for name, solver in SOLVERS.items() if not solver.linear_only)
            raise ProblemError(f"{self.title} needs a linear task. Choose one of these solvers: {able}.")
        run = Run(denoiser, operator, y, sigma_y, generators)
        high = min(self.sigma_max, denoiser.sigma_max)
        # A last level far above the measurement's own noise would smooth away what the measurement knows.
        low = min(max(min(self.sigma_min, 2 * sigma_y), denoiser.sigma_min), high)
        sigmas = [*noise_levels(self.schedule, self.steps, high, low), 0.0]
        last = None
        for index, (sigma, x, x0_hat) in enumerate(self.frames(run, sigmas), 1):
            if not (_bounded(x) and _bounded(x0_hat)):
                raise DivergenceError(f"{self.title} stopped at step {index} of {self.total}: {self._cause(run)}", last)
            last = Step(index, self.total, sigma, x, x0_hat, run.residual(x0_hat), run.nfe, run.vjp)
            yield last

    def _cause(self, run: Run) -> str:
        """Why values left every bound, and what to do about it."""
        if run.denoised and _bounded(run.denoised[0]) and not torch.isfinite(run.denoised[1]).all():
            return (
                "the prior returned a value that is not finite. Choose the precision float32 or another prior; if that "
                "does not help, take more steps."
            )
        remedy = (
            f"Lower {self.unstable}, which is {getattr(self, self.unstable):g}, or take" if self.unstable else "Take"
        )
        return f"it diverged, and its values left every bound. {remedy} more steps."


def _bounded(x: Tensor) -> bool:
    # Also false for NaN, which no comparison accepts.
    return bool((x.abs() < LIMIT).all())


SOLVERS: Registry[type[Solver]] = Registry("solver")
