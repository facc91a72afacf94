"""`python -m inverse restore`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from inverse import images, metrics, noise
from inverse.cli.options import (
    GroupedCommand,
    SpecType,
    check_output,
    given,
    names_help,
    parameter_options,
    photo_options,
    photons_option,
    save_picture,
)
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError
from inverse.operators import TASKS
from inverse.presets import DEFAULT_SOLVER
from inverse.restoration import SAMPLES, Problem, degrade, make_solver, measured, stream
from inverse.solvers import SOLVERS, Step


@parameter_options(SOLVERS, "Parameters of solvers (default: the preset of task and solver)")
@parameter_options(TASKS, "Parameters of tasks")
@click.command(cls=GroupedCommand)
@photo_options
@click.option("--degraded", is_flag=True, help="The photo is already degraded; otherwise it is degraded here first.")
@click.option("--solver", default=DEFAULT_SOLVER, show_default=True, metavar="NAME", help=names_help(SOLVERS))
@click.option(
    "--sigma-y",
    type=SpecType("sigma_y", noise.SIGMA_Y),
    help="Noise in the measurement, for pixels from -1 to 1. Default: estimated in a degraded photo, else 0.05.",
)
@photons_option
@click.option("--samples", type=SpecType("samples", SAMPLES), default=1, show_default=True, help=SAMPLES.help)
@click.option("--prior", default="embedded", show_default=True, help="'embedded', or a folder with a diffusers model.")
@click.option("--device", help="cpu, cuda, ... Default: the best there is.")
@click.option("--precision", default="auto", show_default=True, help="auto, float32 or bfloat16.")
@click.option("--save-frames", type=click.Path(path_type=Path, file_okay=False), help="Write every step in here.")
@click.option("--save-measurement", type=click.Path(path_type=Path), help="Write what the solver was given.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but errors.")
def restore(
    photo: Path, output: Path, task: str, auxiliary: Path | None, size: int | None, seed: int,
    degraded: bool, solver: str, sigma_y: float | None, photons: float | None, samples: int,
    prior: str, device: str | None, precision: str, save_frames: Path | None, save_measurement: Path | None,
    quiet: bool, **parameters: Any,
) -> None:  # fmt: skip
    """Restores PHOTO and writes the result to a file.

    Without --degraded the photo counts as clean: it is degraded first, and the result is compared with it.
    """
    console = Console(stderr=True, quiet=quiet)
    for path in filter(None, (output, save_measurement)):
        check_output(path)
    task_parameters = given(TASKS, TASKS.find(task), parameters)
    solver_parameters = given(SOLVERS, SOLVERS.find(solver), parameters)
    shared = {"task_parameters": task_parameters, "auxiliary": auxiliary, "size": size, "seed": seed}
    if degraded:
        problem = measured(photo, task, sigma_y=sigma_y, **shared)
    else:
        problem = degrade(photo, task, sigma_y=0.05 if sigma_y is None else sigma_y, photons=photons, **shared)
    settings = make_solver(solver, problem.task, solver_parameters)
    denoiser = load_prior(prior, device, precision)
    if save_frames is not None:
        save_frames.mkdir(parents=True, exist_ok=True)
    if save_measurement is not None:
        save_picture(problem.measurement, save_measurement)
    origin = "as it is" if degraded else "degraded first; --degraded if it already is"
    console.print(f"{problem.task.title}, {settings.title}")
    console.print(f"{photo.name}: {origin}, sigma_y {problem.sigma_y:.3g}")
    start = time.perf_counter()
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    ) as progress:
        bar = progress.add_task("", total=settings.total)
        try:
            for step in stream(problem, settings, denoiser, seed=seed, samples=samples):
                progress.update(bar, completed=step.index, description=_describe(problem, step))
                if save_frames is not None:
                    save_picture(images.to_image(step.x0_hat[0]), save_frames / f"{step.index:04d}.png")
        except DivergenceError as error:
            if error.last is not None:  # what was reached is worth a look
                save_picture(images.to_image(error.last.x0_hat[0]), output)
            raise
    seconds = time.perf_counter() - start
    for number, x in enumerate(step.x0_hat, 1):
        path = output if samples == 1 else output.with_stem(f"{output.stem}-{number}")
        save_picture(images.to_image(x), path)
        quality = ""
        if problem.truth is not None:
            truth = problem.truth[0]
            quality = f"PSNR {metrics.psnr(x, truth):.2f} dB, SSIM {metrics.ssim(x, truth):.3f}, "
        console.print(f"{path}: {quality}{step.nfe} evaluations, {seconds:.1f} s")


def _describe(problem: Problem, step: Step) -> str:
    text = f"residual {step.residual.mean() / max(problem.sigma_y, 1e-3):.2f} sigma_y"
    if problem.truth is not None:
        text += f", {metrics.psnr(step.x0_hat[0], problem.truth[0]):.1f} dB"
    return text
