"""The search behind `presets.toml`: one parameter at a time, on held-out photos, with the embedded prior or another.

    python -m inverse.evaluation.tune                     # every solver on every task: some hours of two cores
    python -m inverse.evaluation.tune dps --task hdr      # one pair
    python -m inverse.evaluation.tune ac-dc --crops       # searched on crops only: a fifth of the time
    python -m inverse.evaluation.tune --measure           # no search: only measures the table again, for a new prior
    python -m inverse.evaluation.tune --prior NAME        # for another kind of prior, whose table is a file of its own
    python -m inverse.evaluation.tune --baselines         # only measures the classical methods: some minutes

Of each kind of task one is searched, from the better of the solver's defaults and the table's row; the others of the
kind take what was found there, their own row of the table or the defaults, whichever reaches most. What is measured
stands in `trials.py`: on the middle of photographs and on whole ones. What is good for one of the two need not be for
the other, so the mean of both decides. The number of steps is not searched: more of them would always win a little.
Solvers that take long are searched with a quarter of their steps and on the middle only; what was found is measured,
and chosen or not, with all steps and on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.estimators.catalog import guided
from inverse.evaluation.baselines import baselines
from inverse.evaluation.preset_tables import baselines_to_toml, merged, to_toml
from inverse.evaluation.trials import CROP, VIEWS, WHOLE, Trials, mean_psnr, problem
from inverse.imaging.files import write_text
from inverse.operators import TASKS
from inverse.solvers import SOLVERS, Solver, advice, presets
from inverse.solvers.cost import passes
from inverse.solvers.presets import Preset, Table, possible

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

LONG = 100
"""Passes through the network from which a run counts as long."""


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


def measured_baselines(task: str) -> dict[str, advice.Figures]:
    """What every classical method reaches on a task, by its title."""
    found: dict[str, advice.Figures] = {}
    for view in VIEWS:
        photos = problem(task, view)
        for baseline in baselines(photos.operator, photos.sigma_y):
            x = torch.cat([baseline.restore(one[None]) for one in photos.y])
            found.setdefault(baseline.title, {})[view] = mean_psnr(x, task, view)
    return found


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
