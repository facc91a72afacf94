"""`make bench`: what a step of the solvers costs over the bare network, and what threads that spin cost, as ratios.

A solver's own time is what its steps take with a prior that costs nothing; what it sets up before the first one is no
part of them. Machines are noisy, so that absolute seconds say little; the ratio of two measurements, one right after
the other, says more.
"""

from __future__ import annotations

import statistics
import time

import torch
from rich.console import Console
from rich.live import Live
from rich.table import Table

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.evaluation import contention
from inverse.operators import TASKS, Operator
from inverse.randomness import MEASUREMENT, SOLVER, generator
from inverse.solvers import SOLVERS, Solver

STEPS = 10
REPEATS = 5
SIZE = 256
OPERATORS = {"box": "inpaint-box", "blur": "deblur-gaussian"}
"""The operators of two tasks: one of the cheapest, and the most expensive of the common ones."""


def network_seconds(denoiser: Denoiser, x: torch.Tensor, gradient: bool) -> float:
    """Seconds of a pass of the network with nothing around it, and of the pass back if `gradient` asks for it."""
    start = time.perf_counter()
    with torch.set_grad_enabled(gradient):
        x = x.detach().requires_grad_(gradient)
        estimate = denoiser(x, 1.0)
        if gradient:
            torch.autograd.grad(estimate.sum(), x)
    denoiser.wait()
    return time.perf_counter() - start


class Free(Denoiser):
    """A prior that costs nothing beside a network: it only shrinks."""

    sigma_min, sigma_max = 0.003, 80.0

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def denoise(self, x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        return x / (1 + sigma.square()[:, None, None, None])


def step_seconds(solver: Solver, operator: Operator, device: torch.device) -> float:
    """Mean seconds of a step after the first, with a prior that costs nothing."""
    y, prior = torch.zeros(1, *operator.measurement_shape), Free(device)
    steps = solver.solve(prior, operator, y, 0.05, [generator(0, SOLVER, 0)])
    next(steps)
    prior.wait()
    start = time.perf_counter()
    for _ in steps:
        pass
    prior.wait()
    return (time.perf_counter() - start) / (solver.total - 1)


def overhead(denoiser: Denoiser, solver: Solver, operator: Operator) -> float:
    """The own seconds of a solver's step over those of its passes of the network, from one pair of measurements."""
    x = torch.randn(1, *operator.image_shape, device=denoiser.device)
    forwards, vjps = solver.cost
    network = (forwards - vjps) * network_seconds(denoiser, x, False) if forwards > vjps else 0.0
    network += vjps * network_seconds(denoiser, x, True) if vjps else 0.0
    return step_seconds(solver, operator, denoiser.device) * solver.total / network


def main() -> None:
    """Prints the tables, that of the solvers row by row."""
    console = Console()
    console.print(contention.table())
    denoiser = load_prior()
    operators = {
        title: TASKS[task]().operator((3, SIZE, SIZE), generator(0, MEASUREMENT), None)
        for title, task in OPERATORS.items()
    }
    table = Table(title=f"Own time of a step over the network's, {SIZE} px, median of {REPEATS} runs")
    for column in ("solver", "forwards", "backwards", *OPERATORS):
        table.add_column(column, justify="left" if column == "solver" else "right")
    network_seconds(denoiser, torch.randn(1, 3, SIZE, SIZE, device=denoiser.device), True)
    with Live(table, console=console):
        for name, kind in SOLVERS.items():
            solver = kind(steps=max(STEPS, kind.step_range()[0]))
            shares = []
            for operator in operators.values():
                step_seconds(solver, operator, denoiser.device)
                shares.append(statistics.median(overhead(denoiser, solver, operator) for _ in range(REPEATS)))
            table.add_row(name, *map(str, solver.cost), *(f"{share:.1%}" for share in shares))


if __name__ == "__main__":
    main()
