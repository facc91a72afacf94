"""What there is to choose from, as plain data for JSON: tasks, solvers, their parameters with ranges, presets."""

from __future__ import annotations

import math
from typing import Any

import inverse
from inverse.operators import TASKS
from inverse.parameters import Choice, Flag, Integer, Parameters, Real, Spec, Text
from inverse.settings import SCHEMA, Settings
from inverse.settings.fields import Damages
from inverse.settings.saved import plain_data
from inverse.solvers import SOLVERS
from inverse.solvers.advice import advice
from inverse.solvers.defaults import default_solver
from inverse.solvers.presets import DEFAULT_TASK, PRESETS, solvers_for
from inverse.solvers.qualities import QUALITIES, at_quality, offered


def listing() -> dict[str, Any]:
    """Everything that `Settings.from_dict` understands.

    Ranges are written as in JSON Schema: `minimum`, `maximum`, `enum`. `presets` of a solver are its parameters by
    task, as far as they differ from the defaults. The default solver is that of the default task; each has its own, as
    `default_solver`. `qualities` are names that settings take in the place of a solver, and what they are for a
    task. `advice` of a task says, by solver, where a classical method is better.
    """
    defaults = Settings.defaults()
    return {
        "inverse": inverse.__version__,
        "schema": SCHEMA,
        "settings": {
            "task": {"type": "string", "enum": list(TASKS), "default": DEFAULT_TASK},
            "solver": {"type": "string", "enum": list(SOLVERS), "default": default_solver(DEFAULT_TASK)},
            **{
                name: described(known.spec)
                | ({"none": known.none} if known.none else {"default": plain_data(defaults[name])})
                for name, known in Settings.specs().items()
            },
        },
        "qualities": {each.name: {"title": each.title, "help": each.help} for each in QUALITIES.values()},
        "tasks": [
            {
                **_shared(kind),
                "auxiliary": kind.auxiliary,
                "linear": kind.linear,
                "solvers": solvers_for(name),
                "default_solver": default_solver(name),
                "qualities": {quality: plain_data(at_quality(quality, kind())) for quality in offered(kind())},
                "advice": {solver: words for solver in solvers_for(name) if (words := advice(name, solver))},
            }
            for name, kind in TASKS.items()
        ],
        "solvers": [
            {
                **_shared(kind),
                "source": kind.source,
                "paper": kind.paper,
                "linear_only": kind.linear_only,
                "uses_sigma_y": kind.uses_sigma_y,
                "presets": {task: dict(row.settings) for task, row in PRESETS.get(name, {}).items()},
            }
            for name, kind in SOLVERS.items()
        ],
    }


def described(spec: Spec) -> dict[str, Any]:
    """One parameter, but for its default."""
    words = {"help": spec.help, "effect": spec.effect, "unit": spec.unit, "advanced": spec.advanced}
    if isinstance(spec, Choice):
        return {"type": "string", "enum": list(spec.options), **words}
    if isinstance(spec, Flag):
        return {"type": "boolean", **words}
    if isinstance(spec, Text):
        return {"type": "string", "minLength": spec.shortest, "maxLength": spec.longest, **words}
    if isinstance(spec, Damages):
        return {"type": "array", "items": {"type": ["string", "object"]}, "maxItems": spec.most, **words}
    if not isinstance(spec, Integer | Real):
        raise TypeError(f"no description for {type(spec).__name__}")
    limits = {"minimum": spec.low, "maximum": spec.high}
    finite = {name: limit for name, limit in limits.items() if math.isfinite(limit)}
    return {"type": "integer" if isinstance(spec, Integer) else "number", **finite, **words}


def _shared(kind: type[Parameters]) -> dict[str, Any]:
    defaults = kind.defaults()
    return {
        "name": kind.name,
        "title": kind.title,
        "summary": kind.summary,
        "parameters": {name: {**described(spec), "default": defaults[name]} for name, spec in kind.specs().items()},
    }
