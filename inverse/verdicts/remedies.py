"""What to try instead, as changes of settings that are allowed, and that are not those which were used."""

from __future__ import annotations

import math
from typing import Any

from inverse.operators import Task
from inverse.operators.noise import SIGMA_Y
from inverse.parameters import Integer, Real
from inverse.settings import Settings
from inverse.solvers.qualities import NATURAL, STANDARD
from inverse.verdicts.finding import Remedy

PARAMETER = {"deblur-gaussian": ("std", 1.0), "deblur-disk": ("radius", 1.6), "deblur-uniform": ("kernel_size", 2.9)}
"""How a blur is said by its task, and how many times that is the Gaussian that a photo with it looks blurred by. A disk
of radius r has the standard deviation r / 2 in each direction, a square of side k has k / sqrt(12); their spectra fall
faster at first than a Gaussian's, and the fit says 1.25 and 1.2 times as much."""
SHARP = 0.6
"""Width below which a photo is not blurred: single pixels are sharp."""
SAMPLES = 4
"""Enough to see what differs."""


def noise(level: float, used: float) -> Remedy | None:
    """Another sigma_y; None where it is the one that was used."""
    value = min(max(_round(level), SIGMA_Y.low), SIGMA_Y.high)
    if math.isclose(value, used, rel_tol=0.1):
        return None
    return Remedy(f"Try {'more' if value > used else 'less'} noise: {value:g}", {"sigma_y": value})


def width(task: Task, found: float | None) -> Remedy | None:
    """The blur that a photo shows; None where it shows none, its task says it otherwise than by one width, or others
    follow it."""
    if found is None or found < SHARP or not sized(task):
        return None
    name, factor = PARAMETER[task.name]
    spec = task.specs()[name]
    if not isinstance(spec, Real | Integer):
        return None
    value: Any = _round(found * factor)
    value = min(max(round(value) if isinstance(spec, Integer) else value, spec.low), spec.high)
    if value == getattr(task, name):
        return None
    return Remedy(
        f"Try a {'larger' if value > getattr(task, name) else 'smaller'} blur: {value:g}", {f"task.{name}": value}
    )


def both(one: Remedy | None, other: Remedy | None) -> Remedy | None:
    """Two remedies as one."""
    if one is None or other is None:
        return one or other
    return Remedy(f"{one.label}, and {other.label.removeprefix('Try ')}", {**one.changes, **other.changes})


def sized(task: Task) -> bool:
    """Whether its blur is one width, and a photo can tell it."""
    return task.name in PARAMETER and not hasattr(task, "links")


def standard(settings: Settings | None) -> Remedy | None:
    """The usual method, unless it was that."""
    if settings is not None and settings.quality == STANDARD:
        return None
    return Remedy("Try the standard quality", {"quality": STANDARD})


def spread(task: Task) -> Remedy | None:
    """Several samples, of a method that draws them as they might be; None where no such method is known to be."""
    if not task.estimable or hasattr(task, "links"):
        return None
    return Remedy("See the spread", {"quality": NATURAL, "samples": SAMPLES})


def _round(value: float) -> float:
    return float(f"{value:.2g}")
