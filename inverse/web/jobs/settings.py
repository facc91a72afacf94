"""What the visitor chose, checked by the library: the same `Settings` serve the preview, the run and, later, sweeps."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Self

from PIL import Image

from inverse import randomness
from inverse.batch.sweep import sweepable
from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators import TASKS, Task, noise
from inverse.restoration import measured
from inverse.results.problem import Problem
from inverse.settings import CLEAN, DEGRADED, SIZE, settings
from inverse.settings import SAMPLES as ANY_SAMPLES
from inverse.solvers import SOLVERS
from inverse.solvers.cost import passes
from inverse.solvers.presets import solvers_for
from inverse.web.base import limits
from inverse.web.elements.controls import label
from inverse.web.jobs import device

SIZES = (128, 256, 384, 512)
DEFAULT_SIZE = 256
NO_PHOTO = "The server has no photo of this page: it was restarted perhaps. Choose a photo again, or reload the page."
SAMPLES = replace(ANY_SAMPLES, high=8)
"""As many as fit beside the player."""


class Settings(settings.Settings):
    """One restoration, but for the photo, within what this machine restores for a visitor."""

    @classmethod
    def create(cls, **values: Any) -> Self:
        """Checks what came from the page, where no number may be left open.

        Raises:
            ParameterError: with a sentence that names the field and its range.
        """
        noise.SIGMA_Y.check("sigma_y", values.get("sigma_y"))
        SAMPLES.check("samples", values.get("samples", 1))
        return super().create(**values)

    def at(self, photo: Image.Image) -> Self:
        """The same settings with the size at which this photo is really used."""
        return replace(self, size=working_size(photo, self.task, None if self.degraded else self.size))

    def problem(self, photo: Image.Image | None, auxiliary: Image.Image | None = None) -> Problem:
        """What is to be solved.

        Raises:
            ProblemError: there is no photo, it is too much work, or photo, task and auxiliary picture do not fit.
        """
        photo = chosen(photo)
        self.check_size(photo)
        return super(Settings, self.at(photo)).problem(photo, auxiliary)

    def check_size(self, photo: Image.Image) -> None:
        """Refuses what is too much work, or too large.

        Raises:
            ProblemError: it is.
        """
        check_work([self], photo)
        height, width = self.shape(photo)
        pixels, largest = self.samples * height * width, limits.current().side ** 2
        if self.samples > 1 and pixels > largest:
            raise ProblemError(
                f"{self.samples} samples of {width} x {height} are {pixels / 1e6:.1f} megapixels, "
                f"and this machine restores {largest / 1e6:.1f} at once. Choose fewer samples or {self.smaller}."
            )

    @property
    def _multiple(self) -> int:
        return 1 if self.degraded else self.task.multiple

    def used(self, photo: Image.Image) -> Image.Image:
        """The part of the photo that is restored, at its working size."""
        return images.fit(photo, self.at(photo).size, self._multiple)

    def shape(self, photo: Image.Image) -> tuple[int, int]:
        """(H, W) of the restored image."""
        _, (width, height) = images.fitted(photo.size, self.at(photo).size, self._multiple)
        return self.task.image_shape((height, width)) if self.degraded else (height, width)

    def cost(self, image_shape: tuple[int, int]) -> str:
        """What a run will cost for an image of (H, W), in words."""
        forward, backward = self.solver.cost
        text = f"{self.solver.steps} noise levels, {self.solver.total} updates, {forward} network calls"
        if self.samples > 1:
            text += f" for each of {self.samples} samples"
        if backward:
            text += f", {backward} of them with a backward pass"
        runs = [self] * self.samples
        text = f"{text}: {device.promise(runs, image_shape)}"
        most = limits.current().seconds
        if device.seconds(runs, image_shape) <= most:
            return text
        return f"{text}, but a run ends after {most / 60:.0f} min here. Choose fewer noise levels or {self.smaller}"


def check_work(runs: list[Settings], photo: Image.Image) -> None:
    """Refuses runs that together are more than this machine does for a visitor.

    Raises:
        ProblemError: they are.
    """
    height, width = runs[0].shape(photo)
    work = sum(passes(run.solver) * run.samples for run in runs) * height * width / 1e6
    most = limits.current().work
    if work > most:
        times = f"{work / most:.1f}" if work < 100 * most else f"{work / most:.0f}"
        raise ProblemError(
            f"This is {times} times the work that one job may be here. Choose {runs[0].smaller}"
            f"{', fewer runs' if len(runs) > 1 else ''} or fewer steps."
        )


def chosen(photo: Image.Image | None) -> Image.Image:
    if photo is None:
        raise ProblemError(NO_PHOTO)
    return photo


def working_size(photo: Image.Image, task: Task, wanted: int | None) -> int | None:
    """The shorter side at which the photo is used, so that the restored image stays within the limit of a side.

    Args:
        photo: as uploaded.
        task: enlarges an already degraded photo perhaps.
        wanted: the shorter side that was asked for; None for the photo's own size, which None also returns.
    """
    shorter, longer = sorted(photo.size)
    enlarged = max(task.image_shape((longer, longer))) / longer if wanted is None else 1
    # A photo that is hardly wider than a line may be longer: its pixels are few all the same.
    largest = max(SIZE.low, int(limits.current().side / enlarged * shorter / longer))
    if wanted is None:
        return None if shorter <= largest else largest
    return min(wanted, largest)


def estimated_noise(photo: Image.Image, task: Task) -> float:
    """sigma_y of an already degraded photo at its working size, to three digits."""
    size = working_size(chosen(photo), task, None)
    if task.auxiliary:  # its picture comes later
        return round(noise.estimate(images.to_tensor(images.fit(photo, size))), 3)
    return round(measured(photo, task, size=size).sigma_y, 3)


def tasks_for(mode: Any) -> list[str]:
    """Names of the tasks to offer.

    Raises:
        ParameterError: there is no such mode.
    """
    if mode not in (CLEAN, DEGRADED):
        raise ParameterError(f"mode must be {CLEAN} or {DEGRADED}, and {str(mode)[:40]!r} is not. Choose one of them.")
    return _tasks_for(mode)


@cache
def _tasks_for(mode: str) -> list[str]:
    return [name for name, kind in TASKS.items() if mode == CLEAN or _can_have_happened(kind())]


def axis_choices(settings: Settings) -> list[tuple[str, str]]:
    """(label, name) of what can be swept."""
    solver = settings.solver.specs()
    choices = []
    for name in sweepable(settings):
        own = label(name)
        choices.append((own if name in solver or name in ("seed", "sigma_y") else f"Damage: {own}", name))
    return choices


def solver_choices(task: str) -> list[tuple[str, str]]:
    """(title, name) of the solvers that can deal with the task."""
    return [(SOLVERS[name].title, name) for name in solvers_for(task)]


def _can_have_happened(task: Task) -> bool:
    """Whether a photo that somebody has may be a measurement of this task.

    Not when the operator is drawn at random, since no photo was degraded by just that one, nor when what it measures
    is not a picture.
    """
    if task.auxiliary:
        return True
    generator = randomness.generator(0, randomness.MEASUREMENT)
    before = generator.get_state()
    operator = task.operator((3, *task.image_shape((64, 64))), generator, None)
    return generator.get_state().equal(before) and operator.measures_pictures
