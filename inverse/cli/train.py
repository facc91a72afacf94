"""`python -m inverse train prior` and `train estimator`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, TaskProgressColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from inverse.cli.command import GroupedCommand
from inverse.cli.options import parameter_options
from inverse.cli.terminal import Description, Terminal
from inverse.cli.words import given
from inverse.parameters import Registry
from inverse.resources import EMBEDDED
from inverse.training.estimator import EstimatorValidation, train_estimator
from inverse.training.estimator_settings import EstimatorTraining
from inverse.training.loop import Progress
from inverse.training.measurements import LINEAR
from inverse.training.photos import read_weights
from inverse.training.prior import train_prior
from inverse.training.settings import PRESETS, PriorTraining
from inverse.training.validation import Validation

PRIOR: Registry[type[PriorTraining]] = Registry("training")
PRIOR.register(PriorTraining)
ESTIMATOR: Registry[type[EstimatorTraining]] = Registry("training")
ESTIMATOR.register(EstimatorTraining)


@click.group()
def train() -> None:
    """Trains what the program works with."""


def _folders(command: Callable) -> Callable:
    """Decorator for what every training takes."""
    options = (
        click.option("--images", type=click.Path(path_type=Path), required=True, help="Folder with photographs."),
        click.option(
            "--output", type=click.Path(path_type=Path), required=True, help="Folder for checkpoints and the result."
        ),
        click.option("--device", help="'cpu', or the best there is."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@parameter_options(PRIOR, "Parameters of the training (default: the preset)")
@click.command(cls=GroupedCommand)
@_folders
@click.option("--preset", type=click.Choice(list(PRESETS)), default="cpu", show_default=True, help="Where to start.")
@click.option("--weights", type=click.Path(path_type=Path), help="Lines of a glob pattern, a tab, and how often such "
              "photographs are drawn.")  # fmt: skip
@click.option("--initial", type=click.Path(path_type=Path), help="A prior to start from.")
def prior(
    images: Path, output: Path, preset: str, weights: Path | None, initial: Path | None, device: str | None,
    **parameters: Any,
) -> None:  # fmt: skip
    """Trains a prior on a folder of photographs.

    Run it again with the same output folder to go on where it stopped. prior.safetensors is the best so far.
    """
    settings = PRESETS[preset].replace(**given(PRIOR, PriorTraining, parameters))
    _follow(train_prior(
        settings, images, output, weights=read_weights(weights) if weights else (), initial=initial, device=device
    ))  # fmt: skip


@parameter_options(ESTIMATOR, "Parameters of the training")
@click.command(cls=GroupedCommand)
@click.option("--prior", type=click.Path(path_type=Path), default=EMBEDDED, help="The prior: a file that `train prior` "
              "wrote. Default: the embedded one.")  # fmt: skip
@click.option("--task", "tasks", multiple=True, type=click.Choice(LINEAR), metavar="NAME", help="What it is to learn; "
              f"repeatable. One of: {', '.join(LINEAR)}. Default: all of them.")  # fmt: skip
@_folders
@click.option("--initial", type=click.Path(path_type=Path), help="An estimator of the same form to start from.")
def estimator(
    prior: Path, tasks: tuple[str, ...], images: Path, output: Path, initial: Path | None, device: str | None,
    **parameters: Any,
) -> None:  # fmt: skip
    """Trains a conditional score estimator beside a prior, which stays as it is; 100 photographs are enough.

    Run it again with the same output folder to go on where it stopped. estimator.safetensors is the best so far; give
    it to `restore` with --estimator. A table ATTRIBUTION.tsv beside the photographs, with the columns file and licence,
    goes into its card.
    """
    settings = EstimatorTraining().replace(**given(ESTIMATOR, EstimatorTraining, parameters))
    _follow(train_estimator(settings, prior, tasks or LINEAR, images, output, initial=initial, device=device))


def _follow(reports: Iterator[Progress]) -> None:
    """Shows a training while it goes on."""
    console, report = Terminal(), None
    with Bars(Description(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=console) as bars:
        bar = bars.add_task("reading photographs", total=1.0)
        for report in reports:
            text = f"{report.iteration} updates, loss {report.loss:.4f}, {report.images_per_second:.0f} images/s"
            bars.update(bar, completed=report.share, description=text)
            if report.validation is not None:
                best = ", the best so far" if report.best else ""
                console.print(f"{report.iteration} updates: {_words(report.validation)}{best}")
    if report is not None and report.rejected:
        console.print(f"{len(report.rejected)} pictures could not be used:")
        for rejected in report.rejected:
            console.print(f"  {rejected.name}: {rejected.reason}")


def _words(validation: Validation | EstimatorValidation) -> str:
    if isinstance(validation, Validation):
        return ", ".join(f"{value:.2f} at {level}" for level, value in validation.psnr.items()) + " dB"
    psnr = ", ".join(f"{task} {value:.2f}" for task, value in validation.psnr.items())
    return f"validation loss {validation.loss:.4f}; from y alone, in dB: {psnr}"


train.add_command(prior)
train.add_command(estimator)
