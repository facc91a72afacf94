"""Frames of a run on their way to the player. Those that cost little come often, the rest on a slower clock."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from inverse.imaging import images
from inverse.results.misfit import misfit
from inverse.results.problem import Problem
from inverse.results.spread import Spread
from inverse.settings import Settings
from inverse.solvers import Step
from inverse.web.base.pictures import PREVIEW_SIDE, exact, frame, jpeg, noisy, png, png_bytes

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


class Player:
    """Data URIs, for the page: of every sample the estimate and the state, exact and with the settings at the end.

    It works where the device is, so it is something that can be copied; and so is `Files`, which does the same for
    programs.

    Attributes:
        analyses: it has use for `analysed`.
    """

    analyses = True

    def begun(self, problem: Problem, settings: Settings, photo: Image.Image) -> Frame:
        """What is to be solved, of the part of the photo that is restored.

        The result is compared with the measurement; or, where the photo is one, with that: nothing in it is grey.
        """
        height, width = problem.operator.image_shape[-2:]
        return {
            "before": exact(photo if settings.degraded else problem.measurement),
            "truth": None if problem.truth is None else jpeg(images.to_image(problem.truth), 92),
            "width": width,
            "height": height,
            "samples": settings.samples,
        }

    def live(self, step: Step) -> Frame:
        """A step before the last one: {"index", "total", "x0": [...], "xt": [...]}.

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

    def last(self, problem: Problem, step: Step, settings: Settings) -> Frame:
        """The last step of a run."""
        pictures = {**self.live(step), **analysed(problem, step)}
        pictures["x0"] = [
            png(frame(x0_hat), text) for x0_hat, text in zip(step.x0_hat, texts(step, settings), strict=True)
        ]
        if len(step.x0_hat) > 1:
            spread, also = Spread.of(step.x0_hat), texts(step, settings, ("mean", "spread"))
            pictures |= {"mean": png(spread.mean_image, also[0]), "spread": png(spread.image, also[1])}
        return pictures


class Files:
    """For programs: a small JPEG of the first sample while it runs, then a PNG of each."""

    analyses = False

    def begun(self, problem: Problem, settings: Settings, photo: Image.Image) -> Frame:
        return {}

    def live(self, step: Step) -> Frame:
        return {"preview": jpeg(frame(step.draft.x0_hat[0]))}

    def last(self, problem: Problem, step: Step, settings: Settings) -> Frame:
        named = zip(step.x0_hat, texts(step, settings), strict=True)
        return {"files": [png_bytes(frame(x0_hat), text) for x0_hat, text in named]}


def analysed(problem: Problem, step: Step) -> Frame:
    """What more can be said of a step: {"misfit": [...], "words": {...}}, and with several samples mean and spread."""
    found = [misfit(problem, x0_hat.float()) for x0_hat in step.x0_hat]
    more: Frame = {"misfit": [exact(each.image) for each in found], "words": {"misfit": found[0].words}}
    if len(step.x0_hat) > 1:
        spread = Spread.of(step.x0_hat)
        more |= {"mean": jpeg(spread.mean_image), "spread": exact(spread.image), "top": f"{spread.top:g}"}
        more["words"]["spread"] = spread.words
    return more


def texts(step: Step, settings: Settings, names: Sequence[int | str] = ()) -> list[str]:
    """The settings that pictures carry, as text: of every sample, or of what is made from all of them.

    They say which sample it is, and where the run was stopped before its end.
    """
    names = names or range(1, len(step.x0_hat) + 1)
    also: dict[str, Any] = {} if step.index == step.total else {"stopped_at": step.index}
    return [settings.to_json(None, **also, **({"sample": name} if len(step.x0_hat) > 1 else {})) for name in names]
