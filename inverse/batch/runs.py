"""Runs, in batches where that pays: settings on one photo, as sweeps and comparisons are, or each on its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from typing import Any

from inverse.batch.lockstep import Runner, lockstep, suitable
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, InverseError, PriorError
from inverse.imaging import images
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.solvers.calls import Pause, Process


@dataclass(frozen=True, eq=False)
class Run:
    """Settings on a photo.

    Attributes:
        index: by which its caller knows it.
        settings, photo, auxiliary: as for `Settings.problem`.
        samples: how many restorations are drawn.
    """

    index: int
    settings: Settings
    photo: images.Photo
    auxiliary: images.Photo | None = None
    samples: int = 1


@dataclass(frozen=True)
class Progress:
    """Between two steps of run `index`: the problem and the step; and the record once the run has ended.

    At a pause, the step is the last one, or None before the first; `loading` names the prior that is loaded next.
    """

    index: int
    problem: Problem | None
    step: Step | None
    record: Record | None = None
    loading: str = ""


Load = Callable[[str], Denoiser]
"""Gives the prior that settings name; any other than `load_prior` may know places of its own for them."""


def run_all(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None = None,
    denoiser: Denoiser | Load | None = None,
    *,
    pixels: int | None = None,
    pauses: bool = False,
) -> Generator[Progress, None, None]:
    """Runs settings, several in lockstep where that pays; close the generator to stop, between any two steps.

    A run's result is that of `stream`: to the last bit on a CPU, where they run one after the other; to rounding where
    they share batches, on a GPU or with `pixels`.

    Runs are begun in their order, those of one prior after those of another: of large ones, one is in memory at a time.
    A run that fails is a record with its reason, and the others go on.

    Args:
        runs: settings, the first sample of each.
        photo, auxiliary: as for `Settings.problem`.
        denoiser: the prior of all runs, whatever they name; or what loads it by its name; `load_prior` when None.
        pixels: of the images that make a batch, see `lockstep`; None for what suits the prior.
        pauses: also say when no step was made, but a pass of the network or a piece of inner work; and that a prior is
            loaded.

    Raises:
        ImageError: the photo cannot be read.
        PriorError: the prior of all of them cannot be loaded.
    """
    photo = images.load(photo)
    if isinstance(denoiser, Denoiser):
        group = [Run(index, settings, photo, auxiliary) for index, settings in enumerate(runs)]
        yield from run_with(denoiser, group, pixels=pixels, pauses=pauses)
        return
    groups: dict[str, list[Run]] = {}
    for index, settings in enumerate(runs):
        groups.setdefault(settings.prior, []).append(Run(index, settings, photo, auxiliary))
    for name, group in groups.items():
        if pauses:
            yield Progress(group[0].index, None, None, loading=name)
        try:
            prior = (denoiser or load_prior)(name)
        except PriorError as error:
            if len(groups) == 1:
                raise
            for run in group:
                yield Progress(run.index, None, None, Record(failure=str(error)))
            continue
        yield from run_with(prior, group, pixels=pixels, pauses=pauses)
        del prior  # before the next one comes


def run_with(
    denoiser: Denoiser, runs: Iterable[Run], *, pixels: int | None = None, pauses: bool = False
) -> Generator[Progress, None, None]:
    """Runs of one prior, whatever their settings name; each is taken from `runs` when there is room for it.

    Args:
        denoiser: the prior.
        runs: of any photos.
        pixels, pauses: as for `run_all`.
    """
    problems: dict[int, Problem] = {}
    steps: dict[int, Step] = {}
    runners = _runners(runs, denoiser, problems)
    with closing(lockstep(runners, pixels or suitable(denoiser), pauses)) as events:
        for runner, event in events:
            index = runner.index
            if isinstance(event, Step):
                steps[index] = event
                yield Progress(index, problems[index], steps[index])
                continue
            if isinstance(event, Pause):
                yield Progress(index, problems[index], steps.get(index))
                continue
            problem, step = problems.pop(index, None), steps.pop(index, None)
            if isinstance(event, DivergenceError):
                step = event.last or step
            failure = str(event or "")
            if problem is None or step is None:
                yield Progress(index, None, None, Record(seconds=runner.seconds, failure=failure))
            else:
                yield Progress(index, problem, step, Record.of(problem, step, runner.seconds, failure))


def _runners(runs: Iterable[Run], denoiser: Denoiser, problems: dict[int, Problem]) -> Iterator[Runner]:
    """A runner for each run; its problem is made when it is asked for, and put among `problems`."""
    problem: Problem | None = None
    made_of: tuple[Any, ...] = ()
    for run in runs:
        settings, parts = run.settings, (run.photo, run.auxiliary, *_measured_by(run.settings))
        try:
            if problem is None or parts != made_of:  # most axes leave the measurement as it is
                problem, made_of = settings.problem(run.photo, run.auxiliary), parts
            prior = settings.guided(denoiser)
            process = problem.process(settings.solver, prior, settings.seed, run.samples)
        except InverseError as error:
            yield Runner(run.index, _refused(error), denoiser, 0)
            continue
        problems[run.index] = problem
        yield Runner(run.index, process, prior, run.samples * math.prod(problem.operator.image_shape[-2:]))


def _measured_by(settings: Settings) -> list[Any]:
    """What the problem depends on, of settings: all but how it is solved."""
    how = ("solver", "estimator_scale", "pyramid")
    return [getattr(settings, each.name) for each in fields(settings) if each.name not in how]


def _refused(error: InverseError) -> Process:
    """A run that cannot even begin."""
    raise error
    yield
