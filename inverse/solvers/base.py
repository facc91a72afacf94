"""The contract of a solver: validated hyper-parameters that turn a measurement into a stream of `Step`s."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from inverse import memory
from inverse.denoisers.base import Denoiser
from inverse.errors import DivergenceError, ProblemError
from inverse.operators.base import Operator
from inverse.parameters import Parameters, Registry
from inverse.schedule import noise_levels
from inverse.solvers.calls import Answer, Call, driven
from inverse.solvers.fields import schedule_field, sigma_max_field, sigma_min_field, steps_field
from inverse.solvers.run import Run


@dataclass(frozen=True)
class Step:
    """One frame of a restoration. The last one's `x0_hat` is the result.

    Attributes:
        index, total: this is step `index` of `total`, counted from 1.
        sigma: noise level of x, 0 when it is clean.
        x: state of the reverse process, (B, C, H, W).
        x0_hat: the prior's estimate of the clean image, (B, C, H, W), on [-1, 1].
        nfe: forward passes of the prior so far, for each sample.
        vjp: how many of them were followed by a backward pass.
        measure: what `residual` is computed by, when somebody asks for it: few do at every step.
    """

    index: int
    total: int
    sigma: float
    x: Tensor
    x0_hat: Tensor
    nfe: int
    vjp: int
    measure: Callable[[Tensor], Tensor] = field(repr=False, compare=False)

    @cached_property
    def residual(self) -> Tensor:
        """Root mean square of y - A(x0_hat) over what was measured, (B,), in the units of y."""
        with torch.no_grad():
            return self.measure(self.x0_hat)

    def __getstate__(self) -> dict[str, Any]:
        # A copy in another process has the residual, and not the whole run by which it was computed.
        return {**vars(self), "residual": self.residual, "measure": None}


LIMIT = 1e6
"""Clean images lie on [-1, 1] and noise levels end at 200: whatever grows beyond this has diverged."""


UNWEIGHED = "It does not weigh by the noise level: its own parameters say how closely it follows the measurement."

BACKWARD_COST = 1.4
"""A backward pass takes about as long as this many forward passes."""

Frame = tuple[float, Tensor, Tensor]
"""What a solver's own loop shows: sigma, x, x0_hat."""

Frames = Generator[Frame | Call, Answer | None, None]
"""A solver's own loop: it yields frames, and by `yield from run.denoise(...)` calls of the network."""

Process = Generator[Step | Call, Answer | None, None]
"""A run that leaves calls of the network to its driver, which sends the answers."""


def gradient_cost(forwards: int, gradients: int, jacobian: str) -> tuple[int, int]:
    """`Solver.cost` of a run with so many forward passes, of which so many go on to a gradient."""
    return (forwards, gradients) if jacobian == "exact" else (forwards + gradients, 0)


@dataclass(frozen=True)
class Solver(Parameters):
    """Base of every solver. An instance is its hyper-parameters; a new solver is a subclass with a loop `frames`.

    Attributes:
        name, title, summary, group: as in `Parameters`.
        source: the paper, and after a semicolon what of it is a reconstruction.
        paper: its address; empty for none.
        linear_only: it needs a linear operator.
        uses_sigma_y: it weighs the measurement by its noise level.
        unstable: the parameter that a diverging run should lower; empty when no parameter helps.
    """

    source: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    linear_only: ClassVar[bool] = False
    uses_sigma_y: ClassVar[bool] = True
    unstable: ClassVar[str] = "step_size"

    steps: int = steps_field(100)
    schedule: str = schedule_field("karras")
    sigma_max: float = sigma_max_field(10.0)
    sigma_min: float = sigma_min_field(0.01)

    @classmethod
    def remark(cls) -> str:
        """Where it is from, and what to know before using it."""
        return cls.source if cls.uses_sigma_y else f"{cls.source}. {UNWEIGHED}"

    @abstractmethod
    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        """The algorithm. Runs without autograd; yields after every update, the last time with the result as x0_hat.

        Args:
            run: prior, measurement and randomness.
            sigmas: the noise levels, the largest first, and 0 at the end.
        """

    @property
    def total(self) -> int:
        """How many frames a run has: one a noise level, unless a solver says otherwise."""
        return self.steps

    @property
    def cost(self) -> tuple[int, int]:
        """Forward passes of the whole run, and how many of them are followed by a backward pass."""
        return self.total, 0

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
            CapacityError: memory ran out; the sentence names a size that fits, and what the run held is free again.
        """
        return driven(self.process(denoiser, operator, y, sigma_y, generators), denoiser)

    @torch.inference_mode(False)
    @torch.no_grad()  # on a generator these hold only while the generator runs, not while its caller does
    def process(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[torch.Generator],
    ) -> Process:
        """`solve` without its calls of the network, which it yields among the steps: `answer` makes several as one.

        Where the memory does not suffice for a call, its answer is None.
        """
        if self.linear_only and not operator.linear:
            able = ", ".join(name for name, solver in SOLVERS.items() if not solver.linear_only)
            raise ProblemError(f"{self.title} needs a linear task. Choose one of these solvers: {able}.")
        failed = False
        try:
            yield from self._steps(denoiser, operator, y, sigma_y, generators)
        except (RuntimeError, MemoryError) as error:
            if not memory.exhausted(error):
                raise
            failed = True
        if failed:  # only here has the error gone, with the frames and tensors that it held
            raise memory.refusal(denoiser, tuple(operator.image_shape[-2:]), len(generators), self.cost[1] > 0)

    def _steps(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[torch.Generator],
    ) -> Iterator[Step]:
        run = Run(denoiser, operator, y, sigma_y, generators)
        high = min(self.sigma_max, denoiser.sigma_max)
        # A last level far above the measurement's own noise would smooth away what the measurement knows.
        low = min(max(min(self.sigma_min, 2 * sigma_y), denoiser.sigma_min), high)
        sigmas = [*noise_levels(self.schedule, self.steps, high, low), 0.0]
        frames, reply, index, last = self.frames(run, sigmas), None, 0, None
        while True:
            try:
                item, reply = frames.send(reply), None
            except StopIteration:
                return
            if isinstance(item, Call):
                reply = yield item
                if reply is None:
                    raise MemoryError
                continue
            (sigma, x, x0_hat), index = item, index + 1
            if not _bounded(x, x0_hat):
                raise DivergenceError(f"{self.title} stopped at step {index} of {self.total}: {self._cause(run)}", last)
            last = Step(index, self.total, sigma, x, x0_hat, run.nfe, run.vjp, run.residual)
            yield last

    def _cause(self, run: Run) -> str:
        """Why values left every bound, and what to do about it."""
        if run.denoised and _bounded(run.denoised[0]) and not torch.isfinite(run.denoised[1]).all():
            return (
                "the prior returned a value that is not finite. Take more steps; if that does not help, the precision "
                "float32 or another prior may, on the command line and in Python."
            )
        remedy = (
            f"Lower {self.unstable}, which is {getattr(self, self.unstable):g}, or take" if self.unstable else "Take"
        )
        return f"it diverged, and its values left every bound. {remedy} more steps."


def _bounded(*images: Tensor) -> bool:
    # Also false for NaN, which no comparison accepts. The device is waited for once.
    extremes = torch.stack([extreme for x in images for extreme in torch.aminmax(x)])
    return bool((extremes.abs() < LIMIT).all())


SOLVERS: Registry[type[Solver]] = Registry("solver")
