"""The tables that the search writes, as TOML: of presets, and of what classical methods reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from inverse.operators import TASKS
from inverse.solvers import SOLVERS, advice
from inverse.solvers.presets import Preset, Table


def merged(table: Table, found: Table) -> Table:
    """The table with rows replaced, solvers and tasks in the registries' order."""
    both = {name: {**table.get(name, {}), **found.get(name, {})} for name in SOLVERS}
    return {name: {task: both[name][task] for task in TASKS if task in both[name]} for name in SOLVERS if both[name]}


def to_toml(table: Table) -> str:
    """The table as a file that `presets.read` reads."""
    lines = [
        "# Settings that differ from the solver's defaults, with the dB that they and the defaults reached.",
        "# Written by `python -m inverse.evaluation.tune`, where it is said how.",
    ]
    for solver, tasks in table.items():
        lines += ["", f"[{solver}]", *(f"{task} = {_inline(_row(row))}" for task, row in tasks.items())]
    return "\n".join(lines) + "\n"


def _row(row: Preset) -> dict[str, Any]:
    figures = {
        name: round(value, 2) for name in ("psnr", "whole", "defaults") if (value := getattr(row, name)) is not None
    }
    source = {"source": row.source} if row.source else {}
    return {**figures, **source, "settings": row.settings}


def _inline(values: Mapping[str, Any]) -> str:
    def written(value: Any) -> str:
        if isinstance(value, float) and not np.isfinite(value):
            return "-inf"
        return _inline(value) if isinstance(value, Mapping) else json.dumps(value)

    return "{ " + ", ".join(f"{name} = {written(value)}" for name, value in values.items()) + " }" if values else "{}"


def baselines_to_toml(table: Mapping[str, Mapping[str, advice.Figures]]) -> str:
    """The figures as a file that `advice.read` reads."""
    lines = [
        "# What classical methods reach where the presets were measured, in dB: on crops and on whole photos.",
        "# Written by `python -m inverse.evaluation.tune --baselines`.",
    ]
    for task, methods in table.items():
        rows = ({name: round(value, 2) for name, value in figures.items()} for figures in methods.values())
        lines += ["", f"[{task}]"]
        lines += [f"{json.dumps(title)} = {_inline(row)}" for title, row in zip(methods, rows, strict=True)]
    return "\n".join(lines) + "\n"
