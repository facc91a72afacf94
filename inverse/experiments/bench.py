"""`make bench`: what the solvers cost over the bare network, as ratios of one run.

A solver's own time is what it takes with a prior that costs nothing. Machines are noisy, so that absolute seconds say
little; the ratio of two runs, one right after the other, says more.
"""

from __future__ import annotations

import statistics
import time

import torch
from rich.console import Console
from rich.table import Table

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.operators import TASKS
from inverse.randomness import MEASUREMENT, SOLVER, generator
from inverse.solvers import SOLVERS, Solver

STEPS = 10
REPEATS = 5
SIZE = 256


def network_seconds(denoiser: Denoiser, solver: Solver, x: torch.Tensor) -> float:
    """Seconds of the network passes that a run of the solver makes, with nothing around them."""
    forwards, vjps = solver.cost
    start = time.perf_counter()
    for index in range(forwards):
        if index < vjps:
            x = x.detach().requires_grad_()
            torch.autograd.grad(denoiser(x, 1.0).sum(), x)
        else:
            with torch.no_grad():
                denoiser(x, 1.0)
    return time.perf_counter() - start


class Free(Denoiser):
    """A prior that costs nothing beside a network: it only shrinks."""

    sigma_min, sigma_max = 0.003, 80.0

    def denoise(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return x / (1 + sigma.square()[:, None, None, None])


def solver_seconds(denoiser: Denoiser, solver: Solver) -> float:
    """Seconds of a run of the solver on deblurring, whose operator is the most expensive of the common ones."""
    operator = TASKS["deblur-gaussian"]().operator((3, SIZE, SIZE), generator(0, MEASUREMENT), None)
    y = torch.zeros(1, *operator.measurement_shape)
    start = time.perf_counter()
    for _ in solver.solve(denoiser, operator, y, 0.05, [generator(0, SOLVER, 0)]):
        pass
    return time.perf_counter() - start


def main() -> None:
    """Prints the table."""
    denoiser = load_prior()
    table = Table(title=f"Overhead over the network alone, {SIZE} px, {STEPS} steps, median of {REPEATS}")
    for column in ("solver", "forwards", "backwards", "network s", "own s", "overhead"):
        table.add_column(column, justify="left" if column == "solver" else "right")
    x = torch.randn(1, 3, SIZE, SIZE)
    for name, kind in SOLVERS.items():
        solver = kind(steps=max(STEPS, kind.specs()["steps"].low))
        network_seconds(denoiser, solver, x)
        pairs = [(network_seconds(denoiser, solver, x), solver_seconds(Free(), solver)) for _ in range(REPEATS)]
        network, own = (statistics.median(column) for column in zip(*pairs, strict=True))
        overhead = statistics.median(b / a for a, b in pairs)
        table.add_row(name, *map(str, solver.cost), f"{network:.2f}", f"{own:.2f}", f"{overhead:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
