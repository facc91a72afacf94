"""`python -m inverse judge`."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from inverse.cli.command import GroupedCommand
from inverse.cli.terminal import Terminal
from inverse.cli.words import SpecType
from inverse.errors import ParameterError
from inverse.evaluation.judge import JUDGE_TASKS, JudgeRow, to_markdown
from inverse.evaluation.judge import judge as run
from inverse.evaluation.judge.cases import DEFAULT_MEASUREMENTS, DEFAULT_SIZE, MEASUREMENTS, SIZE
from inverse.evaluation.judge.page import updated
from inverse.evaluation.judge.rows import DEFAULT_SAMPLES
from inverse.imaging.files import write_text
from inverse.operators import noise
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.parameters import Spec
from inverse.settings import SAMPLES, SEED


def _option(flag: str, spec: Spec, default: int, help: str = "") -> Callable[[Any], Any]:
    return click.option(
        f"--{flag}", type=SpecType(flag, spec), default=default, show_default=True, help=help or spec.help
    )


@click.command(cls=GroupedCommand)
@click.argument("solvers", nargs=-1)
@click.option("--task", "tasks", type=click.Choice(list(JUDGE_TASKS)), multiple=True, help="Repeatable. Default: all.")
@click.option(
    "--sigma-y", "sigmas_y", type=SpecType("sigma_y", noise.SIGMA_Y), multiple=True, default=[DEFAULT_SIGMA_Y],
    show_default=True, help="Noise of the measurement, for pixels from -1 to 1. Repeatable.",
)  # fmt: skip
@_option("seed", SEED, 0)
@_option("size", SIZE, DEFAULT_SIZE)
@_option("measurements", MEASUREMENTS, DEFAULT_MEASUREMENTS)
@_option("samples", SAMPLES, DEFAULT_SAMPLES, "Restorations of each measurement; 19 or more tell what intervals cover.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write the table to this file too.")
@click.option("--update", is_flag=True, help="Keep what that file says of other solvers on the same cases.")
def judge(
    solvers: tuple[str, ...],
    tasks: tuple[str, ...],
    sigmas_y: tuple[float, ...],
    seed: int,
    size: int,
    measurements: int,
    samples: int,
    markdown: Path | None,
    update: bool,
) -> None:
    """Holds SOLVERS (default: all) to priors whose posterior is known exactly.

    Lengths are in standard deviations of the posterior. A posterior sampler should show a bias near 0, a std ratio, a
    distance to MAP and a residual near 1, and intervals that hold the truth as often as they say. A MAP method should
    show a distance to MAP near 0. The cost counts forward passes, a backward pass as 1.4 of them.
    """
    if update and markdown is None:
        raise ParameterError("No file is named. Name the one that is to be updated with --markdown.")
    console = Terminal()
    before = markdown.read_text(encoding="utf-8") if update and markdown and markdown.exists() else ""
    rows: list[JudgeRow] = []
    with console.status("Judging ...") as status:
        for row in run(solvers or None, samples, seed, tasks or None, sigmas_y, size, measurements):
            rows.append(row)
            status.update(f"Judging ... {row.name}, {row.task}, sigma_y {row.sigma_y:g}: {row.verdict}")
    for _, same in groupby(rows, key=lambda row: row.sigma_y):
        console.print(table(list(same)))
    if markdown is not None:
        page = to_markdown(rows)
        write_text(markdown, updated(before, page) if before else page)


def table(rows: list[JudgeRow]) -> Table:
    """Rows of one sigma_y as a terminal shows them, with no name cut in a window of 80 columns."""
    first = rows[0]
    counted = [
        f"{n} {what}{'s' * (n > 1)}" for n, what in ((first.measurements, "measurement"), (first.samples, "sample"))
    ]
    made = Table(
        box=None,
        padding=(0, 1, 0, 0),
        title=f"sigma_y {first.sigma_y:g}",
        caption=f"{counted[0]} of {first.size}x{first.size}, {counted[1]} each",
    )
    for column in ("solver", "task", "bias", "std\nratio", "50 %", "90 %", "to\nMAP", "resi-\ndual", "cost"):
        made.add_column(column, justify="left" if column in ("solver", "task") else "right", no_wrap=True)
    for row in rows:
        figures = (row.bias, row.std_ratio, row.coverage[0.5], row.coverage[0.9], row.map_distance, row.residual)
        made.add_row(row.solver, row.task, *(f"{figure:.2f}" for figure in figures), f"{row.cost:.0f}")
    return made
