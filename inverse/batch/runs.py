"""Several settings on one photo, in batches where that pays: what sweeps and comparisons are made of."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from inverse.batch.lockstep import Runner, lockstep
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, InverseError
from inverse.imaging import images
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.solvers.base import Process
from inverse.solvers.calls import Pause


@dataclass(frozen=True)
class Progress:
    """Between two steps of run `index`: the problem and the step; and the record once the run has ended.

    At a pause, the step is the last one, or None before the first.
    """

    index: int
    problem: Problem | None
    step: Step | None
    record: Record | None = None


def run_all(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None = None,
    denoiser: Denoiser | None = None,
    *,
    pixels: int | None = None,
    pauses: bool = False,
) -> Generator[Progress, None, None]:
    """Runs settings, several in lockstep where that pays; close the generator to stop, between any two steps.

    A run's result is that of `stream`: to the last bit on a CPU, where they run one after the other; to rounding where
    they share batches, on a GPU or with `pixels`.

    Runs are begun in their order. A run that fails is a record with its reason, and the others go on.

    Args:
        runs: settings, the first sample of each.
        photo, auxiliary: as for `Settings.problem`.
        denoiser: the prior; the embedded one when None.
        pixels: of the images that make a batch, see `lockstep`; None for what suits the prior.
        pauses: also say when no step was made, but a pass of the network or a piece of inner work.

    Raises:
        ImageError: the photo cannot be read.
        PriorError: the prior cannot be loaded.
    """
    photo, denoiser = images.load(photo), denoiser or load_prior()
    problems: dict[int, Problem] = {}
    steps: dict[int, Step] = {}
    runners = _runners(runs, photo, auxiliary, denoiser, problems)
    with closing(lockstep(runners, denoiser, pixels, pauses)) as events:
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


def _runners(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None,
    denoiser: Denoiser,
    problems: dict[int, Problem],
) -> Iterator[Runner]:
    """A runner for each of the settings; its problem is made when it is asked for, and put among `problems`."""
    problem, made_of = None, None
    for index, settings in enumerate(runs):
        parts = replace(settings, solver=runs[0].solver)
        try:
            if parts != made_of:  # most axes leave the measurement as it is
                problem, made_of = settings.problem(photo, auxiliary), parts
        except InverseError as error:
            yield Runner(index, _refused(error), 0)
            continue
        problems[index] = problem
        process = problem.process(settings.solver, denoiser, settings.seed)
        yield Runner(index, process, math.prod(problem.operator.image_shape[-2:]))


def _refused(error: InverseError) -> Process:
    """A run that cannot even begin."""
    raise error
    yield
