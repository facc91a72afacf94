"""`python -m inverse train prior`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn

from inverse.cli.options import GroupedCommand, given, parameter_options
from inverse.cli.terminal import Description, Terminal
from inverse.parameters import Registry
from inverse.training.photos import read_weights
from inverse.training.prior import train_prior
from inverse.training.settings import PRESETS, PriorTraining

TRAININGS: Registry[type[PriorTraining]] = Registry("training")
TRAININGS.register(PriorTraining)


@click.group()
def train() -> None:
    """Trains what the program works with."""


@parameter_options(TRAININGS, "Parameters of the training (default: the preset)")
@click.command(cls=GroupedCommand)
@click.option("--images", type=click.Path(path_type=Path), required=True, help="Folder with photographs.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder for checkpoints and the result.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="cpu", show_default=True, help="Where to start.")
@click.option("--weights", type=click.Path(path_type=Path), help="Lines of a glob pattern, a tab, and how often such "
              "photographs are drawn.")  # fmt: skip
@click.option("--initial", type=click.Path(path_type=Path), help="A prior to start from.")
@click.option("--device", help="'cpu', or the best there is.")
def prior(
    images: Path, output: Path, preset: str, weights: Path | None, initial: Path | None, device: str | None,
    **parameters: Any,
) -> None:  # fmt: skip
    """Trains a prior on a folder of photographs.

    Run it again with the same output folder to go on where it stopped. prior.safetensors is the best so far.
    """
    console = Terminal()
    settings = PRESETS[preset].replace(**given(TRAININGS, PriorTraining, parameters))
    stream = train_prior(
        settings, images, output, weights=read_weights(weights) if weights else (), initial=initial, device=device
    )
    report = None
    with Progress(Description(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=console) as progress:
        bar = progress.add_task("reading photographs", total=1.0)
        for report in stream:
            text = f"{report.iteration} updates, loss {report.loss:.4f}, {report.images_per_second:.0f} images/s"
            progress.update(bar, completed=report.share, description=text)
            if report.validation is not None:
                best = ", the best so far" if report.best else ""
                psnr = ", ".join(f"{value:.2f} at {level}" for level, value in report.validation.psnr.items())
                console.print(f"{report.iteration} updates: {psnr} dB{best}")
    if report is not None and report.rejected:
        console.print(f"{len(report.rejected)} pictures could not be used:")
        for rejected in report.rejected:
            console.print(f"  {rejected.name}: {rejected.reason}")


train.add_command(prior)
