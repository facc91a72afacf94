"""Several settings on one photo, one run after another: what sweeps and comparisons are made of."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from inverse import images, metrics
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError, InverseError
from inverse.restoration import Problem, stream
from inverse.settings import Settings
from inverse.solvers import Solver, Step

BACKWARD = 1.4
"""What a backward pass costs in forward passes, about."""


@dataclass(frozen=True)
class Outcome:
    """How one run ended.

    Attributes:
        settings: of the run.
        image: the result, or the last finite one of a run that failed; None where there is none.
        psnr, ssim: dB and [-1, 1]; None without a truth.
        residual: root mean square of y - A(x0_hat), in units of sigma_y; of y where there is no noise.
        nfe, vjp: forward passes, and those of them that were followed by a backward pass.
        seconds: how long it took.
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


@dataclass(frozen=True)
class Progress:
    """Between two steps of run `index`: the problem and the step; and the outcome once the run has ended."""

    index: int
    problem: Problem | None
    step: Step | None
    outcome: Outcome | None = None


def run_all(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None = None,
    denoiser: Denoiser | None = None,
) -> Iterator[Progress]:
    """Runs settings one after another; close the generator to stop, between any two steps.

    A run that fails is an outcome with its reason, and the next one goes on.

    Args:
        runs: settings, the first sample of each.
        photo, auxiliary: as for `Settings.problem`.
        denoiser: the prior; the embedded one when None.

    Raises:
        ImageError: the photo cannot be read.
        PriorError: the prior cannot be loaded.
    """
    photo, denoiser = images.load(photo), denoiser or load_prior()
    problem, made_of = None, None
    for index, settings in enumerate(runs):
        start, step = time.perf_counter(), None
        try:
            parts = (settings.degraded, settings.size, settings.task, settings.sigma_y, settings.photons, settings.seed)
            if parts != made_of:  # most axes leave the measurement as it is
                problem, made_of = settings.problem(photo, auxiliary), parts
            with closing(stream(problem, settings.solver, denoiser, seed=settings.seed)) as steps:
                for step in steps:
                    yield Progress(index, problem, step)
        except InverseError as error:
            if isinstance(error, DivergenceError):
                step = error.last or step
            failure = str(error)
        else:
            failure = ""
        seconds = time.perf_counter() - start
        yield Progress(index, problem, step, _outcome(settings, problem, step, seconds, failure))


def _outcome(settings: Settings, problem: Problem | None, step: Step | None, seconds: float, failure: str) -> Outcome:
    if step is None or problem is None:
        return Outcome(settings, None, None, None, None, 0, 0, seconds, failure)
    x, truth = torch.nan_to_num(step.x0_hat[0]), problem.truth
    residual = float(step.residual[0])
    return Outcome(
        settings=settings,
        image=images.to_image(x),
        psnr=None if truth is None else metrics.psnr(x, truth[0]),
        ssim=None if truth is None else metrics.ssim(x, truth[0]),
        residual=residual / problem.sigma_y if problem.sigma_y > 0 else residual,
        nfe=step.nfe,
        vjp=step.vjp,
        seconds=seconds,
        failure=failure,
    )


def passes(solver: Solver) -> float:
    """What a run of the solver costs, in forward passes of the network."""
    forward, backward = solver.cost
    return forward + BACKWARD * backward


def expected_seconds(runs: Sequence[Settings], image_shape: tuple[int, int], denoiser: Denoiser | None = None) -> float:
    """About how long all the runs take, for images of size (H, W): network passes, at the speed that was measured."""
    height, width = image_shape
    return sum(passes(run.solver) for run in runs) * seconds_per_pixel(denoiser or load_prior()) * height * width


@lru_cache(maxsize=2)
def seconds_per_pixel(denoiser: Denoiser) -> float:
    """Seconds of a forward pass for each pixel of an image, measured once on a small one."""
    x: Tensor = torch.zeros(1, denoiser.channels, 128, 128, device=denoiser.device, dtype=denoiser.dtype)
    fastest = float("inf")
    with torch.no_grad():
        for _ in range(3):
            start = time.perf_counter()
            float(denoiser(x, 1.0).sum())  # waits for the device
            fastest = min(fastest, time.perf_counter() - start)
    return fastest / (x.shape[-1] * x.shape[-2])


def at_cost(solver: Solver, budget: float) -> Solver:
    """The solver with as many steps as bring its cost closest to `budget` network passes."""
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
