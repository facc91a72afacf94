"""What a figure's caption says of the runs in it: every setting that made them, in words."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from inverse.denoisers.cards import short
from inverse.parameters import Parameters
from inverse.settings.settings import Settings
from inverse.solvers import Solver

ALWAYS = ("seed", "sigma_y")
"""Settings that are said even where they are as by themselves."""


def caption(settings: Settings, varied: Collection[str] = ()) -> str:
    """Sentences on a run, or on several that differ by the settings `varied` only, which are then left out."""
    return f"{of_damage(settings, varied)} {of_solver(settings.solver, varied)}"


def of_damage(settings: Settings, varied: Collection[str] = ()) -> str:
    """What happened to the photo, how noisy it is, and what else is the same whatever the solver."""
    shared = settings.solver.specs()  # a parameter of the task that has the name of one of the solver's
    links = [_named(settings.task, varied, lambda name: f"task.{name}" if name in shared else name)]
    links += [_named(link, varied, f"then{at}.{{}}".format) for at, link in enumerate(settings.then, 1)]
    usual, said = settings.defaults(), []
    for name in (*settings.numbers(), *settings.flags()):
        value = getattr(settings, name)
        if name not in varied and value is not None and (value != usual[name] or name in ALWAYS):
            said.append(f"{name} {_text(value)}")
    if "prior" not in varied:
        said.append(f"prior {short(settings.prior)}")
    kind = "Damaged photo" if settings.degraded else "Damaged here"
    return f"{kind}: {', then '.join(links)}; {', '.join(said)}."


def of_solver(solver: Solver, varied: Collection[str] = ()) -> str:
    """A solver and all its parameters."""
    inside = _inside(solver, varied, str)
    return f"{solver.title}: {inside}." if inside else f"{solver.title}."


def _named(owner: Parameters, varied: Collection[str], axis: Callable[[str], str]) -> str:
    inside = _inside(owner, varied, axis)
    return f"{owner.title} ({inside})" if inside else owner.title


def _inside(owner: Parameters, varied: Collection[str], axis: Callable[[str], str]) -> str:
    """Its parameters that are not varied; `axis` is what a sweep calls one of them."""
    values = {name: value for name, value in owner.to_dict().items() if axis(name) not in varied}
    return ", ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)
