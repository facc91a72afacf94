"""`make bench`, its second part: what each quality reaches, and what it takes, against the default of before.

    python -m inverse.evaluation.frontier                          # one photo, five tasks, 256 and 512 pixels
    python -m inverse.evaluation.frontier --size 128 --photos 6 --output docs     # the figures of docs/qualities.md

Before there were qualities the default was `vml-map` with 30 calls of the network at full size. Seconds are compared on
one photo right after each other, as machines are noisy. Photos are those of scikit-image and scikit-learn that no
training saw. With the package `stlpips_pytorch` a distance is taken that looks at pictures as people do.
"""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.evaluation.evaluate.charts import Points
from inverse.evaluation.evaluate.summary import Estimate
from inverse.imaging.files import write_text
from inverse.imaging.images import fit
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.solvers.qualities import QUALITIES, STANDARD
from inverse.training.evaluate import held_out_photos

TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "x4": ("super-resolution", {}),
    "blur": ("deblur-gaussian", {"std": 2.0}),
    "random": ("inpaint-random", {"missing": 0.7}),
    "box": ("inpaint-box", {"box_height": 40 / 128, "box_width": 40 / 128}),
    "half": ("inpaint-half", {}),
}
"""By what tables call them."""
FORMER = "vml-map, 30 calls"
PRESET = {"steps": 10, "gradient_steps": 2}
FORMER_HALF = {**PRESET, "sigma_max": 90.0, "sigma_min": 0.01, "guidance_scale": 1.0}
"""Its preset for a half, which is now another; for the other tasks it is what it was."""
LINES = "frontier.jsonl"


@dataclass(frozen=True)
class Row:
    """One restoration.

    Attributes:
        task, size, photo, method: which; the method is a quality, or `FORMER`.
        passes: what it cost, in passes of the network at full size.
        seconds: that it took.
        psnr: in dB.
        residual: in units of the noise.
        distance: ST-LPIPS; None where it cannot be taken.
    """

    task: str
    size: int
    photo: str
    method: str
    passes: float
    seconds: float
    psnr: float
    residual: float
    distance: float | None = None


def methods(task: str, size: int) -> dict[str, Settings]:
    """The settings of the default of before, and of every quality that is another, on one of `TASKS`, of noise 0.05."""
    name, parameters = TASKS[task]
    common: dict[str, Any] = {"task": name, "task_parameters": parameters, "size": size, "sigma_y": 0.05}
    former = FORMER_HALF if task == "half" else PRESET
    found = {FORMER: Settings.create(solver="vml-map", solver_parameters=former, pyramid=False, **common)}
    for quality in (STANDARD, *QUALITIES):
        settings = Settings.create(quality=quality, **common)
        if settings not in found.values():
            found[quality] = settings
    return found


def measured(task: str, size: int, name: str, photo: Image.Image, method: str, prior: Denoiser) -> Row:
    """One restoration of the center square of a photo."""
    settings = methods(task, size)[method]
    problem = settings.problem(fit(photo, None, square=True))
    start = time.perf_counter()
    *_, last = problem.steps(settings.solver, settings.guided(prior), settings.seed)
    seconds = time.perf_counter() - start
    record, distance = Record.of(problem, last, seconds, without=["ssim"]), perceptual()
    assert problem.truth is not None
    far = None if distance is None else distance(last.x0_hat.clamp(-1, 1), problem.truth)
    psnr, residual = record.quality["psnr"], record.quality["residual"]
    assert psnr is not None and residual is not None
    return Row(task, size, name, method, record.cost, seconds, psnr, residual, far)


@cache
def perceptual() -> Callable[[Tensor, Tensor], float] | None:
    """ST-LPIPS (Ghildyal and Liu, ECCV 2022) of two pictures (1, 3, H, W); None where its package is not installed."""
    with suppress(ImportError):
        if importlib.util.find_spec("stlpips_pytorch") is not None:
            from stlpips_pytorch.stlpips import LPIPS

            network = LPIPS(net="alex", variant="shift_tolerant", verbose=False)
            return lambda x, truth: float(network(x.float(), truth.float()).detach())
    return None


def rows(sizes: Sequence[int], photos: int, file: Path | None, tasks: Sequence[str]) -> Iterator[Row]:
    """All of it, photo by photo; what a file has already is taken from there, and what is new is added."""
    known = {}
    if file is not None and file.exists():
        found = [Row(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
        known = {(row.task, row.size, row.photo, row.method): row for row in found}
    prior = load_prior(precision="float32")
    for size in sizes:
        for name, photo in list(held_out_photos().items())[:photos]:
            for task in tasks:
                for method in methods(task, size):
                    row = known.get((task, size, name, method))
                    if row is None:
                        row = measured(task, size, name, photo, method, prior)
                        if file is not None:
                            with file.open("a", encoding="utf-8") as lines:
                                lines.write(json.dumps(asdict(row)) + "\n")
                    yield row


def summary(found: Sequence[Row]) -> Iterator[list[str]]:
    """A line for every task, size and method: means over the photos, and how the method compares with the former."""
    for size, task, method in dict.fromkeys((row.size, row.task, row.method) for row in found):
        own = [row for row in found if (row.size, row.task, row.method) == (size, task, method)]
        former = [row for row in found if (row.size, row.task, row.method) == (size, task, FORMER)]
        passes, psnr, residual = (_mean([getattr(row, name) for row in own]) for name in ("passes", "psnr", "residual"))
        faster = _mean([row.seconds for row in own]) / _mean([row.seconds for row in former])
        gain = psnr - _mean([row.psnr for row in former])
        distances = [row.distance for row in own if row.distance is not None]
        yield [
            task, str(size), method, f"{passes:.1f}", f"{_mean([row.seconds for row in own]):.2f}", f"{faster:.2f}",
            f"{psnr:.2f}", f"{gain:+.2f}", f"{_mean(distances):.3f}" if distances else "-", f"{residual:.2f}",
        ]  # fmt: skip


HEADS = ("task", "px", "method", "passes", "seconds", "of former", "PSNR", "against former", "ST-LPIPS", "residual")


def chart(found: Sequence[Row], task: str) -> Points:
    """PSNR over passes on a task, a point a method."""
    names = dict.fromkeys(row.method for row in found if row.task == task)
    points = []
    for name in names:
        own = [row for row in found if (row.task, row.method) == (task, name)]
        psnr = Estimate.of(row.psnr - former.psnr for row in own for former in found
                           if (former.task, former.size, former.photo, former.method) ==
                           (task, row.size, row.photo, FORMER))  # fmt: skip
        assert psnr is not None
        points.append((name, _mean([row.passes for row in own]), psnr))
    return Points(f"{task}: dB against the former default", "network passes at full size", "dB", points)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@click.command()
@click.option("--size", "sizes", type=int, multiple=True, default=(256, 512), show_default=True, help="In pixels.")
@click.option("--photos", type=int, default=1, show_default=True, help="How many of the photos, six at most.")
@click.option("--task", "tasks", multiple=True, type=click.Choice(list(TASKS)), help="Default: all five.")
@click.option("--output", type=click.Path(path_type=Path), help="Keep results in this folder, and draw charts there.")
def main(sizes: tuple[int, ...], photos: int, tasks: tuple[str, ...], output: Path | None) -> None:
    """Prints the table of the qualities, line by line."""
    console, found = Console(), []
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    for row in rows(sizes, photos, output and output / LINES, tasks or tuple(TASKS)):
        found.append(row)
        console.print(f"{row.task} {row.size} px {row.photo}, {row.method}: {row.psnr:.2f} dB, {row.seconds:.2f} s")
    table = Table(*HEADS, title=f"{torch.get_num_threads()} threads")
    for line in summary(found):
        table.add_row(*line)
    console.print(table)
    if output is not None:
        for task in dict.fromkeys(row.task for row in found):
            write_text(output / f"frontier-{task}.svg", chart(found, task).svg())


if __name__ == "__main__":
    main()
