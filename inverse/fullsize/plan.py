"""What is done to a photo at full size, known before it starts: windows or blocks, and what they take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from PIL import Image

from inverse import randomness
from inverse.denoisers import memory, tiled
from inverse.denoisers.base import Denoiser
from inverse.errors import CapacityError, ProblemError
from inverse.fullsize import blocks, damage
from inverse.fullsize.windows import Box
from inverse.imaging import masks
from inverse.operators.inpainting import Inpaint
from inverse.settings import Settings
from inverse.solvers.cost import seconds_per_pixel, spoken

SECONDS_BESIDE = 3e-7
"""Seconds for each pixel of the photo: to decode and write it, and to look for its damage."""
SECONDS_A_PART = 0.05
"""Seconds for each window: its problem, its noise, its grain."""
GUIDED_HOLE, GUIDED_CALL = 3.0, 3.0
"""What the conditional estimator costs in a window with a hole, in passes of the network: its algebra takes about a
hundred steps there, once for a window and again for every noise level, which elsewhere are one."""
BYTES_BESIDE = 22
"""Bytes for each pixel of the photo: as it is, as it becomes, its mask, and what counts how often."""


@dataclass(frozen=True)
class Plan:
    """Of a photo of a size, known without its pixels.

    Attributes:
        size: (H, W) of the photo.
        settings: with `full_size`.
        auxiliary: the mask or kernel that the task needs, as `Task.load` gives it; that in the settings when None.
    """

    size: tuple[int, int]
    settings: Settings
    auxiliary: Image.Image | None = None

    @property
    def by_windows(self) -> bool:
        """Whether a part is missing, and all else stays as it is."""
        task = self.settings.task
        return isinstance(task, Inpaint) and task.keep_known != "never"

    @property
    def kind(self) -> str:
        """What its parts are called."""
        return "windows" if self.by_windows else "blocks"

    @cached_property
    def missing(self) -> np.ndarray:
        """(H, W), True where the photo is missing.

        Raises:
            ProblemError: there is no mask, it is of another shape, or marks nothing or everything.
        """
        task = self.settings.task
        if task.auxiliary:
            found = masks.at(self.helper, self.size)
            if found.all() or not found.any():  # which says it in a sentence
                task.operator((3, *self.size), torch.Generator(), torch.from_numpy(found).float())
            return found
        generator = randomness.generator(self.settings.seed, randomness.MEASUREMENT)
        return ~blocks.known(self.settings, self.size, generator, None).numpy()

    @cached_property
    def scales(self) -> list[damage.Level]:
        """Where windows are, by scales."""
        return damage.levels(damage.grown(self.missing))

    @cached_property
    def parts(self) -> list[Box]:
        """Windows of every scale, or blocks.

        Raises:
            ProblemError: photo, mask and task do not fit.
        """
        if self.by_windows:
            return [box for scale in self.scales for box in scale.windows]
        return [part.image for part in blocks.blocks(self.size, self.settings.task, self.settings.guides)]

    @property
    def counted(self) -> str:
        """How many there are, in words."""
        return f"{len(self.parts)} {self.kind if len(self.parts) != 1 else self.kind[:-1]}"

    @cached_property
    def asked(self) -> list[Box]:
        """The pictures that go through the network: windows, or the tiles of blocks."""
        if self.by_windows or self.settings.guides:
            return self.parts
        return [Box(*tile) for box in self.parts for tile in tiled.boxes(box.height, box.width)]

    @property
    def megapixels(self) -> float:
        """Of all that goes through the network in one pass."""
        return sum(box.area for box in self.asked) / 1e6

    @property
    def passes(self) -> float:
        """What a part costs, in forward passes of the network on it."""
        passes = self.settings.passes
        return GUIDED_HOLE + GUIDED_CALL * passes if self.by_windows and self.settings.guides else passes

    @property
    def work(self) -> float:
        """Network passes times megapixels."""
        return self.passes * self.megapixels

    @property
    def helper(self) -> Image.Image:
        """The mask or kernel; ProblemError where there is none."""
        picture = self.auxiliary or self.settings.auxiliary_picture
        if picture is None:
            kind = self.settings.task.auxiliary
            raise ProblemError(f"The task {self.settings.task.name} needs a {kind}. Give it as a picture.")
        return picture

    @property
    def notes(self) -> list[str]:
        """Sentences on how the mask was taken."""
        if not self.by_windows or not self.settings.task.auxiliary:
            return []
        mask, (height, width) = self.helper, self.size
        words = [f"The mask marks {self.missing.mean():.2%} of the pixels as missing."]
        if mask.size != (width, height):
            words.append(
                f"It is {mask.width}x{mask.height} and was fitted to the photo's {width}x{height}: what a missing "
                "pixel touches is missing."
            )
        return words

    def seconds(self, per_pixel: float) -> float:
        """About how long it takes, where a pass of the network takes so long for each pixel."""
        whole = self.size[0] * self.size[1]
        return 1e6 * self.work * per_pixel + SECONDS_BESIDE * whole + SECONDS_A_PART * len(self.parts)

    def bytes(self, denoiser: Denoiser) -> float:
        """Memory that it takes, above what the program has at the start."""
        part, pictures = (max((box.area for box in boxes), default=0) for boxes in (self.parts, self.asked))
        network = memory.bytes_per_pixel(denoiser, self.settings.solver.cost[1] > 0) * pictures
        state = memory.COPIES * 3 * 4 * max(0, part - pictures)  # of the solver, beyond what is counted there
        at_once = max(1, 2**20 // max(part, 1)) if denoiser.batches else 1
        return at_once * (network + state) + BYTES_BESIDE * self.size[0] * self.size[1]

    def forecast(self, denoiser: Denoiser) -> Forecast:
        """What it will take here, by a measured pass."""
        return Forecast(self, self.seconds(seconds_per_pixel(denoiser)), self.bytes(denoiser))


@dataclass(frozen=True)
class Forecast:
    """What a plan takes on a machine.

    Attributes:
        plan: it.
        seconds: about how long.
        bytes: of memory, above what the program has at the start.
    """

    plan: Plan
    seconds: float
    bytes: float

    @property
    def words(self) -> str:
        """All of it in a sentence."""
        plan, gigabytes = self.plan, max(0.1, self.bytes / 1e9)
        return (
            f"{plan.counted}, {plan.megapixels:.1f} megapixels in all, about {plan.passes:.0f} network passes each: "
            f"about {spoken(self.seconds)} and {gigabytes:.1f} GB of memory"
        )

    def check(self, denoiser: Denoiser) -> None:
        """Refuses what does not fit into memory.

        Raises:
            CapacityError: it does not.
        """
        free = memory.free_bytes(denoiser.device)
        if free is not None and self.bytes > free:
            raise CapacityError(
                f"This needs about {self.bytes / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free. Close other "
                "programs, choose a solver without gradients, or a smaller photo."
            )
