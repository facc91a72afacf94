"""A visitor's own photo at its own resolution: what it will take, told before, and the run, which writes a file."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import torch

from inverse.denoisers import memory
from inverse.errors import ProblemError
from inverse.fullsize.files import save
from inverse.fullsize.plan import SECONDS_A_PART, SECONDS_BESIDE, Plan
from inverse.fullsize.restore import FullSize, Restored
from inverse.imaging import originals
from inverse.settings import Settings
from inverse.web.base import limits
from inverse.web.base.dear import dear
from inverse.web.base.gradio_internals import new_file
from inverse.web.base.guards import uploaded
from inverse.web.elements.figures import duration
from inverse.web.elements.photos import digest
from inverse.web.jobs import device, priors
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.running import UPDATE_EVERY

MUCH_A_PIXEL = 12
"""Bytes for each pixel of the photo while windows are looked for."""
REMEMBERED = 64
"""Masks of which it is known how many windows they make."""

View = dict[str, Any]


class Extent(NamedTuple):
    """How many windows or blocks, the same in words, and their megapixels together."""

    parts: int
    counted: str
    megapixels: float


_known: dict[Any, Extent] = {}


@dataclass(frozen=True, eq=False)
class FullJob(Job):
    """A job on the file of the photo, and not on what the page keeps of it.

    Its limits are those of other jobs but for the side: work and time, and `APP_MAX_FULL` megapixels.
    """

    @classmethod
    def of(cls, job: Job, keep_metadata: bool = False) -> FullJob:
        """The same choices on the whole photo; one sample. What is said in pixels of the page's copy grows with it.

        Raises:
            ParameterError: the photo is not degraded already.
            ProblemError: a blur is then too wide to be undone.
        """
        task, auxiliary = job.settings.task.enlarged(enlargement(job), job.auxiliary)
        settings = replace(job.settings, task=task, size=None, samples=1, full_size=True, keep_metadata=keep_metadata)
        return cls(settings, job.photo, auxiliary, job.file)

    def rescaled(self, job: Job) -> bool:
        """Whether the damage is said in other numbers than on the page."""
        return self.settings.task != job.settings.task or self.settings.task.auxiliary == "kernel"

    @staticmethod
    def offered(job: Job) -> bool:
        """Whether a damaged photo of the visitor's own is restored, by parts, and its file is known."""
        file = job.file
        return bool(file.own and file.path and file.size and job.settings.degraded and not job.settings.damage.alone)

    @property
    def used(self) -> Settings:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.settings

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the photo's file."""
        width, height = self.file.size or self.photo.size
        return height, width

    @cached_property
    def image_shape(self) -> tuple[int, int]:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.settings.task.image_shape(self.size)

    @cached_property
    def plan(self) -> Plan:
        """What is done."""
        return Plan(self.size, self.settings, self.auxiliary)

    @cached_property
    def extent(self) -> Extent:
        """What is done, in numbers.

        Raises:
            ProblemError: photo, mask and task do not fit.
        """
        key = (self.size, self.settings.task, self.settings.guides, self.auxiliary and digest(self.auxiliary))
        if key not in _known:
            while len(_known) >= REMEMBERED:
                del _known[next(iter(_known))]
            with dear(MUCH_A_PIXEL * self.size[0] * self.size[1]):
                plan = self.plan
                _known[key] = Extent(len(plan.parts), plan.counted, plan.megapixels)
        return _known[key]

    @cached_property
    def seconds(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        dearer = self.plan.passes / self.settings.passes
        passes = device.seconds(self.runs, (round(1e6 * dearer * self.extent.megapixels), 1))
        return passes + SECONDS_BESIDE * self.size[0] * self.size[1] + SECONDS_A_PART * self.extent.parts

    def check(self) -> None:
        allowed, (height, width) = limits.current(), self.image_shape
        if height * width > allowed.full * 1e6:
            raise ProblemError(
                f"The restored photo would have {height * width / 1e6:.1f} megapixels, and {allowed.full} are restored "
                "here. Use the command line on your own machine, or a smaller photo."
            )
        for run in self.runs:
            priors.check(run)
        work = self.plan.passes * self.extent.megapixels
        if work > allowed.work:
            raise ProblemError(
                f"This is {work / allowed.work:.1f} times the work that one job may be here. Choose "
                "fewer steps, a solver with fewer calls, or the command line on your own machine."
            )
        if self.seconds > allowed.seconds:
            raise ProblemError(
                f"This takes about {duration(self.seconds)}, and a run ends after {duration(allowed.seconds)} here. "
                "Choose fewer steps, a solver with fewer calls, or the command line on your own machine."
            )

    def opened(self) -> FullSize:
        """The photo from its file, ready to be restored.

        Raises:
            ImageError: the file is gone.
        """
        original = originals.load(uploaded(self.file.path), self.settings.keep_metadata)
        guided = self.settings.guided(priors.load(self.settings.prior))
        return FullSize(original, self.settings, guided, self.auxiliary)


@dataclass
class Full(Lifecycle):
    """A visitor's latest restoration at full size.

    Attributes:
        file: what was written, for the page to link.
        view: as sent last.
        record: figures of it.
        expired: why it ended before its end though nobody stopped it.
    """

    file: str = ""
    view: View = field(default_factory=dict)
    record: View = field(default_factory=dict)
    expired: str = ""

    @property
    def complete(self) -> bool:
        return not self.stopping and not self.expired

    def seen(self, phase: str, message: str, **more: Any) -> View:
        self.view = {**self.told(phase, message), **more}
        return self.view

    def work(self, job: FullJob) -> Generator[View, None, None]:
        start, due = time.perf_counter(), 0.0
        work, progress, restored = job.opened(), None, None
        with closing(work.run()) as run:
            for progress in run:
                if isinstance(progress, Restored):
                    restored = progress
                    break
                spent = time.perf_counter() - start
                if spent > limits.current().seconds:
                    self.expired = (
                        f"Stopped after {limits.current().seconds} seconds, the most that a run may take here."
                    )
                    yield self.view
                    return
                if time.perf_counter() >= due or self.stopping:
                    left = spent * (1 / max(progress.share, 1e-3) - 1)
                    words = (
                        f"{progress.words}, about {duration(left)} left." if progress.share > 0.02 else progress.words
                    )
                    yield self.seen("running", words, progress=round(100 * progress.share, 1))
                    due = time.perf_counter() + UPDATE_EVERY
        assert restored is not None
        yield self.seen("running", "Writing the file…", progress=100)
        self.file = str(self._written(restored, job))
        height, width = restored.pixels.shape[:2]
        self.record = {"seconds": round(restored.seconds, 1), "width": width, "height": height}
        del progress, restored, work
        memory.release(torch.device("cpu"))
        yield self.seen(
            "done", f"{width} × {height} pixels in {duration(self.record['seconds'])}.", progress=100, file=self.file,
            name=Path(self.file).name,
        )  # fmt: skip

    def _written(self, restored: Restored, job: FullJob) -> Path:
        """The result in the format that its photo came in, where that is written here; else as PNG."""
        kind = originals.ending(job.file.path)
        path = new_file(job.file.made("restored", kind))
        save(restored, path, restored.settings.with_auxiliary(job.auxiliary))
        return path

    def ended(self) -> Iterator[View]:
        if not self.complete:
            yield self.seen("stopped", self.expired or "Stopped. Nothing was written.")

    def stop(self) -> View:
        self.stopping = True
        return self.seen("stopped", "Stopped. Nothing was written.")


def offer(job: Job) -> str:
    """What restoring at full size will take, in words.

    Raises:
        InverseError: it cannot be done, or not here.
    """
    full = FullJob.of(job)
    full.check()
    width, height = full.image_shape[::-1]
    wider = f" The blur is {enlargement(job):.1f} times as wide there." if full.rescaled(job) else ""
    return f"{width} × {height} pixels: {full.extent.counted}, {device.promise(full.seconds)}.{wider}"


def enlargement(job: Job) -> float:
    """How many times as many pixels a side the photo's file has as what the page works on."""
    return max(job.file.size or job.photo.size) / max(job.part.size)
