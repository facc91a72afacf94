"""`python -m inverse findings`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TimeElapsedColumn
from rich.table import Table

from inverse.cli.command import GroupedCommand
from inverse.cli.terminal import Description, Terminal
from inverse.cli.words import SpecType
from inverse.evaluation.findings import Findings, Study, stream
from inverse.evaluation.findings.claims import CLAIMS, verdicts
from inverse.evaluation.findings.files import FORMATS, PAGE, write
from inverse.evaluation.findings.page import STANDARD
from inverse.evaluation.findings.questions import answers
from inverse.evaluation.findings.sentences import averages, sentences
from inverse.imaging.files import printable
from inverse.parameters import Flag


def study_options(command: Callable) -> Callable:
    """Decorator that adds a flag for every field of a study."""
    for name, spec in reversed(Study.specs().items()):
        default = Study.defaults()[name]
        said = ",".join(f"{each:g}" if isinstance(each, float) else each for each in default) if isinstance(
            default, tuple
        ) else default  # fmt: skip
        flag = f"--{name.replace('_', '-')}"
        words = f"{spec.help} {spec.effect}".strip()
        if isinstance(spec, Flag):
            command = click.option(flag, is_flag=True, help=words)(command)
        else:
            limits = f"{spec.limits[0].upper()}{spec.limits[1:]}"
            kind = SpecType(name, spec)
            command = click.option(flag, type=kind, default=said, help=f"{words} {limits}. Default: {said}.")(command)
    return command


@click.command(cls=GroupedCommand)
@study_options
@click.option("--standard", is_flag=True, help="The studies of docs/findings.md instead, in under two minutes.")
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a page with its figures and tables.",
)  # fmt: skip
@click.option(
    "--format", "formats", type=click.Choice(FORMATS), multiple=True, default=FORMATS, show_default=True,
    help="What is written beside the page. Repeatable.",
)  # fmt: skip
def findings(standard: bool, folder: Path | None, formats: tuple[str, ...], **values: Any) -> None:
    """Measures what Xu et al. (ICLR 2025) claim of DPS, for every solver, where the truth is known exactly.

    How far the conditional score that a step implies is from the true one; whether its mean is that of a score; and
    whether samples vary as the posterior does. Ctrl+C ends it, and what is found by then is said and written.
    """
    console, asked = Terminal(), STANDARD if standard else (Study.create(values),)
    studies: list[Findings] = []
    try:
        with Progress(Description(), BarColumn(), TimeElapsedColumn(), console=console, transient=True) as shown:
            studies.extend(_follow(study, shown) for study in asked)
    except _Stopped as stopped:
        studies.append(stopped.found)
        console.print("Stopped. What was found by then follows.")
    for found in studies:
        _print(console, found)
    if folder is not None:
        write(folder, studies, formats)
        console.print(f"Written: {printable(folder / PAGE)}")


class _Stopped(Exception):
    """Ctrl+C, and what was found by then."""

    def __init__(self, found: Findings) -> None:
        super().__init__()
        self.found = found


def _follow(study: Study, shown: Progress) -> Findings:
    found: Findings | None = None
    with closing(stream(study)) as updates:
        try:
            bar = shown.add_task("", total=None)
            for found in updates:
                shown.update(bar, total=found.total, completed=found.done, description=found.doing)
        except KeyboardInterrupt:
            if found is None:
                raise
            raise _Stopped(found) from None
    shown.remove_task(bar)
    assert found is not None
    return found


def _print(console: Terminal, found: Findings) -> None:
    console.print(_table(found))
    for text in filter(None, sentences(found).values()):
        console.print(f"{text}\n")
    for claim, verdict in zip(CLAIMS, verdicts(found), strict=True):
        console.print(f"Claim: {claim}\n  {verdict}\n")
    for question, answer in answers(found).items():
        console.print(f"{question}\n  {answer}\n")


def _table(found: Findings) -> Table:
    average, rows = averages(found), {row.label: row for row in found.samples}
    kind = found.truth.kind
    made = Table(box=None, padding=(0, 1, 0, 0), title=f"{kind.title}, {kind.tasks[found.truth.task].about}")
    for column in ("", "score\nerror", "spread", "90 %", "to\nmode", "resi-\ndual"):
        made.add_column(column, justify="right" if column else "left", no_wrap=True)
    for label in dict.fromkeys([*average, *rows]):
        error = f"{average[label]:.2g}" if label in average else ""
        row = rows.get(label)
        figures = ["", "", "", ""]
        if row is not None:
            figures = [f"{each:.2f}" for each in (row.std_ratio, row.coverage(0.9), row.to_mode, row.residual)]
        made.add_row(label, error, *figures)
    return made
