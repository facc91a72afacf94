"""`python -m inverse tasks` and `python -m inverse solvers`."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.table import Table

from inverse.cli.command import GroupedCommand
from inverse.cli.terminal import Terminal
from inverse.operators import TASKS
from inverse.parameters import Parameters, Registry
from inverse.solvers import SOLVERS, Solver, ways
from inverse.solvers.advice import advice, lead
from inverse.solvers.defaults import SOLVER_OF, default_solver
from inverse.solvers.method import algorithm, method
from inverse.solvers.presets import possible, solvers_for
from inverse.solvers.qualities import at_quality, offered


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
        if registry is TASKS:
            table.add_column("solver", no_wrap=True)
        table.add_column("what it is")
        for key, kind in registry.items():
            table.add_row(key, *([default_solver(key)] if registry is TASKS else []), f"{kind.title}. {kind.summary}")
        console.print(table)
        return
    kind = registry.find(name)
    console.print(f"{kind.title}: {kind.summary}")
    if issubclass(kind, Solver):
        console.print(f"Source: {kind.remark()}")
        console.print(f"With priors of latents: {ways.words(kind)}.")
        if kind.paper:
            console.print(f"Paper: {kind.paper}", soft_wrap=True)
        console.print(f"\nThe algorithm:\n\n{algorithm(kind)}\n", soft_wrap=True)
        known = method(kind)
        for symbol, words in known.symbols.items():
            console.print(f"  {symbol}: {words}", soft_wrap=True)
        if known.paper:
            console.print(f"\n{known.paper.bibtex}\n", soft_wrap=True)
    for words in _measured(name) if registry is TASKS else _outdone(name):
        console.print(words)
    console.print(_parameter_table(kind))


def _measured(task: str) -> Iterator[str]:
    """What was measured on a task, in sentences."""
    chosen = default_solver(task)
    yield f"Default solver: {chosen}. {SOLVER_OF[task].reason}" if task in SOLVER_OF else f"Default solver: {chosen}."
    kind = TASKS[task]()
    yield f"Qualities: {', '.join(f'{name} ({at_quality(name, kind).name})' for name in offered(kind))}."
    yield from filter(None, (advice(task, solver) for solver in solvers_for(task)))


def _outdone(solver: str) -> Iterator[str]:
    """The tasks on which a classical method is better."""
    found = {task: lead(task, solver) for task in TASKS if possible(task, solver)}
    worse = [f"{task} ({ahead[1]:.1f} dB)" for task, ahead in found.items() if ahead]
    if worse:
        yield f"By PSNR a classical method is better than its preset on: {', '.join(worse)}. `tasks NAME` says which."


def _parameter_table(kind: type[Parameters]) -> Table:
    table = Table(box=None)
    for column in ("parameter", "default", "allowed", "what it does"):
        table.add_column(column)
    for name, spec in kind.specs().items():
        called = f"{name} ({spec.symbol})" if spec.symbol else name
        table.add_row(called, str(kind.defaults()[name]), spec.limits, f"{spec.help} {spec.effect}")
    return table
