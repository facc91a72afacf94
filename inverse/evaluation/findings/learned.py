"""The embedded prior as a truth: what stands for the exact conditional score is the estimator that ships with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import torch
from torch import Tensor

from inverse.denoisers.catalog import load_prior
from inverse.estimators.catalog import guided
from inverse.evaluation.findings.truths import Truth, TruthKind
from inverse.imaging import images
from inverse.resources import EXAMPLES
from inverse.restoration import degrade
from inverse.solvers import Step
from inverse.solvers.presets import make_solver

PHOTO, SIDE = "chelsea.jpg", 48
"""The middle of an example photo, small: every point costs passes of a network."""
STEPS = 8
"""Of the estimator's sampler, whose samples stand for those of the posterior."""


def embedded(kind: TruthKind, task: str, seed: int) -> Truth:
    """A photograph, the prior and the estimator that ship with the program.

    The estimator is a network, and its own error is in everything that is measured against it.
    """
    asked = kind.tasks[task]
    photo = images.fit(images.load(EXAMPLES / PHOTO), SIDE, square=True)
    problem = degrade(photo, asked.task, task_parameters=asked.parameters, sigma_y=kind.sigma_y, seed=seed)
    prior = load_prior("embedded", "cpu", "float32")
    reference = guided(prior, task=asked.task)
    solver = make_solver("cse", problem.task, {"steps": STEPS, "stochasticity": 1.0}, prior.kind)
    drawn: list[Tensor] = []

    def prepare(count: int) -> Iterator[None]:
        if drawn and len(drawn[0]) >= count:
            return
        for step in problem.steps(solver, reference, seed, count, pauses=True):
            if isinstance(step, Step):
                drawn[:] = [step.x0_hat]
            yield

    def draw(generator: torch.Generator, count: int) -> Tensor:
        """The same images every time, as each takes seconds."""
        deque(prepare(count), maxlen=0)
        return drawn[0][:count]

    return Truth(kind, task, prior, reference, problem, None, draw, prepare)
