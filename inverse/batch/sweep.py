"""A sweep: one or two parameters over several values each, everything else as it is.

settings = Settings.create(task="denoise", size=128)
sweep = Sweep(settings, (axis(settings, "steps", "10,20,40"), axis(settings, "sigma_max", "1:40:log 4")))
for progress in run_all(sweep.runs, "photo.jpg"): ...
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from inverse.denoisers import cards
from inverse.errors import ParameterError
from inverse.parameters import Choice, Flag, Integer, Real, Spec
from inverse.settings import SEED, Settings
from inverse.settings.another_prior import with_prior

PRIOR = "prior"
"""The name of that axis."""
MAX_VALUES = 64
MAX_TEXT = 1000
"""Characters of an axis; 64 values of 14 characters and their commas fit."""
RANGE = re.compile(r"([^:\s][^:]*):([^:]+):\s*(?:(log)\s*)?(\d+)")
"""For stripped text. No two parts that repeat can take the same characters, so it is matched in linear time."""

FURTHER = re.compile(r"then(\d)\.(\w+)")
"""The name of an axis that is a parameter of a further damage."""


@dataclass(frozen=True)
class Axis:
    """Values of one parameter.

    Attributes:
        name: as in `sweepable`.
        values: at least one, each allowed, none twice.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def labels(self) -> list[str]:
        if self.name == PRIOR:
            return [cards.short(value) for value in self.values]
        return [f"{value:g}" if isinstance(value, float) else str(value) for value in self.values]


@dataclass(frozen=True)
class Sweep:
    """Settings and the axes along which they change: columns by the first axis, rows by the second one, if any."""

    settings: Settings
    axes: tuple[Axis, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.axes) <= 2 or len({axis.name for axis in self.axes}) != len(self.axes):
            raise ParameterError("A sweep has one axis or two different ones. Choose another parameter.")
        _ = self.runs  # every cell is checked before the first one is run

    @property
    def columns(self) -> int:
        return len(self.axes[0].values)

    @property
    def rows(self) -> int:
        return len(self.axes[1].values) if len(self.axes) > 1 else 1

    @property
    def runs(self) -> list[Settings]:
        """The settings of every cell, row by row."""
        x, *more = [[(axis.name, value) for value in axis.values] for axis in self.axes]
        cells = [dict((*row, column)) for row in product(*more) for column in x]
        return [with_values(self.settings, cell) for cell in cells]


def sweepable(settings: Settings) -> dict[str, Spec]:
    """What can be an axis: every parameter of the solver, then the seed, the noise and every parameter of the task.

    A parameter of the task that has the name of one of the solver's is called "task.name", and one of a further damage
    "then1.name", "then2.name" and so on.
    """
    solver = settings.solver.specs()
    task = {f"task.{name}" if name in solver else name: spec for name, spec in settings.task.specs().items()}
    then = {
        f"then{place}.{name}": spec
        for place, each in enumerate(settings.then, 1)
        for name, spec in each.specs().items()
    }
    return {**solver, **_axes(settings), **task, **then}


def _axes(settings: Settings) -> dict[str, Spec]:
    """Settings beside task and solver that can be axes."""
    fitting = (each for each in settings.specs().items() if settings.damage.estimable or not each[1].linear_only)
    return {name: known.spec for name, known in fitting if known.axis}


def axis(settings: Settings, name: str, text: str) -> Axis:
    """An axis of values that a person wrote: `a,b,c`, or `low:high:n`, or `low:high:log n`.

    The values of a range have three significant digits between its exact ends.

    Raises:
        ParameterError: the parameter is unknown, the text is not understood, or a value is not allowed.
    """
    specs = sweepable(settings)
    if name not in specs:
        raise ParameterError(f"{name[:40]!r} cannot be swept here. Choose one of: {', '.join(specs)}.")
    return Axis(name, values(name, specs[name], text))


def values(name: str, spec: Spec, text: str) -> tuple[Any, ...]:
    """The values that a text means, each checked; see `axis`."""
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise ParameterError(
            f"{name} has {len(text)} characters of values; at most {MAX_TEXT} are possible. Write fewer, or a range."
        )
    if match := RANGE.fullmatch(text):
        found = _range(name, spec, *match.groups())
    else:
        words = [word.strip() for word in text.split(",")]
        if len(words) > MAX_VALUES:
            raise ParameterError(f"{name} has {len(words)} values; at most {MAX_VALUES} are possible. Leave some out.")
        if not all(words) or (":" in text and not isinstance(spec, Choice)):
            raise ParameterError(
                f"{text[:40]!r} gives no values for {name}. Write values like 1,2,3 or a range like 1:10:4 or "
                "0.1:10:log 5."
            )
        found = [spec.parse(name, word) for word in words]
    return tuple(dict.fromkeys(found))


def suggestion(spec: Spec, value: Any) -> str:
    """Values around the present one, as a text: every option, or a range from below to above."""
    if isinstance(spec, Choice):
        return ",".join(spec.options)
    if isinstance(spec, Flag):
        return "false,true"
    if spec is SEED:
        return ",".join(str(seed) for seed in range(value, min(value + 4, SEED.high + 1)))
    if not isinstance(spec, Integer | Real):
        return str(value)
    factors = isinstance(spec, Integer) or spec.log
    if factors and value > 0:
        low, high = max(spec.low, value / 2), min(spec.high, value * 2)
        low, high = (math.ceil(low), math.floor(high)) if isinstance(spec, Integer) else (low, high)
        scale = "log "
    else:
        reach = (spec.high - spec.low) / 4
        low, high, scale = max(spec.low, value - reach), min(spec.high, value + reach), ""
        low, high = (round(low), round(high)) if isinstance(spec, Integer) else (low, high)
    low, high = (str(end) if isinstance(end, int) else f"{end:.3g}" for end in (low, high))
    return f"{low}:{high}:{scale}3" if low != high else f"{value}" if isinstance(value, int) else f"{value:g}"


def _range(name: str, spec: Spec, low: str, high: str, log: str | None, count: str) -> list[Any]:
    if not isinstance(spec, Real | Integer):
        raise ParameterError(f"{name} is {spec.limits}, which has no range. Write its values with commas between.")
    ends, n = [spec.parse(name, end.strip()) for end in (low, high)], int(count[:9])
    if not 2 <= n <= MAX_VALUES:
        raise ParameterError(f"A range has 2 to {MAX_VALUES} values, and {n} were asked for {name}. Change the number.")
    if log and min(ends) <= 0:
        raise ParameterError(f"A range by factors cannot reach 0. Start {name} above it, or leave out 'log'.")
    a, b = (math.log(end) for end in ends) if log else ends
    inner = [a + (b - a) * i / (n - 1) for i in range(1, n - 1)]
    inner = [math.exp(value) if log else value for value in inner]
    rounded = [round(value) if isinstance(spec, Integer) else float(f"{value:.3g}") for value in inner]
    inside = [min(max(value, min(ends)), max(ends)) for value in rounded]
    return [spec.check(name, value) for value in (ends[0], *inside, ends[1])]


def value_of(settings: Settings, name: str) -> Any:
    """What the settings have for an axis."""
    if name in _axes(settings):
        return getattr(settings, name)
    if name in settings.solver.specs():
        return getattr(settings.solver, name)
    if match := FURTHER.fullmatch(name):
        return getattr(settings.then[int(match[1]) - 1], match[2])
    return getattr(settings.task, name.removeprefix("task."))


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with a value on each axis."""
    # The prior first: it brings the solver's preset for its kind, from which another axis then differs.
    for name in sorted(values, key=lambda name: name != PRIOR):
        settings = with_value(settings, name, values[name])
    return settings


def with_value(settings: Settings, name: str, value: Any) -> Settings:
    """The settings with one value on an axis.

    With a prior of another kind, what the solver has from its preset is that of the new kind.
    """
    if name == PRIOR:
        return with_prior(settings, value)
    if name in _axes(settings):
        return replace(settings, **{name: value})
    if name in settings.solver.specs():
        return replace(settings, solver=settings.solver.replace(**{name: value}))
    if match := FURTHER.fullmatch(name):
        then = list(settings.then)
        then[int(match[1]) - 1] = then[int(match[1]) - 1].replace(**{match[2]: value})
        return replace(settings, then=tuple(then))
    return replace(settings, task=settings.task.replace(**{name.removeprefix("task."): value}))
