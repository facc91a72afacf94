"""Solvers side by side on test photographs: PSNR, SSIM, evaluations and seconds, and a picture of them all.

    python -m inverse.evaluation.evaluate --solver vml-map --solver vml-map-published --markdown table.md
    python -m inverse.evaluation.evaluate --benchmark --photo astronaut --photo chelsea --photo coffee \\
        --markdown docs/solvers.md --grid docs/solvers

Photographs that the prior has not seen, each the center square at 256 pixels: scikit-image's astronaut and chelsea,
and coffee, which is also one of the three that presets were searched on.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
import skimage.data
import torch
from PIL import Image, ImageDraw, ImageFont

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.denoisers.precision import computes_in_bfloat16
from inverse.imaging import images
from inverse.imaging.files import replace_atomically, write_text
from inverse.operators import Task, make_task
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.restoration import degrade, stream
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.solvers import SOLVERS
from inverse.solvers.presets import make_solver, solvers_for

PHOTOS: dict[str, Callable[[], np.ndarray]] = {
    "astronaut": skimage.data.astronaut,
    "chelsea": skimage.data.chelsea,
    "coffee": skimage.data.coffee,
}
COMMON: dict[str, tuple[str, dict[str, Any]]] = {
    "random 70 % missing": ("inpaint-random", {}),
    "Gaussian blur, std 2": ("deblur-gaussian", {"std": 2.0, "edges": "circular"}),
    "super-resolution x4": ("super-resolution", {}),
}
# The tasks that Xu et al. (ICLR 2025) compare solvers on.
BENCHMARK: dict[str, tuple[str, dict[str, Any]]] = {
    "half": ("inpaint-half", {}),
    "box": ("inpaint-box", {}),
    "super-resolution x4": ("super-resolution", {}),
    "uniform blur, 9x9": ("deblur-uniform", {"edges": "circular"}),
    "Gaussian blur, std 2": ("deblur-gaussian", {"std": 2.0, "edges": "circular"}),
}


@dataclass(frozen=True)
class Row:
    """One restoration, by its names."""

    photo: str
    task: str
    solver: str
    record: Record


def evaluate(
    photo: str, task: str, problem: Problem, solvers: Iterable[str], denoiser: Denoiser, seed: int = 0
) -> Iterator[Row]:
    """Restores one problem with several solvers at their presets."""
    for name in solvers:
        solver = make_solver(name, problem.task)
        start = time.perf_counter()
        (last,) = deque(stream(problem, solver, denoiser, seed=seed), maxlen=1)
        yield Row(photo, task, name, Record.of(problem, last, time.perf_counter() - start))


def page(rows: Iterable[Row], pictures: Iterable[str], size: int, sigma_y: float) -> str:
    """A Markdown page with pictures, given by their paths, and the table of all figures."""
    precision = "bfloat16" if computes_in_bfloat16(torch.device("cpu")) else "float32"
    lines = [
        "# Solvers side by side",
        "",
        f"Center squares at {size} pixels, sigma_y {sigma_y:g}, solvers at their presets, the embedded prior. PSNR is",
        "not all: a solver that draws samples has a lower one than a solver that seeks a mode of the posterior, and",
        f"sharper pictures. Seconds are those of a machine with {torch.get_num_threads()} CPU thread(s) "
        f"({torch.backends.cpu.get_cpu_capability()}, the network in {precision}), and depend on what else it did.",
        "Made by `python -m inverse.evaluation.evaluate`, which says how.",
        "",
        papers(),
        "",
    ]
    for path in pictures:
        lines += [f"![Every solver on {Path(path).stem}]({path})", ""]
    return "\n".join(lines) + "\n" + to_markdown(rows)


def papers() -> str:
    """Every solver's paper, in Markdown."""
    cited = [f"[{kind.title}]({kind.paper})" for kind in SOLVERS.values() if kind.paper]
    return f"Papers: {', '.join(cited)}."


def to_markdown(rows: Iterable[Row]) -> str:
    """The rows as a Markdown table."""
    lines = [
        "| photo | task | solver | PSNR dB | SSIM | forwards | backwards | s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.photo} | {row.task} | `{row.solver}` | {of['psnr']:.2f} | {of['ssim']:.3f} | {of['nfe']} "
        f"| {of['vjp']} | {of['seconds']:.1f} |"
        for row in rows
        if (of := row.record.figures)
    ]
    return "\n".join(lines) + "\n"


def grid(problems: dict[str, Problem], rows: Iterable[Row], side: int = 160) -> Image.Image:
    """One line a task: truth, measurement and every solver, each with its figures below."""
    rows = list(rows)
    solvers = list(dict.fromkeys(row.solver for row in rows))
    below, font = 30, ImageFont.load_default(11)
    sheet = Image.new("RGB", ((len(solvers) + 2) * (side + 4), len(problems) * (side + below)), "white")
    draw = ImageDraw.Draw(sheet)

    def place(column: int, line: int, picture: Image.Image, text: str) -> None:
        left, top = column * (side + 4), line * (side + below)
        sheet.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (left, top))
        draw.multiline_text((left + 2, top + side + 1), text, "black", font, spacing=1)

    for line, (task, problem) in enumerate(problems.items()):
        if problem.truth is not None:
            place(0, line, images.to_image(problem.truth), "original")
        place(1, line, problem.measurement, task)
        for row in rows:
            of = row.record
            if row.task == task and of.image is not None:
                text = f"{row.solver}\n{of.said('psnr')}, {of.said('ssim')}, {of.seconds:.0f} s"
                place(2 + solvers.index(row.solver), line, of.image, text)
    return sheet


def _solvable(task: Task, solvers: Iterable[str]) -> list[str]:
    able = solvers_for(task.name)
    return [name for name in solvers if name in able]


@click.command()
@click.option("--solver", "solvers", multiple=True, type=click.Choice(list(SOLVERS)), help="Default: all.")
@click.option("--photo", "photos", multiple=True, type=click.Choice(list(PHOTOS)), help="Default: the first two.")
@click.option("--benchmark", is_flag=True, help="The tasks of the ICLR paper instead of the most common ones.")
@click.option("--size", default=256, show_default=True, help="Side of the photos in pixels.")
@click.option("--sigma-y", default=DEFAULT_SIGMA_Y, show_default=True, help="Noise on the scale from -1 to 1.")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write a page with the table to this file.")
@click.option("--grid", "sheet", type=click.Path(path_type=Path), help="Write a picture a photo: PATH-photo.jpg.")
def main(
    solvers: tuple[str, ...], photos: tuple[str, ...], benchmark: bool, size: int, sigma_y: float,
    markdown: Path | None, sheet: Path | None,
) -> None:  # fmt: skip
    """Evaluates solvers on test photographs and prints the table."""
    denoiser, everything, sheets = load_prior(), [], []
    for photo in photos or list(PHOTOS)[:2]:
        picture = images.fit(Image.fromarray(PHOTOS[photo]()), size, 8, square=True)
        problems, rows = {}, []
        for title, (task, parameters) in (BENCHMARK if benchmark else COMMON).items():
            problem = problems[title] = degrade(picture, make_task(task, parameters), sigma_y=sigma_y)
            for row in evaluate(photo, title, problem, _solvable(problem.task, solvers or SOLVERS), denoiser):
                said = f"{row.record.said('psnr'):>9} {row.record.said('ssim')} {row.record.seconds:6.1f} s"
                click.echo(f"{photo:10} {title:22} {row.solver:24} {said}")
                rows.append(row)
        if sheet is not None:
            sheets.append(sheet.with_name(f"{sheet.name}-{photo}.jpg"))
            replace_atomically(sheets[-1], partial(grid(problems, rows).save, quality=88))
        everything += rows
    if markdown is not None:
        pictures = [Path(os.path.relpath(each, markdown.parent)).as_posix() for each in sheets]
        write_text(markdown, page(everything, pictures, size, sigma_y))


if __name__ == "__main__":
    main()
