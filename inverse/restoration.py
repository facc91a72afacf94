"""The one entry: photo -> problem -> stream of steps -> result."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from inverse import randomness
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED as EMBEDDED_KIND
from inverse.denoisers.catalog import load_prior
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images, masks
from inverse.operators import TASKS, Task, noise
from inverse.parameters import Integer, named
from inverse.results.problem import Problem, Result
from inverse.solvers import Solver, Step, presets
from inverse.solvers.calls import Pause
from inverse.solvers.defaults import default_solver
from inverse.solvers.keeping import all_kept

SEED = Integer(
    help="Seed of everything random; on one machine the same seed gives the same result.", low=0, high=2**32 - 1
)
SAMPLES = Integer(
    low=1, high=64, help="How many restorations to draw, each with randomness of its own.",
    effect="One shows no doubt; several show where the image is guessed, and take as many times longer.",
)  # fmt: skip
SIZE = Integer(help="Shorter side to which the photo is resized.", low=8, high=2048, unit="pixels")


def make_task(task: str | Task, parameters: Mapping[str, Any] | None = None) -> Task:
    """A task by name, with some of its parameters set.

    Raises:
        ParameterError: the name or a parameter is unknown, or a value is out of its range.
    """
    parameters = named(parameters, "task")
    return task.replace(**parameters) if isinstance(task, Task) else TASKS.find(task).create(parameters)


def make_solver(
    solver: str | Solver | None, task: Task, parameters: Mapping[str, Any] | None = None, kind: str = EMBEDDED_KIND
) -> Solver:
    """A solver by name at its preset for the task, with some of its parameters set; the task's default when None.

    Presets are those for the kind of prior, see `Denoiser.kind`.

    Raises:
        ParameterError: the name or a parameter is unknown, or a value is out of its range.
    """
    if isinstance(solver, Solver):
        return solver.replace(**named(parameters, "solver"))
    return presets.preset(task.name, default_solver(task.name) if solver is None else solver, parameters, kind)


@torch.inference_mode(False)  # whose tensors no solver could differentiate
def degrade(
    photo: images.Photo,
    task: str | Task,
    *,
    task_parameters: Mapping[str, Any] | None = None,
    sigma_y: float = 0.05,
    photons: float | None = None,
    auxiliary: images.Photo | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Problem:
    """Degrades a clean photo, so that a restoration can be compared with the truth.

    Args:
        photo: the clean photo; its center is cropped to sides that the task can deal with.
        task: name of a task, or a task.
        task_parameters: parameters of the task that differ from its defaults.
        sigma_y: standard deviation of the Gaussian noise to add, for pixels on [-1, 1].
        photons: count photons too, that many at white; the problem's sigma_y then stands for both kinds of noise.
        auxiliary: the picture that some tasks need: a mask, white where the photo is missing, or a blur kernel.
        size: resize the photo to this shorter side first.
        seed: of everything that the task draws at random, and of the noise.

    Raises:
        ImageError: a picture cannot be read.
        ParameterError: a parameter is unknown or out of its range.
        ProblemError: task and photo do not fit.
    """
    task = make_task(task, task_parameters)
    sigma_y, seed = noise.SIGMA_Y.check("sigma_y", sigma_y), SEED.check("seed", seed)
    size = size if size is None else SIZE.check("size", size)
    truth = images.to_tensor(images.fit(images.load(photo), size, task.multiple))
    generator = randomness.generator(seed, randomness.MEASUREMENT)
    operator = task.operator(tuple(truth.shape[1:]), generator, _auxiliary(task, auxiliary, truth.shape[-2:]))
    photons = photons if photons is None else noise.PHOTONS.check("photons", photons)
    y = noise.measure(truth, operator, sigma_y, photons, generator)
    if photons is not None:
        sigma_y = math.hypot(sigma_y, noise.equivalent_sigma_y(y, photons, operator))
    return Problem(task, operator, y, sigma_y, truth)


@torch.inference_mode(False)
def measured(
    photo: images.Photo,
    task: str | Task,
    *,
    task_parameters: Mapping[str, Any] | None = None,
    sigma_y: float | None = None,
    auxiliary: images.Photo | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Problem:
    """Takes a photo as the measurement that it is: already degraded, in the way that the task says.

    Args:
        photo: the degraded photo; its pixels are y.
        task, task_parameters, auxiliary, size, seed: as in `degrade`.
        sigma_y: standard deviation of the noise in it, for pixels on [-1, 1]; estimated when None.

    Raises:
        ImageError, ParameterError, ProblemError: as in `degrade`.
    """
    task = make_task(task, task_parameters)
    seed = SEED.check("seed", seed)
    size = size if size is None else SIZE.check("size", size)
    loaded = images.load(photo)
    if task.auxiliary == "mask" and auxiliary is not None and size is not None:
        auxiliary = task.load(auxiliary)
        loaded = masks.filled(loaded, auxiliary)
    picture = images.to_tensor(images.fit(loaded, size))
    sigma_y = sigma_y if sigma_y is None else noise.SIGMA_Y.check("sigma_y", sigma_y)
    height, width = task.image_shape(tuple(picture.shape[-2:]))
    generator = randomness.generator(seed, randomness.MEASUREMENT)
    operator = task.operator((3, height, width), generator, _auxiliary(task, auxiliary, (height, width)))
    y = operator.measurement_of(picture)
    return Problem(task, operator, y, noise.estimate(y, operator) if sigma_y is None else sigma_y, None)


def _auxiliary(task: Task, picture: images.Photo | None, size: tuple[int, int]) -> Tensor | None:
    if picture is None:
        return None
    if not task.auxiliary:
        takers = ", ".join(name for name, kind in TASKS.items() if kind.auxiliary)
        raise ProblemError(f"The task {task.name} takes no mask or kernel. Leave it out, or choose one of {takers}.")
    return task.prepare(task.load(picture), size)


def stream(
    problem: Problem,
    solver: str | Solver | None = None,
    denoiser: Denoiser | str | None = None,
    *,
    solver_parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    samples: int = 1,
    pauses: bool = False,
) -> Iterator[Step | Pause]:
    """Restores step by step; close the generator to stop.

    Args:
        problem: from `degrade` or `measured`.
        solver: name of a solver, at its preset for the task; or a solver; the task's default when None.
        denoiser: the prior, or its name as `load_prior` takes it; the embedded one when None.
        solver_parameters: parameters of the solver that differ from the preset.
        seed: of the solver's randomness. On a CPU the same machine, versions and number of threads give the same bytes,
            and sample i does not depend on how many there are, or on what runs beside it. On a GPU samples and runs
            share batches, so that this holds to rounding, which a run may magnify.
        samples: how many restorations to draw.
        pauses: as in `Solver.solve`.

    Raises:
        ParameterError, ProblemError: before the first step.
        DivergenceError: at the step in which a value stops being finite.
    """
    seed, samples = SEED.check("seed", seed), SAMPLES.check("samples", samples)
    generators = [randomness.generator(seed, randomness.SOLVER, sample) for sample in range(samples)]
    if not isinstance(denoiser, Denoiser):
        denoiser = load_prior("embedded" if denoiser is None else denoiser)
    solver = make_solver(solver, problem.task, solver_parameters, denoiser.kind)
    steps = solver.solve(denoiser, problem.operator, problem.y, problem.sigma_y, generators, pauses)
    return all_kept(steps, problem.operator, problem.y) if problem.keeps_known else steps


def restore(
    photo: images.Photo,
    task: str | Task | None = None,
    solver: str | Solver | None = None,
    *,
    degraded: bool = False,
    task_parameters: Mapping[str, Any] | None = None,
    solver_parameters: Mapping[str, Any] | None = None,
    sigma_y: float | None = None,
    photons: float | None = None,
    auxiliary: images.Photo | None = None,
    size: int | None = None,
    seed: int = 0,
    samples: int = 1,
    denoiser: Denoiser | str | None = None,
) -> Result:
    """Restores a photo: `restore("photo.jpg", "super-resolution", degraded=True).image.save("out.png")`.

    Args:
        photo: the photo.
        task, solver: names, or instances. Without a task a degraded photo is denoised, which assumes least, and a clean
            one loses random pixels; without a solver the task has its default one.
        degraded: the photo is already degraded, in the way that the task says; otherwise it is clean, and degraded
            here first, so that the result can be compared with it.
        task_parameters, solver_parameters: what differs from the defaults and the preset.
        sigma_y: standard deviation of the noise for pixels on [-1, 1]; when None it is estimated in a degraded photo,
            and 0.05 for a clean one.
        photons: for a clean photo: count photons too, that many at white.
        auxiliary: the picture that some tasks need: a mask, white where the photo is missing, or a blur kernel.
        size: resize the photo to this shorter side first.
        seed: the same seed gives the same result, see `stream`.
        samples: how many restorations to draw.
        denoiser: the prior, or its name as `load_prior` takes it; the embedded one when None.

    Raises:
        InverseError: with a sentence on the cause and the remedy.
    """
    settings = {"task_parameters": task_parameters, "auxiliary": auxiliary, "size": size, "seed": seed}
    task = presets.default_task(degraded) if task is None else task
    if degraded:
        if photons is not None:
            raise ParameterError("photons is for a clean photo, which is degraded here. Leave it out, or give sigma_y.")
        problem = measured(photo, task, sigma_y=sigma_y, **settings)
    else:
        sigma_y = 0.05 if sigma_y is None else sigma_y
        problem = degrade(photo, task, sigma_y=sigma_y, photons=photons, **settings)
    start = time.perf_counter()
    steps = stream(problem, solver, denoiser, solver_parameters=solver_parameters, seed=seed, samples=samples)
    (last,) = deque(steps, maxlen=1)
    return Result(problem, last, time.perf_counter() - start)
