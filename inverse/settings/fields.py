"""How a field of `Settings` is declared, once: JSON, flags, the form and the differences are made from that."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from inverse.operators import Task, noise
from inverse.operators.chain import LONGEST, link
from inverse.parameters import Choice, Flag, Integer, Real, Spec, Text


@dataclass(frozen=True)
class Damages(Spec):
    """Further tasks, in the order in which they happened."""

    most: int = LONGEST - 1

    @property
    def limits(self) -> str:
        return f"a list of at most {self.most} damages, each a task's name, or its name and its parameters"

    def check(self, name: str, value: Any) -> tuple[Task, ...]:
        if value is None or value == "":
            return ()
        if not isinstance(value, list | tuple) or len(value) > self.most:
            raise self.refuse(name, value)
        return tuple(link(each) for each in value)


CLEAN, DEGRADED = "clean", "degraded"

MODE = Choice(
    help="Whether the photo is clean, and degraded here first, or degraded already.", options=(CLEAN, DEGRADED)
)
THEN = Damages(
    help="What happened to the photo after the task's damage, one thing after another: each a task with parameters of "
    "its own.",
    effect="One too many invents a fault and its repair; one too few leaves it in the photo.",
)
SIZE = Integer(help="Shorter side to which the photo is resized.", low=8, high=2048, unit="pixels")
SEED = Integer(
    help="Seed of everything random; on one machine the same seed gives the same result.", low=0, high=2**32 - 1
)
SAMPLES = Integer(
    low=1, high=64, help="How many restorations to draw, each with randomness of its own.",
    effect="One shows no doubt; several show where the image is guessed, and take as many times longer.",
)  # fmt: skip
ESTIMATOR_SCALE = Real(
    low=0.0, high=3.0, help="Weight of the conditional estimator, a prior that has learned to look at the measurement: "
    "0 is the prior alone, 1 the estimator, more goes beyond it.",
    effect="At 0 and 1 a call takes one pass of a network, between and beyond two.",
)  # fmt: skip
STRENGTH = Real(
    low=0.0, high=1.0, help="How much of the restoration is kept: 1 is all of it, 0 the photo as it was. What is "
    "missing is always filled in whole.",
    effect="Less brings back some of the damage, and some of what the restoration took with it.",
)  # fmt: skip
FULL_SIZE = Flag(
    help="Restore a photo that is degraded already at its own resolution, up to 40 megapixels: by windows around what "
    "is missing, which leave every other pixel as it is; by large blocks where all of it is damaged."
)  # fmt: skip
KEEP_METADATA = Flag(
    help="At full size: carry over the colour profile and, of EXIF, camera, exposure and date; never the place."
)  # fmt: skip
PYRAMID = Flag(
    help="High noise is answered at a coarser size, where that was measured to be as good.",
    effect="Off, a run from high noise takes half as long again.",
)  # fmt: skip
PRIOR = Text(
    help="The prior: embedded, OWNER/NAME@COMMIT on the Hugging Face Hub, or NAME@KIND:DIGEST of a file or folder, "
    "without where it lies.", shortest=1, longest=200,
)  # fmt: skip
AUXILIARY = Text(help="The picture that some tasks need, a mask or a kernel: base64 of a PNG.", longest=500_000)


@dataclass(frozen=True)
class Setting:
    """What is known about a field of `Settings`, besides its name and default.

    Attributes:
        spec: its range and what it does.
        none: what it means when it is left open; empty where it cannot be.
        clean_only: it is for a clean photo, which is degraded here.
        linear_only: it is for a linear task.
        axis: it may be swept.
    """

    spec: Spec
    none: str = ""
    clean_only: bool = False
    linear_only: bool = False
    axis: bool = False

    def check(self, name: str, value: Any) -> Any:
        """The value in its canonical type; ParameterError when it is not allowed."""
        return None if value is None and self.none else self.spec.check(name, value)


def setting(
    default: Any, spec: Spec, *, none: str = "", clean_only: bool = False, linear_only: bool = False, axis: bool = False
) -> Any:
    """A dataclass field; the arguments are those of `Setting`."""
    known = Setting(spec, none, clean_only, linear_only, axis)
    return dataclasses.field(default=default, metadata={"setting": known})


NOISE = f"{noise.DEFAULT_SIGMA_Y:g} for a clean photo, estimated in a degraded one"
