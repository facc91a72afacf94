"""How long priors take for one evaluation, side by side in one run: machines are noisy, ratios are less so.

    python -m inverse.training.latency PRIOR...

The first prior is what the others are compared with.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import click
import torch

from inverse.denoisers.embedded import EDMDenoiser, load_network

SIDES = (128, 256, 512)
PRECISIONS = ("float32", "bfloat16")
REPEATS = 15


@torch.inference_mode()
def latencies(denoisers: Sequence[EDMDenoiser], side: int, repeats: int = REPEATS) -> list[float]:
    """Median milliseconds of one evaluation of one square image by each prior; they take turns.

    Args:
        denoisers: the priors.
        side: of the image in pixels.
        repeats: how often, after one evaluation that does not count.
    """
    x = torch.randn(1, 3, side, side)
    taken: list[list[float]] = [[] for _ in denoisers]
    for _ in range(repeats + 1):
        for denoiser, times in zip(denoisers, taken, strict=True):
            started = time.perf_counter()
            denoiser(x, 1.0)
            times.append(1e3 * (time.perf_counter() - started))
    return [statistics.median(times[1:]) for times in taken]


@click.command()
@click.argument("priors", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
def main(priors: tuple[Path, ...]) -> None:
    """Prints milliseconds of one evaluation by each of PRIORS on the CPU, and what that is times the first's."""
    click.echo("| side | precision | " + " | ".join(path.stem for path in priors) + " |")
    click.echo("|---|---|" + "---:|" * len(priors))
    for precision in PRECISIONS:
        denoisers = [EDMDenoiser(load_network(path), "cpu", precision) for path in priors]
        for side in SIDES:
            taken = latencies(denoisers, side)
            cells = [f"{ms:.0f} ms ({ms / taken[0]:.2f})" for ms in taken]
            click.echo(f"| {side} | {precision} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
