"""What the visitor chose, checked by the library: the same `Settings` serve the preview, the run and, later, sweeps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from PIL import Image

from inverse import images, noise, randomness
from inverse.denoisers.catalog import best_device
from inverse.errors import ProblemError
from inverse.operators import TASKS, Task
from inverse.presets import DEFAULT_DEGRADED_TASK, DEFAULT_TASK, solvers_for
from inverse.restoration import SEED, Problem, degrade, make_solver, make_task, measured
from inverse.solvers import SOLVERS, Solver

SIZES = (128, 256, 384, 512)
DEFAULT_SIZE = 256
DEFAULT_SIGMA_Y = 0.05
CLEAN, DEGRADED = "clean", "degraded"


def max_side() -> int:
    """Longer side of the largest image that this machine restores for a visitor; APP_MAX_SIDE overrides it."""
    return int(os.environ.get("APP_MAX_SIDE") or (1024 if best_device() == "cpu" else 2048))


@dataclass(frozen=True)
class Settings:
    """One restoration, but for the photo.

    Attributes:
        degraded: the photo is already degraded.
        size: shorter side at which a clean photo is used; a degraded one keeps its own.
        task, solver: with their parameters.
        sigma_y: standard deviation of the noise, on [-1, 1].
        seed: of everything random.
    """

    degraded: bool
    size: int
    task: Task
    sigma_y: float
    solver: Solver
    seed: int

    @classmethod
    def create(
        cls,
        *,
        mode: str,
        size: int,
        task: str,
        task_parameters: Mapping[str, Any],
        sigma_y: Any,
        solver: str,
        solver_parameters: Mapping[str, Any],
        seed: Any,
    ) -> Settings:
        """Checks what came from the page.

        Raises:
            ParameterError: with a sentence that names the field and its range.
        """
        made = make_task(task, task_parameters)
        return cls(
            degraded=mode == DEGRADED,
            size=size,
            task=made,
            sigma_y=noise.SIGMA_Y.check("sigma_y", sigma_y),
            solver=make_solver(solver, made, solver_parameters),
            seed=SEED.check("seed", seed),
        )

    def problem(self, photo: Image.Image | None, auxiliary: Image.Image | None) -> Problem:
        """What is to be solved.

        Raises:
            ProblemError: there is no photo, or photo, task and auxiliary picture do not fit.
        """
        photo = chosen(photo)
        size = working_size(photo, self.task, None if self.degraded else self.size)
        make = measured if self.degraded else degrade
        return make(photo, self.task, sigma_y=self.sigma_y, auxiliary=auxiliary, size=size, seed=self.seed)

    def used(self, photo: Image.Image) -> Image.Image:
        """The part of the photo that is restored, at its working size."""
        size = working_size(photo, self.task, None if self.degraded else self.size)
        return images.fit(photo, size, 1 if self.degraded else self.task.multiple)

    @property
    def cost(self) -> str:
        """What the solver will cost, in words."""
        forward, backward = self.solver.cost
        text = f"{forward} network evaluations"
        return f"{text}, {backward} of them with a backward pass" if backward else text


def chosen(photo: Image.Image | None) -> Image.Image:
    if photo is None:
        raise ProblemError("There is no photo yet. Upload one, paste one, or choose an example.")
    return photo


def working_size(photo: Image.Image, task: Task, wanted: int | None) -> int | None:
    """The shorter side at which the photo is used, so that the restored image stays within `max_side`.

    Args:
        photo: as uploaded.
        task: enlarges an already degraded photo perhaps.
        wanted: the shorter side that was asked for; None for the photo's own size, which None also returns.
    """
    shorter, longer = sorted(photo.size)
    enlarged = max(task.image_shape((longer, longer))) / longer if wanted is None else 1
    largest = max(1, int(max_side() / enlarged * shorter / longer))
    if wanted is None:
        return None if shorter <= largest else largest
    return min(wanted, largest)


def estimated_noise(photo: Image.Image, task: Task) -> float:
    """sigma_y of an already degraded photo at its working size, to three digits."""
    picture = images.fit(photo, working_size(photo, task, None))
    return round(noise.estimate(images.to_tensor(picture)), 3)


@cache
def tasks_for(mode: str) -> list[tuple[str, str]]:
    """(title, name) of the tasks to offer."""
    return [(kind.title, name) for name, kind in TASKS.items() if mode == CLEAN or _can_have_happened(kind())]


def default_task(mode: str) -> str:
    """The task to start with; for a damaged photo the one that assumes least, and so harms least."""
    return DEFAULT_TASK if mode == CLEAN else DEFAULT_DEGRADED_TASK


def solver_choices(task: str) -> list[tuple[str, str]]:
    """(title, name) of the solvers that can deal with the task."""
    return [(SOLVERS[name].title, name) for name in solvers_for(task)]


def _can_have_happened(task: Task) -> bool:
    """Whether a photo that somebody has may be a measurement of this task.

    Not when the operator is drawn at random, since no photo was degraded by just that one, nor when what it measures
    is not a picture.
    """
    if task.auxiliary:
        return True
    generator = randomness.generator(0, randomness.MEASUREMENT)
    before = generator.get_state()
    operator = task.operator((3, *task.image_shape((64, 64))), generator, None)
    return generator.get_state().equal(before) and operator.measures_pictures
