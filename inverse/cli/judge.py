"""`python -m inverse judge`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from inverse.cli.options import GroupedCommand, SpecType
from inverse.cli.terminal import Terminal
from inverse.files import write_text
from inverse.judge import JudgeRow, to_markdown
from inverse.judge import judge as run
from inverse.restoration import SAMPLES


@click.command(cls=GroupedCommand)
@click.argument("solvers", nargs=-1)
@click.option("--samples", type=SpecType("samples", SAMPLES), default=8, show_default=True, help=SAMPLES.help)
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write the table to this file too.")
def judge(solvers: tuple[str, ...], samples: int, markdown: Path | None) -> None:
    """Holds SOLVERS (default: all) to a prior whose posterior is known exactly.

    A posterior sampler should show a bias near its floor, a std ratio and a residual near 1. A MAP method should show a
    small distance to MAP. The cost counts forward passes, a backward pass as 1.4 of them.
    """
    console = Terminal()
    with console.status("Judging ..."):
        rows = list(run(solvers or None, samples=samples))
    console.print(_table(rows))
    if markdown is not None:
        write_text(markdown, to_markdown(rows))


def _table(rows: list[JudgeRow]) -> Table:
    table = Table(
        box=None,
        padding=(0, 1, 0, 0),
        caption=f"{rows[0].samples} samples; an exact sample lies posterior_std from MAP",
    )
    for column in ("solver", "task", "bias", "floor", "std\nratio", "to MAP", "residual", "cost", "s"):
        table.add_column(column, justify="left" if column in ("solver", "task") else "right")
    for row in rows:
        table.add_row(
            row.solver, row.task, f"{row.bias:.3f}", f"{row.bias_floor:.3f}", f"{row.std_ratio:.2f}",
            f"{row.map_distance:.4f}", f"{row.residual:.2f}", f"{row.cost:.0f}", f"{row.seconds:.1f}",
        )  # fmt: skip
    return table
