"""Restorations to be judged: of the example photos, good ones and bad ones, made by hand or by the embedded prior."""

from functools import cache

import torch
from torch import Tensor

from inverse import resources
from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.catalog import load_prior
from inverse.results.problem import Problem
from inverse.settings import DEGRADED, Settings
from inverse.verdicts import Verdict, verdict

SIDE = 128
PHOTOS = ("astronaut", "chelsea", "coffee", "rocket")
DAMAGES = {
    "denoise": {}, "deblur-gaussian": {"std": 1.5}, "deblur-motion": {"length": 8.0}, "super-resolution": {},
    "inpaint-box": {}, "inpaint-random": {}, "colorize": {}, "jpeg": {"quality": 30}, "demosaic": {},
}  # fmt: skip


@cache
def damaged(photo: str, task: str, sigma_y: float = 0.05, **parameters: float) -> Problem:
    """An example photo, damaged."""
    settings = Settings.create(
        task=task, task_parameters=parameters or DAMAGES[task], sigma_y=sigma_y, size=SIDE, seed=1
    )
    return settings.problem(resources.EXAMPLES / f"{photo}.jpg")


def truth(problem: Problem) -> Tensor:
    assert problem.truth is not None
    return problem.truth


def taken_for(problem: Problem, task: str, sigma_y: float | None = None, **parameters: float) -> Problem:
    """The same damaged photo, with something else said to have happened to it."""
    settings = Settings.create(mode=DEGRADED, task=task, task_parameters=parameters, sigma_y=sigma_y)
    return settings.problem(problem.measurement)


def sharpened(problem: Problem) -> Tensor:
    """What undoes a linear damage by the textbook: Wiener's filter for signals of one strength at every frequency."""
    return problem.operator.regularized_pinv(problem.y, (problem.sigma_y / 0.5) ** 2)


@cache
def restored(photo: str, task: str, quality: str, samples: int = 1) -> tuple[Problem, Tensor, Settings]:
    """By the embedded prior."""
    problem = damaged(photo, task)
    settings = Settings.create(task=task, task_parameters=DAMAGES[task], quality=quality, samples=samples, sigma_y=0.05)
    *_, last = problem.steps(settings.solver, settings.guided(load_prior(EMBEDDED)), 0, samples)
    return problem, last.x0_hat, settings


def kinds(problem: Problem, x0_hat: Tensor) -> list[str]:
    return verdict(problem, x0_hat).kinds


def remedy(found: Verdict, kind: str) -> dict[str, float]:
    """The changes that the finding of a kind proposes."""
    (changes,) = (each.remedy.changes for each in found.findings if each.kind == kind and each.remedy)
    return dict(changes)


def noise(like: Tensor, seed: int = 0) -> Tensor:
    return torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))
