"""Several settings on one photo, in batches where that pays: what sweeps and comparisons are made of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import torch
from PIL import Image

from inverse.batch.lockstep import Runner, lockstep
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, InverseError
from inverse.imaging import images, metrics
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.solvers import Solver, Step
from inverse.solvers.base import BACKWARD_COST, Process
from inverse.solvers.calls import Pause


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        settings: of the run.
        image: the result, or the last finite one of a run that failed; None where there is none.
        psnr, ssim: dB and [-1, 1]; None without a truth.
        residual: root mean square of y - A(x0_hat), in units of the noise, as `Problem.in_noise` says.
        nfe, vjp: forward passes, and those of them that were followed by a backward pass.
        seconds: how long it took; its share of the passes that it made together with other runs.
        failure: why it failed, a sentence; empty when it did not.
    """

    settings: Settings
    image: Image.Image | None
    psnr: float | None
    ssim: float | None
    residual: float | None
    nfe: int
    vjp: int
    seconds: float
    failure: str = ""

    @property
    def cost(self) -> float:
        """What it cost so far, in forward passes of the network."""
        return in_passes(self.nfe, self.vjp)


@dataclass(frozen=True)
class Progress:
    """Between two steps of run `index`: the problem and the step; and the outcome once the run has ended.

    At a pause, the step is the last one, or None before the first.
    """

    index: int
    problem: Problem | None
    step: Step | None
    outcome: Outcome | None = None


def run_all(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None = None,
    denoiser: Denoiser | None = None,
    *,
    pixels: int | None = None,
    pauses: bool = False,
) -> Iterator[Progress]:
    """Runs settings, several in lockstep where that pays; close the generator to stop, between any two steps.

    A run's result is that of `stream`: to the last bit on a CPU, where they run one after the other; to rounding where
    they share batches, on a GPU or with `pixels`.

    Runs are begun in their order. A run that fails is an outcome with its reason, and the others go on.

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
            outcome = _outcome(runs[index], problem, step, runner.seconds, str(event or ""))
            yield Progress(index, problem, step, outcome)


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


def _outcome(settings: Settings, problem: Problem | None, step: Step | None, seconds: float, failure: str) -> Outcome:
    if step is None or problem is None:
        return Outcome(settings, None, None, None, None, 0, 0, seconds, failure)
    x, truth = torch.nan_to_num(step.x0_hat[0]), problem.truth
    return Outcome(
        settings=settings,
        image=images.to_image(x),
        psnr=None if truth is None else metrics.psnr(x, truth[0]),
        ssim=None if truth is None else metrics.ssim(x, truth[0]),
        residual=problem.in_noise(step),
        nfe=step.nfe,
        vjp=step.vjp,
        seconds=seconds,
        failure=failure,
    )


def in_passes(forward: int, backward: int) -> float:
    """So many forward passes of the network and so many backward ones, in forward passes."""
    return forward + BACKWARD_COST * backward


def passes(solver: Solver) -> float:
    """What a run of the solver costs, in forward passes of the network."""
    return in_passes(*solver.cost)


def at_cost(solver: Solver, budget: float) -> Solver:
    """The solver with as many steps as bring its cost closest to `budget` network passes.

    That is within one step of it, but for solvers that cannot run with so few steps, or so many: see `misses`.
    """
    spec = type(solver).specs()["steps"]
    low, high = spec.low, spec.high
    while high - low > 1:
        middle = (low + high) // 2
        if passes(solver.replace(steps=middle)) <= budget:
            low = middle
        else:
            high = middle
    tried = [solver.replace(steps=steps) for steps in (low, high)]
    return min(tried, key=lambda each: abs(passes(each) - budget))


def misses(solver: Solver, budget: float) -> str:
    """Why a solver from `at_cost` does not keep the budget, a sentence; empty where it does, to one step.

    Args:
        solver: as `at_cost` returned it.
        budget: network passes, as given there.
    """
    spec, cost = type(solver).specs()["steps"], passes(solver)
    bound = {spec.low: "fewest", spec.high: "most"}.get(solver.steps)
    if bound is None or (cost <= budget if bound == "fewest" else cost >= budget):
        return ""
    inward = solver.replace(steps=solver.steps + (1 if bound == "fewest" else -1))
    if abs(cost - budget) <= abs(passes(inward) - cost):
        return ""
    return f"{solver.steps} steps are the {bound} it can take: {cost:.0f} network passes, not {budget:.0f}."
