"""The search behind `presets.toml`: one parameter at a time, on held-out photos, with the embedded prior or another.

    python -m inverse.evaluation.tune                     # every solver on every task: some hours of two cores
    python -m inverse.evaluation.tune dps --task hdr      # one pair
    python -m inverse.evaluation.tune ac-dc --crops       # searched on crops only: a fifth of the time
    python -m inverse.evaluation.tune --measure           # no search: only measures the table again, for a new prior
    python -m inverse.evaluation.tune --prior NAME        # for another kind of prior, whose table is a file of its own
    python -m inverse.evaluation.tune --baselines         # only measures the classical methods: some minutes

Of each kind of task one is searched, from the better of the solver's defaults and the table's row; the others of the
kind take what was found there, their own row of the table or the defaults, whichever reaches most. What is measured
is the mean PSNR over three photographs that the prior was not trained on (one of them, coffee, is also in
docs/solvers.md), with sigma_y 0.05 and the same randomness for every trial: over their middle, where a photo is smooth,
and over the whole photos made small, where it is full of detail and holes are large. What is good for one of the two
need not be for the other, so the mean of both decides. The number of steps is not searched: more of them would always
win a little. Solvers that take long are searched with a quarter of their steps and on the middle only; what was found
is measured, and chosen or not, with all steps and on both.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click
import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError
from inverse.estimators.catalog import guided
from inverse.evaluation.baselines import baselines
from inverse.imaging import images, metrics
from inverse.imaging.files import write_text
from inverse.operators import TASKS, Task
from inverse.parameters import Real
from inverse.results.problem import Problem
from inverse.settings import Settings
from inverse.solvers import SOLVERS, Solver, advice, presets
from inverse.solvers.cost import passes
from inverse.solvers.presets import Preset, Table, possible

PHOTOS: tuple[Callable[[], np.ndarray], ...] = (
    skimage.data.coffee,
    skimage.data.rocket,
    lambda: skimage.data.stereo_motorcycle()[0],
)
CROP, WHOLE = "psnr", "whole"
"""What is restored of a photo, by the name of the figure in the table: its middle, and all of it."""
VIEWS = {CROP: (256, 64), WHOLE: (128, 128)}
"""The size in pixels at which photos are used then, and that of the middle which is restored."""

# Of each kind the task that is searched, and the others.
KINDS: dict[str, tuple[str, ...]] = {
    "inpaint-random": ("inpaint-periodic", "demosaic", "compressed-sensing"),
    "inpaint-box": ("inpaint-mask",),
    "inpaint-half": (),
    "deblur-gaussian": ("deblur-uniform", "deblur-motion", "deblur-shake", "deblur-disk", "deblur-kernel"),
    "super-resolution": ("super-resolution-bicubic",),
    "colorize": (),
    "colorize-strokes": (),
    "denoise": (),
    "jpeg": (),
    "bit-depth": (),
    "hdr": (),
    "deblur-nonlinear": (),
    "phase-retrieval": (),
}

# In the order in which they are tried: values, or the factor by which a value is moved as long as that helps. Whether a
# solver stops at the noise is not among them: presets are used with any noise, and are searched with one.
FACTORS = {"cut": 2.0, "step_size": 2.0, "guidance_scale": 2.0, "renoise_above": 2.0, "sigma_max": 3.0}
VALUES: dict[str, tuple[Any, ...]] = {
    "start": ("wiener", "pseudo-inverse"),
    "stochasticity": (0.0, 0.3, 0.85, 1.0),
    "schedule": ("log-linear", "karras"),
    "sigma_min": (0.01, 0.03, 0.1),
}
GAIN = 0.05
"""dB by which a setting must be better to be preferred."""
LONG = 100
"""Passes through the network from which a run counts as long."""


@cache
def photographs(view: str) -> Tensor:
    """The held-out images, (3, 3, size, size)."""
    seen_at, size = VIEWS[view]
    edge = (seen_at - size) // 2
    fitted = [images.fit(Image.fromarray(photo()), seen_at, 1, square=True) for photo in PHOTOS]
    return torch.cat([images.to_tensor(photo.crop((edge, edge, edge + size, edge + size))) for photo in fitted])


@cache
def problem(task: str, view: str) -> Problem:
    """All photographs, measured by one operator."""
    truth = photographs(view)
    return Settings.create(task=task).measurement_of(truth, auxiliary(TASKS[task], truth.shape[-1]))


def auxiliary(kind: type[Task], size: int) -> Tensor | None:
    """A picture for the tasks that need one: two thick strokes, as a mask to brush away, as a kernel, or as paint."""
    if not kind.auxiliary:
        return None
    picture = Image.new("RGBA" if kind.auxiliary == "strokes" else "RGB", (33, 33))
    draw = ImageDraw.Draw(picture)
    draw.line((4, 8, 28, 20), "white", 3)
    draw.line((20, 4, 24, 30), "white", 2)
    return kind().prepare(picture, (size, size))


def mean_psnr(x: Tensor, task: str, view: str) -> float:
    """In dB, over the photographs. Where a measurement does not tell an image from its twin, the better one counts."""
    either = (x, problem(task, view).operator.twin(x))
    truths = photographs(view)
    return float(np.mean([max(metrics.psnr(one[i], truths[i]) for one in either) for i in range(len(truths))]))


class Trials:
    """Measures settings, each once."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser
        self.reached: dict[tuple[str, Solver, str], float] = {}

    def psnr(self, task: str, solver: Solver, *views: str) -> float:
        """Mean PSNR in dB, over the views; minus infinity where the solver diverges."""
        for view in views:
            if (task, solver, view) not in self.reached:
                self.reached[task, solver, view] = self._measure(task, solver, view)
        return float(np.mean([self.reached[task, solver, view] for view in views]))

    def _measure(self, task: str, solver: Solver, view: str) -> float:
        photos = problem(task, view)
        try:
            *_, last = photos.steps(solver, self.denoiser, samples=len(photos.y))
        except DivergenceError:
            return float("-inf")
        return mean_psnr(last.x0_hat, task, view)

    def search(self, task: str, start: Solver, views: Sequence[str]) -> Solver:
        """Coordinate search from a setting, at its cost."""
        best = start
        for name in (*FACTORS, *VALUES):
            spec = start.specs().get(name)
            if spec is not None and name in VALUES:
                for value in VALUES[name]:
                    best = self._better(task, best, best.replace(**{name: value}), views)
            if not isinstance(spec, Real) or name in VALUES:
                continue
            for factor in (FACTORS[name], 1 / FACTORS[name]):
                while spec.log and spec.low <= (moved := getattr(best, name) * factor) <= spec.high:
                    trial = best.replace(**{name: float(f"{moved:.3g}")})
                    if self._better(task, best, trial, views) is best:
                        break
                    best = trial
        return best

    def _better(self, task: str, best: Solver, trial: Solver, views: Sequence[str]) -> Solver:
        return trial if self.psnr(task, trial, *views) > self.psnr(task, best, *views) + GAIN else best

    def best(self, task: str, candidates: list[Solver], views: Sequence[str] = tuple(VIEWS)) -> Solver:
        """The first of the candidates that no other one beats."""
        found = candidates[0]
        for candidate in candidates[1:]:
            found = self._better(task, found, candidate, views)
        return found


def shortened(solver: Solver) -> Solver:
    """The solver with a quarter of its steps if it takes long."""
    steps = max(solver.step_range()[0], solver.steps // 4)
    return solver.replace(steps=steps) if passes(solver) > LONG else solver


def rows(
    solver: type[Solver], tasks: list[str], table: Table, denoiser: Denoiser, anew: bool, crops: bool = False
) -> Iterator[Table]:
    """Searches (or only measures) a solver on tasks; yields the rows that were found, kind by kind."""
    trials = Trials(denoiser)
    known = {task: row.settings for task, row in table.get(solver.name, {}).items()}
    for representative, others in KINDS.items():
        wanted = [task for task in (representative, *others) if task in tasks and possible(task, solver.name)]
        if not wanted:
            continue
        pool = [solver()]
        if anew:
            start = [shortened(each) for each in (solver(), solver.create(known.get(representative, {})))]
            views = [CROP] if crops or passes(solver()) > LONG else list(VIEWS)
            searched = trials.search(representative, trials.best(representative, start, views), views)
            pool.append(searched.replace(steps=solver().steps))
        found = {}
        for task in wanted:
            present = solver.create(known.get(task, {}))
            best = trials.best(task, [*pool, present]) if anew else present
            reached = {view: trials.psnr(task, best, view) for view in VIEWS}
            found[task] = Preset(
                best.changed(), reached[CROP], reached[WHOLE], defaults=trials.psnr(task, solver(), CROP)
            )
        yield {solver.name: found}


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


def measured_baselines(task: str) -> dict[str, advice.Figures]:
    """What every classical method reaches on a task, by its title."""
    found: dict[str, advice.Figures] = {}
    for view in VIEWS:
        photos = problem(task, view)
        for baseline in baselines(photos.operator, photos.sigma_y):
            x = torch.cat([baseline.restore(one[None]) for one in photos.y])
            found.setdefault(baseline.title, {})[view] = mean_psnr(x, task, view)
    return found


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


@click.command()
@click.argument("solvers", nargs=-1, type=click.Choice(list(SOLVERS)))
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), help="Default: every task.")
@click.option("--crops", is_flag=True, help="Search on crops only; what was found is still measured on both views.")
@click.option("--measure", is_flag=True, help="Measure the table's settings again, without a search.")
@click.option("--baselines", "only_baselines", is_flag=True, help="Measure the classical methods, and nothing else.")
@click.option("--prior", default="embedded", show_default=True, metavar="NAME", help="As `restore` takes it.")
@click.option("--table", "file", type=click.Path(path_type=Path), help="The table to update. Default: of its kind.")
def main(
    solvers: tuple[str, ...],
    tasks: tuple[str, ...],
    crops: bool,
    measure: bool,
    only_baselines: bool,
    prior: str,
    file: Path | None,
) -> None:
    """Searches presets and writes them into the table."""
    if only_baselines:
        for task in tasks or TASKS:
            found = measured_baselines(task)
            table = {**advice.read(), task: found}
            write_text(advice.FILE, baselines_to_toml({name: table[name] for name in TASKS if name in table}))
            click.echo(f"{task:26} " + ", ".join(f"{k}: {v[CROP]:.2f} {v[WHOLE]:.2f}" for k, v in found.items()))
        return
    network = load_prior(prior)
    file = file or presets.file_of(network.kind)
    for name in solvers or SOLVERS:
        denoiser = guided(network) if SOLVERS[name].needs_estimator else network
        for found in rows(SOLVERS[name], list(tasks or TASKS), presets.read(file), denoiser, not measure, crops):
            for task, row in found[name].items():
                gained = f"{row.psnr:6.2f} dB, {row.whole:6.2f} on whole photos, {row.defaults:6.2f} with the defaults"
                click.echo(f"{name:24} {task:26} {gained}  {dict(row.settings)}")
            write_text(file, to_toml(merged(presets.read(file), found)))


if __name__ == "__main__":
    main()
