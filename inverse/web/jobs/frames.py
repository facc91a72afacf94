"""Frames of a run on their way to the player. Those that cost little come often, the rest on a slower clock."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

from inverse.results.misfit import misfit
from inverse.results.problem import Problem
from inverse.results.spread import Spread
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.web.base.pictures import PREVIEW_SIDE, exact, frame, jpeg, noisy, png

Frame = dict[str, Any]


@dataclass
class Clock:
    """Says when something is due: not more often than `every` seconds, nor for more than `share` of the time.

    After one that took unusually long it is due after `most` seconds all the same.
    """

    every: float
    share: float
    most: float = math.inf
    due: float = 0.0

    def spent(self, seconds: float) -> None:
        """It was done just now, and took so long."""
        self.due = time.perf_counter() + min(max(self.every, seconds * (1 / self.share - 1)), self.most)


def live(step: Step) -> Frame:
    """Estimate and state of every sample: {"index", "total", "x0": [...], "xt": [...]}.

    The more samples there are, the smaller are their pictures, so that a frame stays as large as that of one.
    """
    step = step if step.index == step.total else step.draft
    side = round(PREVIEW_SIDE / math.sqrt(len(step.x0_hat)))
    return {
        "index": step.index,
        "total": step.total,
        "x0": [jpeg(frame(x0_hat), side=side) for x0_hat in step.x0_hat],
        "xt": [jpeg(noisy(x, step.sigma), 80, side=side) for x in step.x],
    }


def analysed(problem: Problem, step: Step) -> Frame:
    """What more can be said of a step: {"misfit": [...], "words": {...}}, and with several samples mean and spread."""
    found = [misfit(problem, x0_hat.float()) for x0_hat in step.x0_hat]
    more: Frame = {"misfit": [exact(each.image) for each in found], "words": {"misfit": found[0].words}}
    if len(step.x0_hat) > 1:
        spread = Spread.of(step.x0_hat)
        more |= {"mean": jpeg(spread.mean_image), "spread": exact(spread.image), "top": f"{spread.top:g}"}
        more["words"]["spread"] = spread.words
    return more


def last(problem: Problem, step: Step, settings: Settings | None) -> Frame:
    """The last step of a run, its pictures exact; they carry the settings, and which sample each is."""

    def text(sample: int | str) -> str:
        if settings is None:
            return ""
        also: dict[str, Any] = {} if step.index == step.total else {"stopped_at": step.index}
        return settings.to_json(**also, **({"sample": sample} if len(step.x0_hat) > 1 else {}))

    pictures = {**live(step), **analysed(problem, step)}
    pictures["x0"] = [png(frame(x0_hat), text(number)) for number, x0_hat in enumerate(step.x0_hat, 1)]
    if len(step.x0_hat) > 1:
        spread = Spread.of(step.x0_hat)
        pictures |= {"mean": png(spread.mean_image, text("mean")), "spread": png(spread.image, text("spread"))}
    return pictures
