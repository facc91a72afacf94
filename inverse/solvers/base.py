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


class Run:
    """What one run of a solver works with: prior, measurement, randomness; and the count of what it cost.

    Args:
        denoiser: the prior.
        operator: A.
        y: one measurement (1, *measurement_shape) or one a sample.
        sigma_y: standard deviation of its noise, on [-1, 1].
        generators: one CPU generator a sample.
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
        y = self.operator.restrict(y.to(denoiser.device, denoiser.dtype))
        self.y = y.expand(len(generators), *operator.measurement_shape)
        self.sigma_y = sigma_y
        self.generators = generators
        self.nfe = self.vjp = 0

    def noise(self) -> Tensor:
        """Standard normal images (B, C, H, W)."""
        like = torch.empty(0, device=self.denoiser.device, dtype=self.denoiser.dtype)
        return randomness.normal(self.generators, self.operator.image_shape, like)

    def denoise(self, x: Tensor, sigma: float) -> Tensor:
        """D(x, sigma)."""
        self.nfe += 1
        return self.denoiser(x, sigma)

    def denoise_vjp(self, x: Tensor, sigma: float, cotangent: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """D(x, sigma) and J^T v with J = dD/dx, v = cotangent(D)."""
        self.nfe += 1
        self.vjp += 1
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            x0_hat = self.denoiser(x, sigma)
        v = cotangent(x0_hat.detach())
        (product,) = torch.autograd.grad(x0_hat, x, v)
        return x0_hat.detach(), product

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
        return (square / self.operator.entries).sqrt()


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
        help="Noise level of the last step, or the smallest that the prior knows.",
        effect="Too high leaves the result soft.",
    )  # fmt: skip


@dataclass(frozen=True)
class Solver(Parameters):
    """Base of every solver. An instance is its hyper-parameters; a new solver is a subclass with a loop `frames`.

    Attributes:
        name: what the command line and saved settings call it.
        title: what people read.
        summary: one sentence for people.
        source: the paper, and what of it is a reconstruction.
        linear_only: it needs a linear operator.
        unstable: the parameter that a diverging run should lower.
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
            ProblemError: the solver cannot deal with this operator.
            DivergenceError: a value is not finite; raised within the step in which it appeared.
        """
        if self.linear_only and not operator.linear:
            able = ", ".join(name for name, solver in SOLVERS.items() if not solver.linear_only)
            raise ProblemError(f"{self.title} needs a linear task. Choose one of these solvers: {able}.")
        run = Run(denoiser, operator, y, sigma_y, generators)
        high = min(self.sigma_max, denoiser.sigma_max)
        low = min(max(self.sigma_min, denoiser.sigma_min), high)
        sigmas = [*noise_levels(self.schedule, self.steps, high, low), 0.0]
        last = None
        for index, (sigma, x, x0_hat) in enumerate(self.frames(run, sigmas), 1):
            if not (torch.isfinite(x).all() and torch.isfinite(x0_hat).all()):
                raise DivergenceError(
                    f"{self.title} diverged at step {index} of {self.total}: a value is no longer finite. "
                    f"Lower {self.unstable}, which is {getattr(self, self.unstable):g}, or take more steps.",
                    last,
                )
            last = Step(index, self.total, sigma, x, x0_hat, run.residual(x0_hat), run.nfe, run.vjp)
            yield last


SOLVERS: Registry[type[Solver]] = Registry("solver")
