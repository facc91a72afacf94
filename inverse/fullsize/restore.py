"""The entry: a photo at its own resolution, by windows or by blocks, as its task and its mask want it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from PIL import Image

from inverse.denoisers.base import Denoiser
from inverse.fullsize import blocks, damage
from inverse.fullsize.plan import Forecast, Plan
from inverse.fullsize.progress import Progress
from inverse.imaging import originals
from inverse.settings import Settings


@dataclass(frozen=True)
class FullSize:
    """A photo to be restored at its own resolution.

    Attributes:
        original: the photo.
        settings: of an already degraded photo, at its own size.
        denoiser: the prior, as the settings use it (`Settings.guided`).
        auxiliary: the mask or kernel that the task needs, as `Task.load` gives it.
    """

    original: originals.Original
    settings: Settings
    denoiser: Denoiser = field(repr=False)
    auxiliary: Image.Image | None = None

    @cached_property
    def plan(self) -> Plan:
        """What is done."""
        return Plan(self.original.size, replace(self.settings, full_size=True), self.auxiliary)

    @cached_property
    def forecast(self) -> Forecast:
        """What it will take, by a measured pass.

        Raises:
            ProblemError: photo, mask and task do not fit.
        """
        return self.plan.forecast(self.denoiser)

    def run(self) -> Generator[Progress | Restored, None, None]:
        """Restores it; yields how far it is between any two passes of the network, and at last what came of it.

        Close it to stop.

        Raises:
            InverseError: with a sentence on the cause and the remedy.
        """
        start, pixels, plan = time.perf_counter(), self.original.pixels, self.plan
        self.forecast.check(self.denoiser)
        if plan.by_windows:
            found, settings = yield from damage.restored(
                pixels, plan.missing, plan.settings, self.denoiser, scales=plan.scales
            )
        else:
            task, prepared = plan.settings.task, None
            if task.auxiliary:
                prepared = task.prepare(plan.helper, task.image_shape(plan.size))
            found, settings = yield from blocks.restored(pixels, plan.settings, self.denoiser, prepared)
        yield Restored(found, self.original, settings, time.perf_counter() - start)


@dataclass(frozen=True)
class Restored:
    """What came of it.

    Attributes:
        pixels: (H, W, 3), of the photo's own depth.
        original: the photo.
        settings: with the noise that was found.
        seconds: how long it took.
    """

    pixels: np.ndarray
    original: originals.Original
    settings: Settings
    seconds: float

    @property
    def image(self) -> Image.Image:
        """As 8-bit RGB."""
        pixels = self.pixels if self.pixels.dtype == np.uint8 else (self.pixels / 257 + 0.5).astype(np.uint8)
        return Image.fromarray(pixels)


def finished(run: Iterable[Progress | Restored], seen: Callable[[Progress], object] = lambda _: None) -> Restored:
    """The result of a run; `seen` is told how far it is."""
    for each in run:
        if isinstance(each, Restored):
            return each
        seen(each)
    raise AssertionError("A run ends with what came of it.")
