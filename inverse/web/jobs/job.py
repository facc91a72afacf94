"""What a visitor wants restored, and all that follows from it before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from PIL import Image

from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators import Task, noise
from inverse.results.problem import Problem
from inverse.settings import DEGRADED, SIZE, Settings
from inverse.solvers.cost import passes
from inverse.web.base import limits
from inverse.web.elements.photos import UNKNOWN, PhotoFile, digest
from inverse.web.jobs import device, priors
from inverse.web.jobs.offers import smaller


@dataclass(frozen=True, eq=False)
class Job:
    """Settings on a photo, within what this machine restores for a visitor. What follows from them is computed once.

    Attributes:
        settings: as they were chosen; `used` are those that the photo gets.
        photo: as it was uploaded.
        auxiliary: the picture that the task needs.
        file: that the photo came from.
        cells: the settings of each, where these are several runs on the photo.
    """

    settings: Settings
    photo: Image.Image
    auxiliary: Image.Image | None = None
    file: PhotoFile = UNKNOWN
    cells: tuple[Settings, ...] = ()

    def several(self, runs: Sequence[Settings]) -> Job:
        """These runs on the same photo.

        Raises:
            ParameterError: they are too many, or none.
        """
        most = limits.current().cells
        if len(runs) > most:
            raise ParameterError(
                f"These are {len(runs)} runs; at most {most} are possible here. Leave some values out."
            )
        if not runs:
            raise ParameterError("Nothing is chosen to run. Choose at least one.")
        return replace(self, settings=runs[0], cells=tuple(runs))

    @cached_property
    def used(self) -> Settings:
        """The settings with the size at which this photo is really used."""
        wanted = None if self.settings.degraded else self.settings.size
        return replace(self.settings, size=working_size(self.photo, self.settings.damage, wanted))

    @property
    def carried(self) -> Settings:
        """The same with the auxiliary picture inside, as results carry them."""
        return self.used.with_auxiliary(self.auxiliary)

    @cached_property
    def runs(self) -> list[Settings]:
        """What is run: every cell, or the settings once for every sample."""
        return [*self.cells] or [self.settings] * self.settings.samples

    @property
    def _multiple(self) -> int:
        return 1 if self.settings.degraded else self.settings.damage.multiple

    @property
    def part(self) -> Image.Image:
        """The part of the photo that is restored, at its working size."""
        return images.fit(self.photo, self.used.size, self._multiple)

    @cached_property
    def image_shape(self) -> tuple[int, int]:
        """(H, W) of the restored image."""
        _, (width, height) = images.fitted(self.photo.size, self.used.size, self._multiple)
        return self.settings.damage.image_shape((height, width)) if self.settings.degraded else (height, width)

    @cached_property
    def seconds(self) -> float:
        """About how long it takes."""
        return device.seconds(self.runs, self.image_shape)

    @property
    def promise(self) -> str:
        """How many runs these are, and about how long they take.

        Raises:
            ProblemError: they are too much work.
        """
        self.check()
        count = len(self.runs)
        return f"{count} run{'s' if count > 1 else ''}, {device.promise(self.seconds)}."

    @property
    def cost(self) -> str:
        """What a run will cost, in words."""
        solver, samples = self.settings.solver, self.settings.samples
        forward, backward = solver.cost
        text = f"{solver.steps} noise levels, {solver.total} updates, {forward} network calls"
        if samples > 1:
            text += f" for each of {samples} samples"
        if backward:
            text += f", {backward} of them with a backward pass"
        own = self.settings.passes
        if round(own) != round(passes(solver)):
            text += f", the work of {own:.0f} passes at full size"
        text = f"{text}: {device.promise(self.seconds)}"
        most = limits.current().seconds
        if self.seconds <= most:
            return text
        remedy = smaller(self.settings)
        return f"{text}, but a run ends after {most / 60:.0f} min here. Choose fewer noise levels or {remedy}"

    @cached_property
    def origin(self) -> dict[str, str]:
        """What tells the photo, and the picture that the task needs, from others."""
        picture = "" if self.auxiliary is None else digest(self.auxiliary)
        return {"photo": self.file.digest or digest(self.photo), "picture": picture}

    def check(self) -> None:
        """Refuses what is more work than this machine does for a visitor, or too large.

        Raises:
            ProblemError: it is, or its prior cannot be used now.
        """
        for run in {(run.prior, run.solver.name, run.guides): run for run in self.runs}.values():
            priors.check(run)
        (height, width), remedy, samples = self.image_shape, smaller(self.settings), self.settings.samples
        work = sum(run.passes for run in self.runs) * height * width / 1e6
        most = limits.current().work
        if work > most:
            times = f"{work / most:.1f}" if work < 100 * most else f"{work / most:.0f}"
            raise ProblemError(
                f"This is {times} times the work that one job may be here. Choose {remedy}"
                f"{', fewer runs' if len(self.cells) > 1 else ''} or fewer steps."
            )
        pixels, largest = samples * height * width, limits.current().side ** 2
        if samples > 1 and pixels > largest:
            raise ProblemError(
                f"{samples} samples of {width} x {height} are {pixels / 1e6:.1f} megapixels, "
                f"and this machine restores {largest / 1e6:.1f} at once. Choose fewer samples or {remedy}."
            )

    def problem(self) -> Problem:
        """What is to be solved. It is not kept: it may be hundreds of megabytes.

        Raises:
            ProblemError: it is too much work, or photo, task and auxiliary picture do not fit.
        """
        self.check()
        return self.used.problem(self.photo, self.auxiliary)


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
    size = working_size(photo, task, None)
    if task.auxiliary:  # its picture comes later
        return round(noise.estimate(images.to_tensor(images.fit(photo, size))), 3)
    settings = Settings.create(mode=DEGRADED, task=task, size=size)
    return round(settings.problem(photo).sigma_y, 3)
