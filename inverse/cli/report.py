"""`inverse report`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
from rich.table import Table

from inverse.cli.command import GroupedCommand
from inverse.cli.places import check_folder, check_place
from inverse.cli.terminal import Terminal
from inverse.errors import ParameterError
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.measures import MEASURES, Sources, usual
from inverse.evaluation.evaluate.protocols import PROTOCOLS, published
from inverse.evaluation.evaluate.report import Report
from inverse.evaluation.evaluate.results import read
from inverse.evaluation.evaluate.sheet import sheet
from inverse.evaluation.evaluate.weights import KNOWN, Weights
from inverse.imaging.files import printable, replace_atomically, write_text


@click.command(cls=GroupedCommand)
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--metrics", metavar="NAME,...", help=f"Of: {', '.join(MEASURES)}. Default: those of the protocol, if any, and all "
    "whose weights are named.",
)  # fmt: skip
@click.option(
    "--weights", "places", multiple=True, metavar="NAME=FILE",
    help=f"Weights of a learned metric ({', '.join(KNOWN)}): a file, or OWNER/NAME@COMMIT:FILE on the Hugging Face "
    "Hub. Repeatable.",
)  # fmt: skip
@click.option("--allow-pickle", is_flag=True, help="Read weights in PyTorch's pickle format too, tensors only.")
@click.option(
    "--against", default="", metavar="SOLVER", help="Hold the others against it, photo by photo. Default: the first."
)
@click.option(
    "--published", "papers", multiple=True, type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="More published figures, in TOML, to stand beside measured ones.",
)  # fmt: skip
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="Write a page in Markdown here, and charts and figures as CSV into a folder of its name.",
)  # fmt: skip
@click.option("--title", default="Evaluation", help="Of the page.")
@click.option(
    "--sheets", type=click.IntRange(0, 20), default=0, help="Show so many photos with all their restorations."
)
def report(
    folder: Path, metrics: str | None, places: tuple[str, ...], allow_pickle: bool, against: str,
    papers: tuple[Path, ...], output: Path | None, title: str, sheets: int,
) -> None:  # fmt: skip
    """Says what the evaluation in RUN came to, finished or not: means with their standard errors, and differences."""
    console, planned, lines = Terminal(), plans.read(folder), read(folder)
    weights = Weights({name: file for name, _, file in (place.partition("=") for place in places)}, allow_pickle)
    names = [name.strip() for name in (metrics or "").split(",") if name.strip()]
    for name in names:
        if name not in MEASURES:
            raise ParameterError(f"There is no metric {name[:40]!r}. Choose of: {', '.join(MEASURES)}.")
        for each in MEASURES[name].weights:
            weights.path(each)  # or the sentence on where they are
    missing = []
    if not names:
        names = usual(weights)
        wanted = PROTOCOLS[planned.protocol].metrics if planned.protocol else ()
        missing = [name for name in wanted if name not in names]
    if against and against not in {job.solver for job in planned.jobs}:
        raise ParameterError(f"{against[:60]} is not among the solvers. They are: {_solvers(planned)}.")
    found = Report.of(planned, lines, names, Sources(folder, weights), against, published(papers))
    if missing:
        console.print(f"Of the protocol's metrics {', '.join(missing)} need weights, see --weights.")
    for note in found.notes:
        console.print(note)
    for name, rows in found.groups:
        console.print(_table(name, found.table(rows)))
    if output is not None:
        _write(output, folder, found, title, sheets)
        console.print(f"Written: {printable(output)}")


def _solvers(planned: plans.Plan) -> str:
    return ", ".join(dict.fromkeys(job.solver for job in planned.jobs))


def _table(name: str, texts: list[list[str]]) -> Table:
    made = Table(box=None, padding=(0, 1, 0, 0), title=name)
    for place, head in enumerate(texts[0]):
        made.add_column(head, justify="right" if place else "left")
    for row in texts[1:]:
        made.add_row(*row)
    return made


def _write(output: Path, folder: Path, found: Report, title: str, sheets: int) -> None:
    check_place(output)
    beside = output.with_suffix("")
    check_folder(beside)
    charts = {}
    for place, (name, chart) in enumerate(found.charts().items(), 1):
        write_text(beside / f"quality-{place}.svg", chart.svg())
        charts[name] = f"{beside.name}/quality-{place}.svg"
    pictures = []
    cells, priors = [row.cell for row in found.rows], {row.cell.prior for row in found.rows}
    for photo, digest in list({job.photo: job.digest for job in found.plan.jobs}.items())[:sheets]:
        for prior in priors:
            made = sheet(folder, [cell for cell in cells if cell.prior == prior], digest)
            if made is not None:
                name = f"sheet-{len(pictures) + 1}.jpg"
                replace_atomically(beside / name, partial(made.save, quality=88))
                pictures.append(f"![{photo}]({beside.name}/{name})")
    write_text(beside / "figures.csv", found.csv())
    write_text(output, found.markdown(charts, title, "\n\n".join(pictures)))
