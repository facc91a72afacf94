"""The contract of a solver: validated hyper-parameters that turn a measurement into a stream of `Step`s."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeVar, overload

import torch
from torch import Tensor

from inverse.denoisers import memory
from inverse.denoisers.base import Denoiser
from inverse.errors import DivergenceError, ProblemError
from inverse.operators.base import Operator, is_linear
from inverse.parameters import Integer, Parameters, Registry
from inverse.randomness import Source
from inverse.solvers.calls import Answer, Call, Computation, Pause, Process, advanced, driven
from inverse.solvers.fields import schedule_field, sigma_max_field, sigma_min_field, steps_field
from inverse.solvers.run import Run
from inverse.solvers.schedule import noise_levels
from inverse.solvers.step import Map, Step, unchanged

LIMIT = 1e6
"""Clean images lie on [-1, 1] and noise levels end at 200: whatever grows beyond this has diverged."""


UNWEIGHED = "It does not weigh by the noise level: its own parameters say how closely it follows the measurement."


Frame = tuple[float, Tensor, Tensor]
"""What a solver's own loop shows: sigma, x, x0_hat, both in the prior's own space; a `Step` makes pictures of them."""

T = TypeVar("T")
Stage = Generator[Frame | Call | Pause, Answer | None, T]
"""A part of a run: frames, and the calls between them; returns T."""
Frames = Stage[None]
"""A solver's own loop: it yields frames, by `yield from run.denoise(...)` calls of the network, and between two
pieces of work that needs none, by `yield from run.operator_call()`, pauses."""


def gradient_cost(forwards: int, gradients: int, jacobian: str) -> tuple[int, int]:
    """`Solver.cost` of a run with so many forward passes, of which so many go on to a gradient."""
    return (forwards, gradients) if jacobian == "exact" else (forwards + gradients, 0)


@dataclass(frozen=True)
class Solver(Parameters):
    """Base of every solver. An instance is its hyper-parameters; a new solver is a subclass with a loop `frames`.

    Attributes:
        name, title, summary, group: as in `Parameters`.
        source: the paper, and after a semicolon what of it is a reconstruction.
        paper: its address; empty for none. `papers` knows the rest of it.
        formula: what it is about, in LaTeX.
        linear_only: it needs a linear operator.
        proximal: where A has a proximal step in closed form, that is all it asks of the measurement: so it takes a
            linear task behind a decoder too, although `linear_only`, and no gradient of A.
        needs_svd: it works on single coefficients, and needs the operator's singular value decomposition.
        needs_estimator: nothing but the prior's estimate knows the measurement, so it must be one that looks at it; see
            `estimators`. `Problem.process` refuses others.
        uses_sigma_y: it weighs the measurement by its noise level.
        unstable: the parameter that a diverging run should lower; empty when no parameter helps.
        last_level: the last noise level is at most so many sigma_y.
        least_level: no noise level is below so many sigma_y, where steps would fit the measurement's noise only.
    """

    source: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    linear_only: ClassVar[bool] = False
    proximal: ClassVar[bool] = False
    needs_svd: ClassVar[bool] = False
    needs_estimator: ClassVar[bool] = False
    uses_sigma_y: ClassVar[bool] = True
    unstable: ClassVar[str] = "step_size"
    last_level: ClassVar[float] = 2.0
    least_level: ClassVar[float] = 0.0

    steps: int = steps_field(100)
    schedule: str = schedule_field("karras")
    sigma_max: float = sigma_max_field(10.0)
    sigma_min: float = sigma_min_field(0.01)

    @classmethod
    def remark(cls) -> str:
        """Where it is from, and what to know before using it."""
        return cls.source if cls.uses_sigma_y else f"{cls.source}. {UNWEIGHED}"

    @classmethod
    def able(cls, operator: Operator) -> bool:
        """Whether it can deal with an operator, on the space where it works."""
        if not is_linear(operator):
            return not cls.linear_only or (cls.proximal and operator.proximal)
        return operator.has_svd or not cls.needs_svd

    @classmethod
    def differentiates(cls, operator: Operator) -> bool:
        """Whether it takes gradients through an operator that is not linear, a decoder's among them."""
        return not (is_linear(operator) or (cls.proximal and operator.proximal))

    @classmethod
    def step_range(cls) -> tuple[int, int]:
        """The fewest `steps` and the most."""
        spec = cls.specs()["steps"]
        if not isinstance(spec, Integer):
            raise TypeError(f"the steps of {cls.__name__} are no whole number")
        return spec.low, spec.high

    @abstractmethod
    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        """The algorithm. Runs without autograd; yields after every update, the last time with the result as x0_hat.

        The noise levels have the largest first, and 0 at the end.
        """

    @property
    def total(self) -> int:
        """How many frames a run has: one a noise level, unless a solver says otherwise."""
        return self.steps

    @property
    def cost(self) -> tuple[int, int]:
        """Forward passes of the whole run, and how many of them are followed by a backward pass."""
        return self.total, 0

    @property
    def told(self) -> float:
        """The share of its calls that are told the measurement, by a prior that looks at it."""
        return 1.0

    def levels(self, sigma_y: float, sigma_min: float = 0.0, sigma_max: float = math.inf) -> list[float]:
        """The noise levels, the largest first, for a measurement's noise and the levels that a prior knows."""
        high = min(self.sigma_max, sigma_max)
        # A last level far above the measurement's own noise would smooth away what the measurement knows.
        low = max(min(self.sigma_min, self.last_level * sigma_y), self.least_level * sigma_y)
        return noise_levels(self.schedule, self.steps, high, min(max(low, sigma_min), high))

    @property
    def operator_calls(self) -> int:
        """Gradients through a non-linear A that a whole run takes without the network."""
        return 0

    @overload
    def solve(
        self, denoiser: Denoiser, operator: Operator, y: Tensor, sigma_y: float, generators: Sequence[Source],
        pauses: Literal[False] = False,
    ) -> Generator[Step, None, None]: ...  # fmt: skip
    @overload
    def solve(
        self, denoiser: Denoiser, operator: Operator, y: Tensor, sigma_y: float, generators: Sequence[Source],
        pauses: bool,
    ) -> Generator[Step | Pause, None, None]: ...  # fmt: skip
    def solve(
        self, denoiser: Denoiser, operator: Operator, y: Tensor, sigma_y: float, generators: Sequence[Source],
        pauses: bool = False,
    ) -> Generator[Step | Pause, None, None]:  # fmt: skip
        """Restores the image behind y, one sample a generator.

        A sample depends on its generator, not on the others: to the last bit where `denoiser.batches` is false, as on
        a CPU; to rounding where samples share batches, as on a GPU.

        Args:
            denoiser: the prior.
            operator: A.
            y: (1, *measurement_shape), or (B, *measurement_shape) with one measurement a sample.
            sigma_y: standard deviation of the noise in y, on [-1, 1].
            generators: one CPU generator a sample; the only source of randomness.
            pauses: also yield a `Pause` after every call of the network or of inner work, so that a caller can stop
                there, by closing this.

        Yields:
            `total` steps.

        Raises:
            ProblemError: the solver cannot deal with this operator, or the measurement does not fit it.
            DivergenceError: a value is not finite or beyond `LIMIT`; raised within the step in which it appeared.
            CapacityError: memory ran out; the sentence names a size that fits, and what the run held is free again.
        """
        return driven(self.process(denoiser, operator, y, sigma_y, generators), denoiser, pauses)

    @torch.inference_mode(False)
    @torch.no_grad()  # on a generator these hold only while the generator runs, not while its caller does
    def process(
        self,
        denoiser: Denoiser,
        operator: Operator,
        y: Tensor,
        sigma_y: float,
        generators: Sequence[Source],
        finish: Map = unchanged,
    ) -> Process:
        """`solve` without its calls of the network, which it yields among the steps: `answer` makes several as one.

        Where the memory does not suffice for a call, its answer is None. `finish` is that of all steps.
        """
        failed = False
        try:
            yield from self._restored(Run(denoiser, operator, y, sigma_y, generators), finish)
        except (RuntimeError, MemoryError) as error:
            if not memory.exhausted(error):
                raise
            failed = True
        if failed:  # only here has the error gone, with the frames and tensors that it held
            _, height, width = operator.image_shape
            through = self.differentiates(denoiser.lift(operator))
            raise memory.refusal(denoiser, (height, width), len(generators), self.cost[1] > 0, through)

    def _restored(self, run: Run, finish: Map) -> Process:
        if not self.able(run.operator):
            raise self._refusal(run)
        run.finish = finish
        at_once = run.denoiser.batches or len(run.generators) == 1
        return (yield from (self._steps if at_once else self._one_by_one)(run))

    def _refusal(self, run: Run) -> ProblemError:
        """What it lacks on the prior's own space, and which solvers do not."""
        need, lack = "a linear task", "this one is not linear"
        if is_linear(run.operator):
            need, lack = "the singular value decomposition of the task's operator", "none is known"
        where = " on this prior's own space" if self.able(run.pictures) else ""
        able = ", ".join(name for name, solver in SOLVERS.items() if solver.able(run.operator))
        return ProblemError(f"{self.title} needs {need}, and {lack}{where}. Choose one of these solvers: {able}.")

    def _one_by_one(self, run: Run) -> Process:
        """`_steps` of every sample by itself, in turn, so that no computation at all knows of the others."""
        last = None
        with ExitStack() as stack:
            samples = [run.alone(sample) for sample in range(len(run.generators))]
            processes = [stack.enter_context(closing(self._steps(each))) for each in samples]
            while True:
                steps = {}
                try:
                    for sample, process in enumerate(processes):
                        steps[sample] = yield from _next_step(process)
                except DivergenceError as error:
                    error.last = last
                    raise
                if steps[0] is None:  # the others have come to their end, too
                    return
                last = Step.together(list(steps.values()))
                yield last

    def _steps(self, run: Run) -> Process:
        sigmas = [*self.levels(run.sigma_y, run.denoiser.sigma_min, run.denoiser.sigma_max), 0.0]
        frames, reply, index, last = self.frames(run, sigmas), None, 0, None
        while (item := advanced(frames, reply)) is not None:
            if isinstance(item, Call | Pause):
                reply = yield item
                continue
            (sigma, x, x0_hat), reply, index = item, None, index + 1
            if not _bounded(x, x0_hat):
                raise DivergenceError(f"{self.title} stopped at step {index} of {self.total}: {self._cause(run)}", last)
            last = Step(
                index, self.total, sigma, x, x0_hat, run.nfe, run.vjp, run.residual, run.operator_calls,
                run.passes, run.lower, run.preview, run.finish,
            )  # fmt: skip
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


def _next_step(process: Process) -> Computation[Step | None]:
    """The next step of a run, whose calls are handed on; None at its end."""
    reply = None
    while isinstance(item := advanced(process, reply), Call | Pause):
        reply = yield item
    return item


def _bounded(*images: Tensor) -> bool:
    # Also false for NaN, which no comparison accepts. The device is waited for once.
    extremes = torch.stack([extreme for x in images for extreme in torch.aminmax(x)])
    return bool((extremes.abs() < LIMIT).all())


SOLVERS: Registry[type[Solver]] = Registry("solver")
