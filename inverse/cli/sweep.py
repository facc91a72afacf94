"""`python -m inverse sweep`."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from inverse.batch.figure import check_ending, of_sweep
from inverse.batch.grid import picture, table
from inverse.batch.processes import in_processes
from inverse.batch.runs import run_all
from inverse.batch.sweep import PRIOR, Sweep, axis
from inverse.cli.command import GroupedCommand
from inverse.cli.options import photo_options, setting_options
from inverse.cli.places import apart, check_output, check_place, save_picture
from inverse.cli.run import Priors, chosen, run_options
from inverse.cli.terminal import Description, Terminal
from inverse.cli.words import SpecType
from inverse.errors import ParameterError
from inverse.imaging.files import printable, write_text
from inverse.parameters import Integer
from inverse.results.record import METRICS, Record, best
from inverse.settings import Settings

PROCESSES = Integer(
    low=1, high=256, help="How many runs are made at a time, each in a process of its own; for CPUs with many cores."
)


@run_options
@click.command(cls=GroupedCommand)
@photo_options
@setting_options("samples", "full_size", "keep_metadata")
@click.option("--x", "x", required=True, metavar="NAME=VALUES", help="What changes from column to column.")
@click.option("--y", "y", metavar="NAME=VALUES", help="What changes from row to row.")
@click.option(
    "--figure",
    "sheet",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write a figure for print here, an SVG or a PNG, with a caption that says every setting.",
)
@click.option("--csv", "figures", type=click.Path(path_type=Path, dir_okay=False), help="Write every figure here.")
@click.option(
    "--best-by", type=click.Choice(list(METRICS)), help="Which cell is best. Default: psnr, or residual when degraded."
)
@click.option("--processes", type=SpecType("processes", PROCESSES), default=1, show_default=True, help=PROCESSES.help)
@click.pass_context
def sweep(
    context: click.Context, photo: Path, output: Path, x: str, y: str | None, sheet: Path | None, figures: Path | None,
    best_by: str | None, processes: int, device: str | None, precision: str, allow_pickle: bool, compiled: bool,
    **values: Any,
) -> None:  # fmt: skip
    """Restores PHOTO with one or two parameters over several values each, and writes a grid of the results.

    VALUES are a,b,c or low:high:n or low:high:log n. For instance --x steps=10,20,40 --y sigma_max=1:40:log 4.
    Ctrl+C ends it, and what is finished is written.
    """
    console = Terminal(stderr=True)
    inputs = photo, values["auxiliary"], values["settings"]
    check_output(output, *inputs)
    _check_places(output, figures, sheet, inputs)
    settings, notes = chosen(context, values)
    for note in notes:
        console.print(note)
    priors = Priors(device, precision, allow_pickle, compiled)
    priors.named(values["prior"])
    plan = Sweep(settings, tuple(_axis(settings, text, priors) for text in (x, y) if text is not None))
    metric = best_by or ("residual" if settings.degraded else "psnr")
    done: dict[int, Record] = {}
    for name in dict.fromkeys(run.prior for run in plan.runs):
        priors(name)  # here in any case: one that cannot be loaded ends the command, with its own sentence
    auxiliary = values["auxiliary"] and settings.damage.load(values["auxiliary"])
    if processes > 1:
        progresses = in_processes(plan.runs, photo, auxiliary, priors, processes=processes)
    else:
        progresses = run_all(plan.runs, photo, auxiliary, priors)
    try:
        with closing(progresses):
            _run(plan, progresses, done, metric, console)
    except KeyboardInterrupt:
        console.print(f"Stopped after {len(done)} of {len(plan.runs)} runs.")
    if all(record.image is None for record in done.values()):
        reasons = [record.failure for record in done.values()]
        raise click.ClickException(
            reasons[0] if reasons else "No run was finished, so nothing is written. Run it longer."
        )
    save_picture(picture(plan, done, metric), output, settings.with_auxiliary(auxiliary) if auxiliary else settings)
    if figures is not None:
        write_text(figures, table(plan, done))
    if sheet is not None:
        of_sweep(plan, done, metric).write(sheet)
    winner = best(done, metric)
    if winner is not None:
        places = divmod(winner, plan.columns)
        named = [f"{axis.name}={axis.labels[place]}" for axis, place in zip(plan.axes, places[::-1], strict=False)]
        console.print(f"{printable(output)}: best {done[winner].said(metric)} at {', '.join(named)}")


def _check_places(output: Path, figures: Path | None, sheet: Path | None, inputs: tuple[Path | None, ...]) -> None:
    """Refuses files beside the output that cannot be written, or that would replace another one."""
    others = [output]
    for also in filter(None, (figures, sheet)):
        check_place(also, *inputs)
        apart(also, *others)
        others.append(also)
    if sheet is not None:
        check_ending(sheet)


def _run(plan: Sweep, stream: Any, done: dict[int, Record], metric: str, console: Terminal) -> None:
    columns = (Description(), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as shown:
        bar = shown.add_task("", total=len(plan.runs))
        for progress in stream:
            if progress.record is not None:
                done[progress.index] = progress.record
                shown.update(bar, advance=1, description=progress.record.said(metric))


def _axis(settings: Settings, text: str, priors: Priors) -> Any:
    name, found, values = text.partition("=")
    if not found:
        raise ParameterError(f"{text[:40]!r} names no values. Write NAME=VALUES, for instance steps=10,20,40.")
    made = axis(settings, name.strip().replace("-", "_"), values)
    return replace(made, values=tuple(map(priors.named, made.values))) if made.name == PRIOR else made
