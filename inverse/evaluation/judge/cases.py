"""What solvers are judged on: measurements of Gaussian fields, with everything that is known about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.exact import GaussianField
from inverse.denoisers.posterior import GaussianPosterior
from inverse.errors import ParameterError
from inverse.operators import TASKS, Operator, Task
from inverse.operators.base import as_linear
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.parameters import Integer

SIZE = Integer(
    help="Side of the square images. The exact posterior is dense algebra: its time grows with the sixth power of it.",
    low=8,
    high=64,
    unit="pixels",
)
MEASUREMENTS = Integer(help="How many images are measured, each with noise of its own.", low=1, high=64)

DEFAULT_SIZE, DEFAULT_MEASUREMENTS = 24, 4

COLOURS = torch.tensor([[1.0, 0.9, 0.7], [0.9, 1.0, 0.9], [0.7, 0.9, 1.0]], dtype=torch.float64)
"""Correlation of red, green and blue: neighbours on the spectrum are alike, as in photographs."""

NEGLIGIBLE = 1e-6
"""A pixel whose posterior std is a smaller share of the prior's is known: there is no interval to cover."""


@dataclass(frozen=True)
class JudgeTask:
    """A task of the registry, with the parameters at which it is judged.

    Attributes:
        task: its name in the registry.
        parameters: what differs from its defaults.
        about: what is hard about it.
        colours: correlation of the channels, (C, C); None for a grey image.
        needs_noise: without noise y tells everything, but so faintly that no posterior can be computed.
    """

    task: str
    parameters: Mapping[str, Any]
    about: str
    colours: Tensor | None = None
    needs_noise: bool = False


JUDGE_TASKS = {
    "inpainting": JudgeTask(
        "inpaint-box", {"box_height": 24 / 64, "box_width": 24 / 64}, "a hole, about which only the prior knows"
    ),
    "random": JudgeTask("inpaint-random", {"missing": 0.7}, "70 % of the pixels are missing, here and there"),
    "compressed": JudgeTask("compressed-sensing", {"ratio": 0.25}, "a quarter as many random mixtures as pixels"),
    "blur": JudgeTask(
        "deblur-gaussian", {"std": 2.0, "edges": "circular"}, "fine detail is lost everywhere", needs_noise=True
    ),
    "strong-blur": JudgeTask(
        "deblur-gaussian", {"std": 4.0}, "little is left, and edges reflect as the prior does not", needs_noise=True
    ),
    "super-resolution": JudgeTask("super-resolution", {"factor": 4}, "means of 4x4 blocks"),
    "colour": JudgeTask("colorize", {"weights": "luma"}, "brightness only, of correlated colours", COLOURS),
}


@dataclass(frozen=True)
class Case:
    """Measurements of several images by one operator, with everything that is known about them.

    Attributes:
        prior: the Gaussian field.
        task: what was measured.
        operator: H.
        sigma_y: standard deviation of the noise.
        truths: the images that were measured, (M, C, H, W).
        y: (M, *measurement_shape).
        posterior: of each of them; its covariance is the same for all.
        means: of the posterior, which are the MAP estimates too, (M, C, H, W).
    """

    prior: GaussianField
    task: Task
    operator: Operator
    sigma_y: float
    truths: Tensor
    y: Tensor
    posterior: GaussianPosterior
    means: Tensor

    @cached_property
    def std(self) -> float:
        """RMS standard deviation of the posterior."""
        return self.posterior.std.square().mean().sqrt().item()

    @cached_property
    def doubtful(self) -> Tensor:
        """Pixels that y leaves in doubt, a mask (C, H, W)."""
        return self.posterior.std > NEGLIGIBLE * self.prior.data_std

    @cached_property
    def independent(self) -> float:
        """As how many independent numbers the mean square of a posterior error counts: (sum l)^2 / sum l^2.

        l are the eigenvalues of the covariance; the variance of that mean square, relative, is 2 / independent.
        """
        covariance = self.posterior.covariance
        return (covariance.trace() ** 2 / covariance.square().sum()).item()

    @cached_property
    def independent_pixels(self) -> float:
        """The same for an even function of every doubtful pixel's error in its own units: P^2 / sum of rho^2.

        Even functions of two Gaussians of correlation rho correlate by rho^2 at most (Gebelein 1941).
        """
        chosen = self.doubtful.flatten()
        std = self.posterior.std.flatten()[chosen]
        rho = self.posterior.covariance[chosen][:, chosen] / (std[:, None] * std)
        return (len(std) ** 2 / rho.square().sum()).item()

    def residual(self, x: Tensor) -> float:
        """RMS of y - H x over what was measured, x of shape (M, n, C, H, W).

        In units of sigma_y, and in those of y where sigma_y is 0.
        """
        measured = self.operator(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        square = (self.y[:, None] - measured).flatten(2).square().sum(2) / self.operator.entries
        return square.mean().sqrt().item() / (self.sigma_y or 1.0)


@lru_cache(maxsize=8)
def case(
    task: str,
    sigma_y: float = DEFAULT_SIGMA_Y,
    seed: int = 0,
    size: int = DEFAULT_SIZE,
    measurements: int = DEFAULT_MEASUREMENTS,
) -> Case:
    """The judge's measurements for a key of `JUDGE_TASKS`, in float64 on the CPU.

    Raises:
        ParameterError: there is no such task.
        ProblemError: with so little noise the posterior cannot be computed.
    """
    judged = find(task)
    shape = (1 if judged.colours is None else len(judged.colours), size, size)
    prior = GaussianField(shape, colours=judged.colours)
    generator = randomness.generator(seed, randomness.MEASUREMENT)
    made = TASKS.find(judged.task).create(judged.parameters)
    operator = as_linear(made.operator(shape, generator, None)).to("cpu", torch.float64)
    posterior = GaussianPosterior(prior, operator, sigma_y)
    truths = prior.sample(generator, measurements)
    noise = torch.randn(measurements, *operator.measurement_shape, generator=generator, dtype=torch.float64)
    y = operator.project(operator(truths) + sigma_y * noise)
    return Case(prior, made, operator, sigma_y, truths, y, posterior, posterior.mean(y))


def find(task: str) -> JudgeTask:
    """The task of that key; ParameterError when there is none."""
    if task not in JUDGE_TASKS:
        raise ParameterError(f"{task!r} is not a task of the judge. Available: {', '.join(JUDGE_TASKS)}.")
    return JUDGE_TASKS[task]
