"""What the page lets a visitor choose from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from inverse import randomness
from inverse.batch.sweep import FURTHER, PRIOR, Axis, sweepable
from inverse.denoisers import cards
from inverse.denoisers.cards import EMBEDDED
from inverse.errors import ParameterError
from inverse.operators import TASKS, Task, make_task, noise
from inverse.settings import CLEAN, DEGRADED, Settings, saved
from inverse.settings import SAMPLES as ANY_SAMPLES
from inverse.solvers import SOLVERS
from inverse.solvers.presets import fits, solvers_for
from inverse.text import visible
from inverse.web.elements.controls import label
from inverse.web.jobs import priors

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
    """As `Settings.from_dict`, for settings that `create` takes. A prior that is not offered is left out, and named."""
    values, notes = saved.understood(data, Settings.specs())
    named = Settings.specs()[PRIOR].check(PRIOR, values.get(PRIOR, EMBEDDED))
    try:
        values[PRIOR] = priors.find(named).identity
    except ParameterError:
        del values[PRIOR]
        words = "this page does not offer it. Use the command line for this run."
        notes.append(f"prior {visible(named)} was left out: {words}")
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
    solver, choices = settings.solver.specs(), []
    several = len(priors.usable()) > 1
    for name in sweepable(settings):
        if name == PRIOR and not several:
            continue
        own = label(name)
        plain = name in solver or name in Settings.specs() or FURTHER.fullmatch(name)
        choices.append((own if plain else f"Damage: {own}", name))
    return choices


def solvers_here(task: str | Task, prior: str) -> list[str]:
    """Names of the solvers that can deal with the task, and with the prior; those that suit both come first.

    Raises:
        ParameterError: the task is unknown, or the prior not offered.
    """
    card, damage = priors.find(prior).card, make_task(task) if isinstance(task, str) else task
    able = [name for name in solvers_for(damage.name, card.kind) if fits(damage, name, card.kind)]
    return [name for name in able if card.name == EMBEDDED or not SOLVERS[name].needs_estimator]


def solver_choices(task: str | Task, prior: str) -> list[tuple[str, str]]:
    """(title, name) of the same."""
    return [(SOLVERS[name].title, name) for name in solvers_here(task, prior)]


def prior_choices(chosen: str) -> list[tuple[str, str]]:
    """(title, name) of the other priors that can be used now."""
    found = priors.offered()
    return [(found[name].card.title or cards.short(name), name) for name in priors.usable() if name != chosen]


def with_offered_priors(axis: Axis) -> Axis:
    """An axis of priors as somebody wrote them, by what settings keep of those that are offered; others as they are.

    Raises:
        ParameterError: one of them is not offered.
    """
    if axis.name != PRIOR:
        return axis
    return replace(axis, values=tuple(dict.fromkeys(priors.find(name).identity for name in axis.values)))


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


def smaller(settings: Settings) -> str:
    """What to choose for a smaller image, in a sentence: on the page, a degraded photo has no other size."""
    return "a smaller photo" if settings.degraded else "a smaller size"
