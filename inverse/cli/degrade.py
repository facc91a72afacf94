"""`python -m inverse degrade`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inverse import restoration
from inverse.cli.options import (
    GroupedCommand,
    SpecType,
    check_output,
    given,
    parameter_options,
    photo_options,
    photons_option,
    save_picture,
)
from inverse.operators import TASKS, noise
from inverse.solvers.presets import DEFAULT_TASK


@parameter_options(TASKS, "Parameters of tasks")
@click.command(cls=GroupedCommand)
@photo_options
@photons_option
@click.option(
    "--sigma-y", type=SpecType("sigma_y", noise.SIGMA_Y), default=0.05, show_default=True, help=noise.SIGMA_Y.help
)
def degrade(
    photo: Path, output: Path, task: str | None, auxiliary: Path | None, size: int | None, seed: int, sigma_y: float,
    photons: float | None, **parameters: Any,
) -> None:  # fmt: skip
    """Degrades PHOTO and writes the measurement as a picture.

    `restore --degraded` with the same task, parameters and seed restores it.
    """
    check_output(output, photo, auxiliary)
    task = DEFAULT_TASK if task is None else task
    task_parameters = given(TASKS, TASKS.find(task), parameters)
    problem = restoration.degrade(
        photo,
        task,
        task_parameters=task_parameters,
        sigma_y=sigma_y,
        photons=photons,
        auxiliary=auxiliary,
        size=size,
        seed=seed,
    )
    save_picture(problem.measurement, output)
