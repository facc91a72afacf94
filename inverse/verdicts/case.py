"""A restoration that is to be judged: its signs, and what is known of how it came about."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators import Task
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.verdicts import invention, remedies
from inverse.verdicts.signs import Photo, Signs


@dataclass(frozen=True)
class Case:
    """What sentences are made from.

    Attributes:
        task: what was undone.
        sigma_y: that was assumed, on [-1, 1].
        strength, keeps_known: as in `Problem`.
        colourless: its colours are guessed.
        share: numbers that were measured, for each that is restored.
        photo, signs: what measurement and result show.
        differing: share of the pixels at which several samples differ visibly; None for a single one.
        settings: that it was made with, if that is known.
    """

    task: Task
    sigma_y: float
    strength: float
    keeps_known: bool
    colourless: bool
    share: float
    photo: Photo
    signs: Signs
    differing: float | None
    settings: Settings | None

    @classmethod
    def of(cls, problem: Problem, x0_hat: Tensor, settings: Settings | None) -> Case:
        """Of samples (B, 3, H, W); the truth in the problem is not looked at."""
        operator, photo = problem.operator, Photo.of(problem)
        samples = x0_hat.detach().to(problem.y.device, torch.float32)
        return cls(
            problem.task,
            problem.sigma_y,
            problem.strength,
            problem.keeps_known,
            any(link.name in COLOURING for link in getattr(problem.task, "links", (problem.task,))),
            invention.measured_share(operator),
            photo,
            Signs.worst([Signs.of(problem, sample, photo) for sample in samples.split(1)]),
            invention.differing(samples) if len(samples) > 1 else None,
            settings,
        )

    @property
    def links(self) -> tuple[Task, ...]:
        """The damages, one or several."""
        return getattr(self.task, "links", (self.task,))

    @property
    def rippled(self) -> bool:
        """Ripples that another width would not have made: the photo is less blurred than was assumed.

        Where the photo does not tell, they must be strong: stars have some of their own.
        """
        if self.photo.found_width is None:
            return self.signs.ripples > STRONG
        return self.narrower and self.signs.ripples > RIPPLED

    @property
    def narrower(self) -> bool:
        """Whether the photo looks less blurred than was assumed."""
        found = self.photo.found_width
        return found is not None and found < NARROWER * (self.photo.width or 0.0)

    @property
    def overdone(self) -> bool:
        """Whether too wide a blur was undone: by the photo's own where one width says it, and by ripples."""
        return self.rippled or (self.narrower and remedies.sized(self.task))

    @property
    def blame(self) -> str:
        """What ripples say of the blur."""
        found = self.photo.found_width
        if remedies.sized(self.task) and found is not None and found < remedies.SHARP:
            return "the photo is hardly blurred"
        (blur, *_) = (link for link in self.links if link.group == "Blur")
        return BLAMED.get(blur.name, "the blur is smaller than was assumed")

    @property
    def wider(self) -> bool:
        """Whether the photo looks more blurred than was assumed, where its task can say how much."""
        found, assumed = self.photo.found_width or 0.0, self.photo.width or math.inf
        return remedies.sized(self.task) and found > WIDER * assumed

    @property
    def noisier(self) -> bool:
        """Whether the photo has more noise than was assumed."""
        return self.photo.noise > MORE_NOISE * self.sigma_y


COLOURING = ("colorize", "colorize-strokes")
BLAMED = {
    "deblur-motion": "the motion was shorter, or in another direction",
    "deblur-shake": "the camera shook less, or in another way",
    "deblur-kernel": "another kernel blurred the photo, or a smaller one",
    "deblur-disk": "the photo is less out of focus than was assumed",
}
RIPPLED, STRONG = 2.3, 5.5
"""Times the swing beyond edges of the photo: 1.4 to 2.2 with the right width, 2.1 to 3.4 at 1.4 times it, 3.7 to 11 at
twice it and more. Of stars up to 4.7 with the right width, 5 to 8 at twice it."""
NARROWER = 0.85
"""Of the width assumed. The photo's own is found within a fifth, and too small in pictures of mere points."""
WIDER = 1.45
MORE_NOISE = 1.3
