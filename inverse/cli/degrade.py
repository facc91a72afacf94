"""`python -m inverse degrade`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inverse.cli.command import GroupedCommand
from inverse.cli.options import parameter_options, photo_options, setting_options
from inverse.cli.places import check_output, save_picture
from inverse.cli.words import given
from inverse.operators import TASKS, Task
from inverse.settings import Settings
from inverse.solvers.presets import DEFAULT_TASK


@parameter_options(TASKS, "Parameters of tasks")
@click.command(cls=GroupedCommand)
@photo_options
@setting_options("samples", "strength", "pyramid", "full_size", "keep_metadata")
def degrade(
    photo: Path, output: Path, task: str | None, then: tuple[Task, ...], auxiliary: Path | None, **values: Any
) -> None:
    """Degrades PHOTO and writes the measurement as a picture.

    `restore --degraded` with the same task, parameters and seed restores it.
    """
    check_output(output, photo, auxiliary)
    task = DEFAULT_TASK if task is None else task
    parameters = given(TASKS, TASKS.find(task), values, then)
    plain = {name: value for name, value in values.items() if name in Settings.numbers()}
    problem = Settings.create(task=task, task_parameters=parameters, then=then, **plain).problem(photo, auxiliary)
    save_picture(problem.measurement, output)
