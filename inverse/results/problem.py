"""What is to be solved, and what came of it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import partial
from typing import Literal, overload

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.errors import ProblemError
from inverse.imaging import images, metrics
from inverse.operators import Operator, Task, noise
from inverse.operators.chain import Chain
from inverse.operators.selection import Selection
from inverse.solvers import Solver, Step
from inverse.solvers.calls import Pause, Process, driven
from inverse.solvers.step import unchanged

NOISELESS = 1e-3
"""Least noise by which a residual is measured."""


@dataclass(frozen=True)
class Problem:
    """What is to be solved.

    Attributes:
        task: what was done to the photo.
        operator: A.
        y: the measurement, (1, *measurement_shape), or one a sample, (B, *measurement_shape).
        sigma_y: standard deviation of its noise, on [-1, 1].
        truth: the clean image (1 or B, 3, H, W), None when nobody knows it.
        strength: how much of a restoration is kept, on [0, 1]; the rest is the measurement, as a picture.
        place: row and column of the image in a larger one of which this is a part, whose parts share their noise; None
            where it is whole.
    """

    task: Task
    operator: Operator
    y: Tensor
    sigma_y: float
    truth: Tensor | None
    strength: float = 1.0
    place: tuple[int, int] | None = None

    @property
    def keeps_known(self) -> bool:
        """Whether results have the known pixels exactly as they were."""
        return self.task.keeps_known(self.sigma_y, degraded=self.truth is None)

    def process(self, solver: Solver, denoiser: Denoiser, seed: int = 0, samples: int = 1) -> Process:
        """A run of a solver on it, which leaves calls of the network to its driver; see `Solver.process`.

        Sample i depends on the seed and on i alone. Where known pixels are kept, they are so in every step's `x0_hat`,
        whose residual stays that of the solver's own estimate.

        Raises:
            ProblemError: the solver needs a prior that looks at the measurement, and this one does not.
        """
        if solver.needs_estimator and not denoiser.conditional:
            raise ProblemError(
                f"{solver.title} needs a conditional estimator, and this prior does not look at the measurement. "
                "Set the estimator's weight above 0, or choose another solver."
            )
        if denoiser.conditional and isinstance(self.task, Chain):
            raise ProblemError(
                "A conditional estimator has learned single damages, and these are several. Set its weight to 0, or "
                "choose a solver that needs none."
            )
        generators = [randomness.generator(seed, randomness.SOLVER, sample) for sample in range(samples)]
        if self.place is not None:
            generators = [randomness.Field(seed, *self.place, randomness.SOLVER, sample) for sample in range(samples)]
        finish = unchanged
        if self.keeps_known and isinstance(self.operator, Selection):
            finish = partial(self.operator.keep, y=self.y)
        elif self.strength < 1:
            finish = partial(mixed, self.operator, self.y, self.strength)
        return solver.process(denoiser, self.operator, self.y, self.sigma_y, generators, finish)

    @overload
    def steps(
        self, solver: Solver, denoiser: Denoiser, seed: int = 0, samples: int = 1, pauses: Literal[False] = False
    ) -> Generator[Step, None, None]: ...
    @overload
    def steps(
        self, solver: Solver, denoiser: Denoiser, seed: int = 0, samples: int = 1, *, pauses: bool
    ) -> Generator[Step | Pause, None, None]: ...
    def steps(
        self, solver: Solver, denoiser: Denoiser, seed: int = 0, samples: int = 1, pauses: bool = False
    ) -> Generator[Step | Pause, None, None]:
        """The same run, its calls answered one by one; pauses and errors as in `Solver.solve`."""
        return driven(self.process(solver, denoiser, seed, samples), denoiser, pauses)

    @property
    def measurement(self) -> Image.Image:
        """The measurement as a picture."""
        return images.to_image(self.operator.preview(self.y))

    def relative_residual(self, step: Step) -> float:
        """The residual of a step, the mean over its samples, in units of what noise leaves: 1 on average for the truth.

        The unit is sigma_y; where A rounds or clips what is noisy, the root mean square of what such noise changes in
        the measurement of the first sample. At least 0.001: no picture fits better than its rounding.
        """
        x0_hat = torch.nan_to_num(step.x0_hat[:1].detach()).to(self.y)
        unit = float(noise.left_by(x0_hat, self.operator, self.sigma_y))
        return float(step.residual.mean()) / max(unit, NOISELESS)


def mixed(operator: Operator, y: Tensor, strength: float, x: Tensor) -> Tensor:
    """Images x (B, 3, H, W) with the measurement mixed in: strength x + (1 - strength) y, enlarged where it is smaller.

    Where nothing is measured, x stays.

    Raises:
        ProblemError: what is measured is no picture.
    """
    if not operator.measures_pictures:
        raise ProblemError(
            "What this task measures is no picture, so that nothing of it can be mixed in. Set the strength to 1."
        )
    before = operator.preview(y).to(x)
    if before.shape[-2:] != x.shape[-2:]:
        before = F.interpolate(before, size=x.shape[-2:], mode="bicubic", align_corners=False).clamp(-1, 1)
    planes = operator.as_pictures(y)
    if planes.shape[-2:] == x.shape[-2:]:
        before = torch.where(planes.isnan().any(1, keepdim=True).to(x.device), x, before)
    return before + strength * (x - before)


@dataclass(frozen=True)
class Result:
    """A restoration: what was solved, the last step, and how long the solver took."""

    problem: Problem
    step: Step
    seconds: float

    @property
    def images(self) -> list[Image.Image]:
        """One picture a sample."""
        return [images.to_image(x) for x in self.step.x0_hat]

    @property
    def image(self) -> Image.Image:
        """The first sample's picture."""
        return self.images[0]

    @property
    def psnr(self) -> list[float]:
        """PSNR of each sample in dB; empty without a truth."""
        return [] if self.problem.truth is None else [metrics.psnr(x, self.problem.truth[0]) for x in self.step.x0_hat]

    @property
    def ssim(self) -> list[float]:
        """SSIM of each sample; empty without a truth."""
        return [] if self.problem.truth is None else [metrics.ssim(x, self.problem.truth[0]) for x in self.step.x0_hat]
