"""The search behind `presets.py`: one parameter at a time, on held-out photos, with the embedded prior.

    python -m inverse.experiments.tune dps dmap --task super-resolution --size 128

prints the PSNR of every setting that was tried and the best one. Photos that the prior was not trained on and that
the documentation's tables do not show: scikit-image's coffee, rocket and motorcycle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np
import skimage.data
from PIL import Image

from inverse import images
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError
from inverse.operators import TASKS
from inverse.presets import preset
from inverse.restoration import restore
from inverse.solvers import SOLVERS, Solver

PHOTOS: tuple[Callable[[], np.ndarray], ...] = (
    skimage.data.coffee,
    skimage.data.rocket,
    lambda: skimage.data.stereo_motorcycle()[0],
)

# What is worth trying, in the order in which it is tried; a solver skips what it does not have. Multiples of the
# preset's value for parameters that are explored by factors, values for the others.
FACTORS: dict[str, tuple[float, ...]] = {
    "step_size": (0.25, 0.5, 2.0, 4.0, 8.0),
    "guidance_scale": (0.5, 2.0),
    "sigma_max": (0.5, 3.0),
    "renoise_above": (0.5, 2.0),
}
VALUES: dict[str, tuple[Any, ...]] = {
    "schedule": ("log-linear", "karras"),
    "sigma_min": (0.01, 0.03, 0.1),
    "stochasticity": (0.0, 0.3, 1.0),
}


def mean_psnr(task: str, solver: Solver, denoiser: Denoiser, size: int) -> float:
    """Mean PSNR in dB over the held-out photos; minus infinity where the solver diverges."""
    scores = []
    for photo in PHOTOS:
        picture = images.fit(Image.fromarray(photo()), size, 8, square=True)
        try:
            scores += restore(picture, task, solver, denoiser=denoiser).psnr
        except DivergenceError:
            return float("-inf")
    return float(np.mean(scores))


def search(task: str, solver: Solver, denoiser: Denoiser, size: int) -> Iterator[tuple[Solver, float]]:
    """Coordinate search from a setting; yields each setting that was tried with its PSNR, the best one last again."""
    best, score = solver, mean_psnr(task, solver, denoiser, size)
    yield best, score
    for name, spec in solver.specs().items():
        start = getattr(best, name)
        candidates = list(VALUES.get(name, ()))
        candidates += [start * factor for factor in FACTORS.get(name, ()) if spec.low <= start * factor <= spec.high]
        for value in candidates:
            if value == start:
                continue
            trial = best.replace(**{name: value})
            reached = mean_psnr(task, trial, denoiser, size)
            yield trial, reached
            if reached > score:
                best, score = trial, reached
    yield best, score


@click.command()
@click.argument("solvers", nargs=-1, type=click.Choice(list(SOLVERS)))
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), help="Default: every task.")
@click.option("--size", default=128, show_default=True, help="Side of the photos in pixels.")
@click.option("--set", "fixed", multiple=True, metavar="NAME=VALUE", help="Start from this value.")
def main(solvers: tuple[str, ...], tasks: tuple[str, ...], size: int, fixed: tuple[str, ...]) -> None:
    """Searches presets and prints them."""
    denoiser = load_prior()
    for name in solvers or SOLVERS:
        specs = SOLVERS[name].specs()
        start = {k: specs[k].parse(k, v) for k, _, v in (pair.partition("=") for pair in fixed)}
        for task in tasks or [t for t, kind in TASKS.items() if not kind.auxiliary]:
            base = preset(task, name, start)
            changed: dict[str, Any] = {}
            for trial, score in search(task, base, denoiser, size):
                changed = {k: v for k, v in trial.to_dict().items() if v != getattr(base, k)}
                click.echo(f"  {name} {task} {score:6.2f} dB {changed}")
            click.echo(f"BEST {name} {task} {score:6.2f} dB {changed} cost {trial.cost}")


if __name__ == "__main__":
    main()
