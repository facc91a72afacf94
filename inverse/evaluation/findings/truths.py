"""What solvers are held to: a measurement whose posterior is known exactly, or an estimator that stands for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.denoisers.exact import Exact, GaussianField, GaussianMixture
from inverse.denoisers.posterior import GaussianPosterior
from inverse.errors import ParameterError
from inverse.evaluation.findings.posterior import Conditional, Posterior
from inverse.operators import TASKS
from inverse.operators.base import LinearOperator, as_linear
from inverse.results.problem import Problem


@dataclass(frozen=True)
class Truth:
    """One measurement, and what is known about what may be behind it.

    Attributes:
        kind: what made it.
        task: key of the kind's tasks.
        prior: D, which knows nothing of y.
        reference: D_y, which others are compared with, as a conditional denoiser.
        problem: the measurement; its truth is the image that was measured.
        posterior: exactly; None where the reference is learned.
        draw: makes images of p(x0 | y), exactly or as well as the reference can, (count, C, H, W).
        prepare: does what of that takes long, for so many, and yields now and then.
    """

    kind: TruthKind
    task: str
    prior: Denoiser
    reference: Denoiser
    problem: Problem
    posterior: Posterior | None
    draw: Callable[[torch.Generator, int], Tensor]
    prepare: Callable[[int], Iterable[None]] = lambda _: ()

    @property
    def plane(self) -> bool:
        """Whether its images are points of the plane, which can be drawn."""
        return self.problem.operator.image_shape == (1, 1, 2)

    @property
    def words(self) -> str:
        """Where a finding holds: the beginning of its sentence."""
        return f"On {self.kind.called} ({self.kind.tasks[self.task].about})"


@dataclass(frozen=True)
class TruthTask:
    """A task of the registry with the parameters at which it is asked; and what is known afterwards, in words."""

    task: str
    parameters: Mapping[str, Any]
    about: str


@dataclass(frozen=True)
class TruthKind:
    """A kind of truth.

    Attributes:
        title: in menus.
        called: in sentences.
        tasks: by key.
        sigma_y: of the measurement, on [-1, 1].
        sigma_max: where the reverse process begins: noise beside which nothing of the prior is left.
        points, samples: images at each noise level, and restorations of each solver, that tell enough; no samples are
            drawn where they would take many minutes.
        seconds: what a pass through the prior for all of them takes on a usual machine, about.
        make: builds one of a task's key and a seed.
        levels: noise levels at which scores are compared.
        pairs: of noise over which a step's end is averaged; the mean over all points makes the rest of it sure.
        reference_steps: of the sampler with the reference score: so many that they do nothing wrong, if possible.
    """

    title: str
    called: str
    tasks: Mapping[str, TruthTask]
    sigma_y: float
    sigma_max: float
    points: int
    samples: int
    make: Callable[[TruthKind, str, int], Truth]
    seconds: float = 1e-3
    levels: int = 10
    pairs: int = 4
    reference_steps: int = 1000


@lru_cache(maxsize=8)
def truth(kind: str, task: str, seed: int = 0) -> Truth:
    """A truth by name; the same one every time.

    Raises:
        ParameterError: there is no such truth, or it has no such task.
    """
    if kind not in TRUTHS:
        raise ParameterError(f"{kind!r} is no truth that is known here. Available: {', '.join(TRUTHS)}.")
    found = TRUTHS[kind]
    if task not in found.tasks:
        raise ParameterError(f"{task!r} is no task of this truth. Available: {', '.join(found.tasks)}.")
    return found.make(found, task, seed)


def _exact(kind: TruthKind, task: str, prior: Exact, mixture: GaussianMixture, problem: Problem) -> Truth:
    """A truth whose posterior is the mixture."""
    posterior = Posterior(mixture)
    return Truth(kind, task, prior, Conditional(mixture), problem, posterior, posterior.sample)


def _operator(kind: TruthKind, task: str, shape: tuple[int, ...], seed: int) -> tuple[Any, LinearOperator]:
    asked = kind.tasks[task]
    made = TASKS.find(asked.task).create(asked.parameters)
    generator = randomness.generator(seed, randomness.MEASUREMENT)
    return made, as_linear(made.operator(shape, generator, None)).to("cpu", torch.float64)


def _field(kind: TruthKind, task: str, seed: int) -> Truth:
    prior = GaussianField((1, SIDE, SIDE))
    made, operator = _operator(kind, task, prior.image_shape, seed)
    generator = randomness.generator(seed, randomness.MEASUREMENT, 1)
    x0 = prior.sample(generator)
    y = _measured(operator, x0, kind.sigma_y, generator)
    known = GaussianPosterior(prior, operator, kind.sigma_y)
    mixture = GaussianMixture(known.mean(y), known.covariance[None])
    return _exact(kind, task, prior, mixture, Problem(made, operator, y, kind.sigma_y, x0))


def _modes(kind: TruthKind, task: str, seed: int) -> Truth:
    """Six round spots on a circle. The measurement is fixed, so that the figure is: (0.1, .) is seen."""
    angles = torch.deg2rad(torch.arange(6, dtype=torch.float64) * 60 + 40)
    means = RADIUS * torch.stack([angles.cos(), angles.sin()], 1)
    prior = GaussianMixture(means.reshape(6, 1, 1, 2), torch.full((6,), SPOT**2, dtype=torch.float64))
    made, operator = _operator(kind, task, prior.image_shape, seed)
    x0 = torch.tensor([[[[0.1, -0.65]]]], dtype=torch.float64)
    y = operator(x0)
    problem = Problem(made, operator, y, kind.sigma_y, x0)
    return _exact(kind, task, prior, prior.posterior(operator, y, kind.sigma_y), problem)


def _pictures(kind: TruthKind, task: str, seed: int) -> Truth:
    """A disc, a ring, a bar or a cross, the more often the earlier, in soft clouds of grey."""
    texture = GaussianField((1, SHAPE_SIDE, SHAPE_SIDE), variance=0.01, corner=0.1).covariance()
    means = _shapes(SHAPE_SIDE)
    prior = GaussianMixture(means, texture.expand(len(means), -1, -1), torch.tensor([0.4, 0.3, 0.2, 0.1]))
    made, operator = _operator(kind, task, prior.image_shape, seed)
    generator = randomness.generator(seed, randomness.MEASUREMENT, 1)
    x0 = means[:1] + GaussianField((1, SHAPE_SIDE, SHAPE_SIDE), variance=0.01, corner=0.1).sample(generator)
    y = _measured(operator, x0, kind.sigma_y, generator)
    problem = Problem(made, operator, y, kind.sigma_y, x0)
    return _exact(kind, task, prior, prior.posterior(operator, y, kind.sigma_y), problem)


def _embedded(kind: TruthKind, task: str, seed: int) -> Truth:
    from inverse.evaluation.findings.learned import embedded  # a network, which no other truth needs

    return embedded(kind, task, seed)


def _measured(operator: LinearOperator, x0: Tensor, sigma_y: float, generator: torch.Generator) -> Tensor:
    noise = torch.randn(1, *operator.measurement_shape, generator=generator, dtype=torch.float64)
    return operator.project(operator(x0) + sigma_y * noise)


def _shapes(side: int) -> Tensor:
    """Four pictures (4, 1, side, side) that are alike near their edges."""
    place = (torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 - 1
    y, x = place[:, None], place[None, :]
    radius = (x.square() + y.square()).sqrt()
    inside = [radius < 0.55, (radius - 0.45).abs() < 0.18, (x.abs() < 0.2) & (y.abs() < 0.6), (x * y).abs() < 0.04]
    near = radius < 0.75
    return torch.stack([0.5 * (each & near).double() - 0.25 for each in inside])[:, None]


SIDE, SHAPE_SIDE = 16, 12
RADIUS, SPOT = 0.7, 0.12

BOX = TruthTask("inpaint-box", {"box_height": 0.5, "box_width": 0.5}, "a box is missing")
TRUTHS: dict[str, TruthKind] = {
    "modes": TruthKind(
        "Six spots in the plane", "six spots in the plane",
        {
            "inpainting": TruthTask(
                "inpaint-box", {"box_height": 0.9, "box_width": 0.5, "box_x": 1.0}, "one of two numbers is missing"
            ),
            "denoising": TruthTask("denoise", {}, "both numbers are seen through noise"),
        },
        sigma_y=0.1, sigma_max=10.0, points=512, samples=400, seconds=9e-4, make=_modes,
    ),
    "field": TruthKind(
        "Gaussian field", "a Gaussian field",
        {
            "inpainting": BOX,
            "random": TruthTask("inpaint-random", {"missing": 0.7}, "70 % of the pixels are missing"),
            "blur": TruthTask("deblur-gaussian", {"std": 1.5, "edges": "circular"}, "it is blurred"),
            "super-resolution": TruthTask("super-resolution", {"factor": 4}, "means of 4x4 blocks are seen"),
        },
        sigma_y=0.05, sigma_max=80.0, points=64, samples=64, seconds=1.5e-3, make=_field,
    ),
    "pictures": TruthKind(
        "Four small pictures", "four small pictures",
        {
            "inpainting": TruthTask("inpaint-box", {"box_height": 0.75, "box_width": 0.75}, "the middle is missing"),
            "blur": TruthTask("deblur-gaussian", {"std": 2.0, "edges": "circular"}, "it is blurred"),
            "super-resolution": TruthTask("super-resolution", {"factor": 4}, "means of 4x4 blocks are seen"),
        },
        sigma_y=0.1, sigma_max=20.0, points=64, samples=64, seconds=3e-3, make=_pictures,
    ),
    "embedded": TruthKind(
        "The embedded prior", "a photograph, with the embedded prior and its conditional estimator as reference",
        {
            "inpainting": BOX,
            "random": TruthTask("inpaint-random", {"missing": 0.7}, "70 % of the pixels are missing"),
            "blur": TruthTask("deblur-gaussian", {"std": 2.0}, "it is blurred"),
            "super-resolution": TruthTask("super-resolution", {"factor": 4}, "means of 4x4 blocks are seen"),
        },
        sigma_y=0.05, sigma_max=10.0, points=16, samples=0, seconds=0.6, make=_embedded, levels=6, pairs=1,
        reference_steps=20,
    ),
}  # fmt: skip
"""By name; the first is what the lab opens with."""
