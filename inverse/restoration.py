"""The library's functions: a photo becomes a problem, a problem a stream of steps, and the last of them the result.

Each is a few words around `Settings`, which says what a run is.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal, overload

from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.pyramid import coarse
from inverse.estimators.catalog import estimated, guided
from inverse.fullsize import method
from inverse.fullsize.restore import FullSize, Restored, finished
from inverse.imaging import images, originals
from inverse.operators import Task, noise
from inverse.results.problem import Problem, Result
from inverse.settings import CLEAN, DEGRADED, SAMPLES, SEED, Settings
from inverse.solvers import Solver, Step
from inverse.solvers.calls import Pause
from inverse.solvers.presets import make_solver

Further = str | Task | Mapping[str, Any]
"""A further damage, as `then` takes it."""


def degrade(
    photo: images.Photo,
    task: str | Task,
    *,
    task_parameters: Mapping[str, Any] | None = None,
    then: Sequence[Further] = (),
    sigma_y: float = noise.DEFAULT_SIGMA_Y,
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
        then: what happens to the photo afterwards, in this order: names of tasks, tasks, or names with parameters as
            {"name": "jpeg", "parameters": {"quality": 30}}.
        sigma_y: standard deviation of the Gaussian noise to add, for pixels on [-1, 1].
        photons: count photons too, that many at white; the problem's sigma_y then stands for both kinds of noise.
        auxiliary: the picture that some tasks need: a mask, white where the photo is missing, a blur kernel, or
            strokes of colour.
        size: resize the photo to this shorter side first.
        seed: of everything that the task draws at random, and of the noise.

    Raises:
        ImageError: a picture cannot be read.
        ParameterError: a parameter is unknown or out of its range.
        ProblemError: task and photo do not fit.
    """
    settings = Settings.create(
        task=task, task_parameters=task_parameters, then=then, sigma_y=sigma_y, photons=photons, size=size,
        seed=seed,
    )  # fmt: skip
    return settings.problem(photo, auxiliary)


def measured(
    photo: images.Photo,
    task: str | Task,
    *,
    task_parameters: Mapping[str, Any] | None = None,
    then: Sequence[Further] = (),
    sigma_y: float | None = None,
    auxiliary: images.Photo | None = None,
    size: int | None = None,
    seed: int = 0,
) -> Problem:
    """Takes a photo as the measurement that it is: already degraded, in the way that the task says.

    Args:
        photo: the degraded photo; its pixels are y.
        task, task_parameters, then, auxiliary, size, seed: as in `degrade`.
        sigma_y: standard deviation of the noise in it, for pixels on [-1, 1]; estimated when None.

    Raises:
        ImageError, ParameterError, ProblemError: as in `degrade`.
    """
    settings = Settings.create(
        mode=DEGRADED, task=task, task_parameters=task_parameters, then=then, sigma_y=sigma_y, size=size,
        seed=seed,
    )  # fmt: skip
    return settings.problem(photo, auxiliary)


@overload
def stream(
    problem: Problem, solver: str | Solver | None = None, denoiser: Denoiser | str | None = None, *,
    solver_parameters: Mapping[str, Any] | None = None, seed: int = 0, samples: int = 1,
    pauses: Literal[False] = False,
) -> Generator[Step, None, None]: ...  # fmt: skip
@overload
def stream(
    problem: Problem, solver: str | Solver | None = None, denoiser: Denoiser | str | None = None, *,
    solver_parameters: Mapping[str, Any] | None = None, seed: int = 0, samples: int = 1, pauses: bool,
) -> Generator[Step | Pause, None, None]: ...  # fmt: skip
def stream(
    problem: Problem,
    solver: str | Solver | None = None,
    denoiser: Denoiser | str | None = None,
    *,
    solver_parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    samples: int = 1,
    pauses: bool = False,
) -> Generator[Step | Pause, None, None]:
    """Restores step by step; close the generator to stop.

    Args:
        problem: from `degrade` or `measured`.
        solver: name of a solver, at its preset for the task; or a solver; the task's default when None.
        denoiser: the prior as it is to be used, or its name as `load_prior` takes it, with its pyramid then; the
            embedded one when None. A solver that needs a conditional estimator gets the one that ships with it.
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
    named, denoiser = not isinstance(denoiser, Denoiser), _loaded(denoiser)
    estimator = denoiser.conditional or estimated(denoiser)
    solver = make_solver(solver, problem.task, solver_parameters, denoiser.kind, estimator)
    if solver.needs_estimator and not denoiser.conditional:
        denoiser = guided(denoiser, task=problem.task.name)
    denoiser = coarse(denoiser) if named else denoiser
    return problem.steps(solver, denoiser, seed, samples, pauses=pauses)


def restore(
    photo: images.Photo,
    task: str | Task | None = None,
    solver: str | Solver | None = None,
    *,
    degraded: bool = False,
    quality: str | None = None,
    task_parameters: Mapping[str, Any] | None = None,
    then: Sequence[Further] = (),
    solver_parameters: Mapping[str, Any] | None = None,
    sigma_y: float | None = None,
    photons: float | None = None,
    auxiliary: images.Photo | None = None,
    size: int | None = None,
    seed: int = 0,
    samples: int = 1,
    estimator_scale: float = 0.0,
    strength: float = 1.0,
    pyramid: bool = True,
    denoiser: Denoiser | str | None = None,
) -> Result:
    """Restores a photo: `restore("photo.jpg", "super-resolution", degraded=True).image.save("out.png")`.

    Args:
        photo: the photo.
        task, solver: names, or instances. Without a task a degraded photo is denoised, which assumes least, and a clean
            one loses random pixels; without a solver the task has its default one.
        degraded: the photo is already degraded, in the way that the task says; otherwise it is clean, and degraded
            here first, so that the result can be compared with it.
        quality: draft, standard, best or natural, in the place of a solver; see `solvers.qualities`.
        task_parameters, solver_parameters: what differs from the defaults and the preset.
        then: further damages, as in `degrade`. The solver is that of the one that weighs most, see
            `operators.chain.Chain`, and its preset is not tuned for several.
        sigma_y: standard deviation of the noise for pixels on [-1, 1]; when None it is estimated in a degraded photo,
            and 0.05 for a clean one.
        photons: for a clean photo: count photons too, that many at white.
        auxiliary, size: as in `degrade`.
        seed: the same seed gives the same result, see `stream`.
        samples: how many restorations to draw.
        estimator_scale: weight of the conditional estimator, see `estimators.catalog.guided`.
        strength: how much of the restoration is kept; the rest is the photo as it was, but where it is missing.
        pyramid: high noise is answered at a coarse scale, where the prior's thresholds were measured.
        denoiser: the prior, or its name as `load_prior` takes it; the embedded one when None.

    Raises:
        InverseError: with a sentence on the cause and the remedy.
    """
    denoiser = _loaded(denoiser)
    settings = Settings.create(
        mode=DEGRADED if degraded else CLEAN, size=size, task=task, task_parameters=task_parameters, then=then,
        quality=quality,
        sigma_y=sigma_y, photons=photons, solver=solver, solver_parameters=solver_parameters, seed=seed,
        samples=samples, estimator_scale=estimator_scale, strength=strength, pyramid=pyramid, kind=denoiser.kind,
        estimator=estimated(denoiser),
    )  # fmt: skip
    problem, denoiser = settings.problem(photo, auxiliary), settings.guided(denoiser)
    start = time.perf_counter()
    (last,) = deque(problem.steps(settings.solver, denoiser, settings.seed, settings.samples), maxlen=1)
    return Result(problem, last, time.perf_counter() - start)


def restore_full_size(
    photo: images.Photo,
    task: str | Task,
    solver: str | Solver | None = None,
    *,
    task_parameters: Mapping[str, Any] | None = None,
    solver_parameters: Mapping[str, Any] | None = None,
    sigma_y: float | None = None,
    auxiliary: images.Photo | None = None,
    seed: int = 0,
    estimator_scale: float = 0.0,
    strength: float = 1.0,
    pyramid: bool = True,
    keep_metadata: bool = False,
    denoiser: Denoiser | str | None = None,
) -> Restored:
    """Restores an already degraded photo at its own resolution: `restore_full_size("scan.jpg", "inpaint-mask",
    auxiliary="mask.png").image.save("out.png")`.

    Where a part is missing, every pixel that is not stays as it is; see `inverse.fullsize`.

    Args:
        photo: of up to 40 megapixels, of 8 or 16 bits.
        solver: its name, or a solver; that for full size when None, see `fullsize.method`.
        keep_metadata: keep EXIF, without where it was taken, and the colour profile with the numbers meant in it.
        others: as in `restore`.

    Raises:
        InverseError: with a sentence on the cause and the remedy.
    """
    denoiser = _loaded(denoiser)
    settings = Settings.create(
        mode=DEGRADED, full_size=True, keep_metadata=keep_metadata, task=task, task_parameters=task_parameters,
        sigma_y=sigma_y,
        **method.chosen(task, solver, solver_parameters, estimated(denoiser)), seed=seed,
        estimator_scale=estimator_scale, strength=strength, pyramid=pyramid, kind=denoiser.kind,
        estimator=estimated(denoiser),
    )  # fmt: skip
    helper = None if auxiliary is None else settings.task.load(auxiliary)
    original = originals.load(photo, settings.keep_metadata)
    return finished(FullSize(original, settings, settings.guided(denoiser), helper).run())


def _loaded(denoiser: Denoiser | str | None) -> Denoiser:
    return denoiser if isinstance(denoiser, Denoiser) else load_prior(EMBEDDED if denoiser is None else denoiser)
