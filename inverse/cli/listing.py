"""`python -m inverse tasks` and `python -m inverse solvers`."""

from __future__ import annotations

import click
from rich.table import Table

from inverse.cli.options import GroupedCommand
from inverse.cli.terminal import Terminal
from inverse.operators import TASKS
from inverse.parameters import Parameters, Registry
from inverse.solvers import SOLVERS, Solver


@click.command(cls=GroupedCommand)
@click.argument("name", required=False)
def tasks(name: str | None) -> None:
    """Lists the tasks, or explains the parameters of task NAME."""
    _show(TASKS, name)


@click.command(cls=GroupedCommand)
@click.argument("name", required=False)
def solvers(name: str | None) -> None:
    """Lists the solvers, or explains the parameters of solver NAME."""
    _show(SOLVERS, name)


def _show(registry: Registry, name: str | None) -> None:
    console = Terminal()
    if name is None:
        table = Table(box=None)
        table.add_column(registry.kind, no_wrap=True)
        table.add_column("what it is")
        for key, kind in registry.items():
            table.add_row(key, f"{kind.title}. {kind.summary}")
        console.print(table)
        return
    kind = registry.find(name)
    console.print(f"{kind.title}: {kind.summary}")
    if issubclass(kind, Solver):
        console.print(f"Source: {kind.remark()}")
        if kind.paper:
            console.print(f"Paper: {kind.paper}", soft_wrap=True)
    console.print(_parameter_table(kind))


def _parameter_table(kind: type[Parameters]) -> Table:
    table = Table(box=None)
    for column in ("parameter", "default", "allowed", "what it does"):
        table.add_column(column)
    for name, spec in kind.specs().items():
        table.add_row(name, str(kind.defaults()[name]), spec.limits, f"{spec.help} {spec.effect}")
    return table
