"""How each solver meets a measurement that a decoder stands before, as with priors of latents: one table."""

from __future__ import annotations

from inverse.denoisers.cards import FLOW, LATENT
from inverse.operators import TASKS
from inverse.solvers import SOLVERS
from inverse.solvers.base import Solver

KINDS = (LATENT, FLOW)
"""Of priors, that denoise latents."""

DECODER = "through the decoder's gradient"
ENCODER = "in pictures: decode, closed form, encode, without any gradient"
NEITHER = "not on latents: it needs a linear operator where it works, and a decoder is none"


def way(solver: type[Solver], linear: bool) -> str | None:
    """How the solver meets a task, linear or not, behind a decoder; None where it cannot. See `Autoencoded`."""
    if linear and solver.proximal:
        return ENCODER
    return None if solver.linear_only else DECODER


def table() -> dict[str, tuple[str | None, str | None]]:
    """By solver: how it meets linear tasks, and others."""
    return {name: (way(solver, True), way(solver, False)) for name, solver in SOLVERS.items()}


def words(solver: type[Solver]) -> str:
    """The solver's row in words."""
    linear, other = way(solver, True), way(solver, False)
    if linear is None:
        return NEITHER
    return linear if other in (linear, None) else f"linear tasks {linear}; other tasks {other}"


def possible_behind_a_decoder(task: str, solver: str) -> bool:
    """Whether a prior of latents can be used; ParameterError when task or solver is unknown."""
    return way(SOLVERS.find(solver), TASKS.find(task).linear) is not None
