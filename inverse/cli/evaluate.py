"""`inverse evaluate`."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from inverse.cli.command import GroupedCommand, Stopped
from inverse.cli.options import auxiliary_option, setting_options
from inverse.cli.places import check_folder
from inverse.cli.run import Priors, loading_options
from inverse.cli.terminal import Description, Terminal
from inverse.cli.words import Listed, SpecType
from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.catalog import kind_at
from inverse.denoisers.identity import identity_of
from inverse.errors import ParameterError
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.cluster import LOCAL, on_cluster
from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.plan import Choice, Plan
from inverse.evaluation.evaluate.protocols import PROTOCOLS
from inverse.evaluation.evaluate.results import Outcome, Results, read
from inverse.evaluation.evaluate.work import work
from inverse.imaging.files import printable
from inverse.operators import TASKS, Task
from inverse.parameters import Parameters
from inverse.settings import SIZE, Settings
from inverse.settings.carriers import text_of
from inverse.solvers import SOLVERS
from inverse.solvers.cost import spoken

SIDE = 256
EVERY = 30.0
"""Seconds between lines on the progress where no terminal shows a bar, as in the log of a cluster."""

Names = tuple[tuple[tuple[type[Parameters], dict[str, Any]], ...], ...]


@click.command(cls=GroupedCommand)
@click.option(
    "-o", "--out", "folder", type=click.Path(path_type=Path, file_okay=False), required=True,
    help="Folder of the run. Alone, it goes on with what is planned there.",
)  # fmt: skip
@click.option(
    "--images", type=click.Path(path_type=Path), help="Folder of photos; of each the center square is used.",
)  # fmt: skip
@click.option(
    "--tasks", type=Listed(TASKS), multiple=True, metavar="NAME[:PARAMETER=VALUE,...],...",
    help="What is done to them: inpaint-box,super-resolution:factor=2. Repeatable.",
)  # fmt: skip
@click.option(
    "--solvers", type=Listed(SOLVERS), multiple=True, metavar="NAME[:PARAMETER=VALUE,...],...",
    help="Who restores them, at their presets unless said otherwise: dps,dmap:steps=50. Repeatable. Default: of each "
    "task its own.",
)  # fmt: skip
@click.option("--all-solvers", is_flag=True, help="Every solver that can solve the task.")
@click.option(
    "--priors",
    multiple=True,
    metavar="NAME,...",
    help=f"As `restore --prior` takes them. Repeatable. Default: {EMBEDDED}.",
)
@click.option(
    "--protocol", type=click.Choice(list(PROTOCOLS)), help="The benchmark of a paper: its tasks, noise, size, and "
    "solvers. `report` then takes its metrics.",
)  # fmt: skip
@click.option(
    "--size", type=SpecType("size", SIZE), default=SIDE, show_default=True, help="Side of the squares, in pixels."
)
@setting_options("size", "full_size", "keep_metadata")
@auxiliary_option("For tasks that need it.")
@click.option("--shard", metavar="I/N", help="Do the I-th of N parts: of a Slurm array, a part for each of its tasks.")
@click.option(
    "--ray", "address", metavar="[ADDRESS]", is_flag=False, flag_value=LOCAL,
    help="Work on the Ray cluster at this address; without one, on a cluster of this machine's cores and GPUs.",
)  # fmt: skip
@click.option("--no-pictures", is_flag=True, help="Keep figures only. LPIPS, FID and KID then cannot be taken.")
@loading_options
@click.pass_context
def evaluate(context: click.Context, folder: Path, shard: str | None, address: str | None, **values: Any) -> None:
    """Restores photos: each with every task, solver and prior, and keeps a line of figures on each.

    What is to be done is planned in the folder once. Killed in any way and started again, it goes on; several may work
    in one folder at once, each on its --shard.
    """
    console = Terminal(stderr=True)
    typed = {name for name in values if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    started = time.perf_counter()
    if typed & {"images", "tasks", "solvers", "all_solvers", "priors", "protocol"}:
        planned, notes = _planned(values, typed)
        for note in notes:
            console.print(note)
        check_folder(folder)
        planned = planned.written(folder)
    else:
        planned = plans.read(folder)
    jobs = plans.shard(planned.jobs, shard) if shard else list(planned.jobs)
    todo = plans.left(jobs, read(folder))
    console.print(f"{len(jobs)} jobs, of which {len(jobs) - len(todo)} are done.")
    if todo:
        asked = {name: values[name] for name in ("device", "precision", "allow_pickle", "compiled")}
        load = Priors(**asked, places=dict(planned.places))
        images, pictures = Path(values["images"] or planned.images), not values["no_pictures"]
        done = (
            on_cluster(todo, images.joinpath, load, pictures, address=address)
            if address
            else work(todo, images.joinpath, load, pictures)
        )
        _follow(folder, todo, done, console, started)


def _planned(values: dict[str, Any], typed: set[str]) -> tuple[Plan, list[str]]:
    """The plan that flags make, and sentences on what of it is left out."""
    if values["images"] is None:
        raise ParameterError("No photos are named. Name their folder with --images.")
    settings = {name: values[name] for name in (*Settings.numbers(), *Settings.flags()) if name in values}
    tasks: list[Task] = [kind.create(parameters) for kind, parameters in chain(*values["tasks"])]  # type: ignore[misc]
    solvers = [Choice(kind.name, parameters) for kind, parameters in chain(*values["solvers"])]
    if values["protocol"]:
        protocol = PROTOCOLS[values["protocol"]]
        if tasks:
            raise ParameterError("A protocol brings its tasks. Leave --tasks out, or --protocol.")
        tasks, solvers = list(protocol.tasks), solvers or list(protocol.solvers)
        settings |= {name: getattr(protocol, name) for name in ("size", "sigma_y") if name not in typed}
    if values["all_solvers"]:
        solvers = [Choice(name) for name in SOLVERS]
    if not tasks:
        raise ParameterError("No task is named. Name some with --tasks, or a --protocol.")
    names = [name.strip() for text in values["priors"] or (EMBEDDED,) for name in text.split(",") if name.strip()]
    places = {identity_of(name): name for name in names}
    jobs, notes = plans.jobs_of(
        plans.photos_in(values["images"]),
        [(task, {"auxiliary": _auxiliary(task, values["auxiliary"])}) for task in tasks],
        solvers,
        {identity: (kind_at(name), identity == EMBEDDED) for identity, name in places.items()},
        **settings,
    )
    return Plan(str(values["images"].absolute()), tuple(jobs), places, values["protocol"] or ""), notes


def _auxiliary(task: Task, file: Path | None) -> str:
    if not task.auxiliary:
        return ""
    if file is None:
        raise ParameterError(
            f"{task.name} needs a picture, its {task.auxiliary}. Name its file with --{task.auxiliary}."
        )
    return text_of(task.load(file))


def _follow(
    folder: Path, todo: Sequence[Job], done: Generator[Outcome, None, None], console: Terminal, started: float
) -> None:
    """Keeps what is done, and says how far it is and how long it takes."""
    costs = {job.id: job.settings.passes * job.settings.samples for job in todo}
    bar = Progress(
        Description(), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"), console=console,
        disable=not console.is_terminal,
    )  # fmt: skip
    begun = told = time.perf_counter()
    cost, seconds, failed, count = 0.0, 0.0, 0, 0
    try:
        with Results(folder) as results, closing(done), bar:
            shown = bar.add_task("", total=len(todo), left="")
            for count, outcome in enumerate(done, 1):
                results.add(outcome)
                cost, seconds = cost + costs[outcome.line["id"]], seconds + outcome.line["seconds"]
                failed += bool(outcome.line["failure"])
                now = time.perf_counter()
                left = spoken((now - begun) / cost * (sum(costs.values()) - cost))
                bar.update(
                    shown, completed=count, left=f"{left} left", description=f"{failed} failed" if failed else ""
                )
                if not console.is_terminal and now - told > EVERY:
                    told = now
                    console.print(f"{count} of {len(todo)}, {left} left")
    except KeyboardInterrupt:
        raise Stopped(f"Stopped after {count} of {len(todo)} jobs. The same command goes on.") from None
    now = time.perf_counter()
    console.print(
        f"{len(todo)} jobs done, {failed} of them failed, in {now - begun:.1f} s ({len(todo) / (now - begun):.2f} a "
        f"second), after {begun - started:.1f} s to begin; the runs themselves took {seconds:.1f} s. "
        f"Tables: inverse report {printable(folder)}"
    )
