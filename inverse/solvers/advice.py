"""What classical methods reach beside the presets, and a sentence where one of them is better."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

from inverse.denoisers.cards import EMBEDDED
from inverse.operators import TASKS, Task
from inverse.operators.chain import Chain
from inverse.solvers import SOLVERS
from inverse.solvers.presets import PRESETS, Preset, Table, remark

FILE = Path(__file__).with_name("baselines.toml")
"""Written by `python -m inverse.evaluation.tune --baselines`, on what the presets are measured on."""

Figures = dict[str, float]
"""dB by the name that `Preset` has for it: psnr on crops, whole on whole photos."""
Baselines = Mapping[str, Mapping[str, Figures]]
"""Figures by task and method."""

VIEWS = ("psnr", "whole")
NOTICEABLE = 0.05
"""dB by which a method must be better to be named; less is written as 0.0."""


def read(file: Path = FILE) -> dict[str, dict[str, Figures]]:
    """The figures in a file."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


BASELINES = read()


def best_baseline(
    task: str, views: tuple[str, ...] = VIEWS, baselines: Baselines = BASELINES
) -> tuple[str, float] | None:
    """The classical method that reaches most, and its dB, the mean over the views; None where none was measured."""
    methods = {title: _mean(figures, views) for title, figures in baselines.get(task, {}).items()}
    return max(methods.items(), key=lambda item: item[1]) if methods else None


def lead(task: str, solver: str, table: Table = PRESETS, baselines: Baselines = BASELINES) -> tuple[str, float] | None:
    """The best classical method and by how many dB it is better than the preset, where it is; otherwise None.

    Both are compared where both were measured: the mean over crops and whole photos, or over crops alone.
    """
    row = table.get(solver, {}).get(task, Preset())
    views = tuple(view for view in VIEWS if getattr(row, view) is not None)
    found = best_baseline(task, views, baselines) if views else None
    if found is None:
        return None
    title, reached = found
    ahead = reached - _mean(vars(row), views)
    return (title, ahead) if ahead >= NOTICEABLE else None


def advice(task: str, solver: str, kind: str = EMBEDDED) -> str:
    """A sentence for whoever chooses the solver for the task; empty where its preset is the better one.

    With a prior of a kind that has no presets it says that instead.
    """
    if words := remark(kind):
        return words
    found = lead(task, solver)
    if found is None:
        return ""
    title, ahead = found
    better = f"{ahead:.1f} dB better than {SOLVERS[solver].title} at its preset"
    return f"By PSNR, a classical method does this task {better}: {title}."


def advice_for(task: Task, solver: str, kind: str = EMBEDDED) -> str:
    """As `advice`; of a chain, whose presets are used and that nobody has tuned them for it."""
    if not isinstance(task, Chain):
        return advice(task.name, solver, kind)
    return remark(kind) or (
        f"Several damages: the solver starts from its preset for {TASKS[task.name].title}, which is not tuned for them "
        "together. Sweep it."
    )


def _mean(figures: Mapping[str, float], views: tuple[str, ...]) -> float:
    return sum(figures[view] for view in views) / len(views)
