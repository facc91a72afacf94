"""What the page lets a visitor choose from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from inverse import randomness
from inverse.batch.sweep import sweepable
from inverse.errors import ParameterError
from inverse.operators import TASKS, Task, noise
from inverse.settings import CLEAN, DEGRADED, Settings, saved
from inverse.settings import SAMPLES as ANY_SAMPLES
from inverse.solvers import SOLVERS
from inverse.solvers.presets import solvers_for
from inverse.web.elements.controls import label

SIZES = (128, 256, 384, 512)
DEFAULT_SIZE = 256
SAMPLES = replace(ANY_SAMPLES, high=8)
"""As many as fit beside the player."""


def create(**values: Any) -> Settings:
    """Settings of what came from the page, as by `Settings.create`, where no number may be left open.

    Raises:
        ParameterError: with a sentence that names the field and its range.
    """
    noise.SIGMA_Y.check("sigma_y", values.get("sigma_y"))
    SAMPLES.check("samples", values.get("samples", 1))
    return Settings.create(**values)


def understood(data: Any) -> tuple[Settings, list[str]]:
    """As `Settings.from_dict`, for settings that `create` takes."""
    values, notes = saved.understood(data, Settings.specs())
    return create(**values), notes


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
        choices.append((own if name in solver or name in Settings.specs() else f"Damage: {own}", name))
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
