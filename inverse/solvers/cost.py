"""What a run costs, in forward passes of the network; and solvers with as many steps as a budget allows."""

from __future__ import annotations

import time
from bisect import bisect_right

import torch

from inverse.denoisers.base import Denoiser
from inverse.solvers.base import Solver
from inverse.solvers.run import in_passes


def passes(solver: Solver) -> float:
    """What a run of the solver costs, in forward passes of the network."""
    return in_passes(*solver.cost)


def seconds_per_pixel(denoiser: Denoiser) -> float:
    """Seconds of a forward pass for each pixel: the fastest of three on a small image."""
    whole = denoiser.multiple
    side = -(-128 // denoiser.factor // whole) * whole
    x = torch.zeros(1, denoiser.channels, side, side, device=denoiser.device, dtype=denoiser.dtype)
    fastest = float("inf")
    with torch.no_grad():
        for _ in range(3):
            start = time.perf_counter()
            float(denoiser(x, denoiser.sigma_min).sum())  # at full size, and waits for the device
            fastest = min(fastest, time.perf_counter() - start)
    return fastest / (side * denoiser.factor) ** 2


def at_cost(solver: Solver, budget: float) -> Solver:
    """The solver with as many steps as bring its cost closest to `budget` network passes.

    That is within one step of it, but for solvers that cannot run with so few steps, or so many: see `misses`.
    """
    low, high = solver.step_range()
    within = low + bisect_right(range(low + 1, high), budget, key=lambda steps: passes(solver.replace(steps=steps)))
    tried = [solver.replace(steps=steps) for steps in (within, within + 1)]
    return min(tried, key=lambda each: abs(passes(each) - budget))


def misses(solver: Solver, budget: float) -> str:
    """Why a solver from `at_cost` does not keep the budget, a sentence; empty where it does, to one step."""
    (low, high), cost = solver.step_range(), passes(solver)
    bound = {low: "fewest", high: "most"}.get(solver.steps)
    if bound is None or (cost <= budget if bound == "fewest" else cost >= budget):
        return ""
    inward = solver.replace(steps=solver.steps + (1 if bound == "fewest" else -1))
    if abs(cost - budget) <= abs(passes(inward) - cost):
        return ""
    return f"{solver.steps} steps are the {bound} it can take: {cost:.0f} network passes, not {budget:.0f}."


def spoken(seconds: float) -> str:
    """Seconds that are expected, in as few words as fit on a button: "9 s", "3 min", "2.5 h"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
