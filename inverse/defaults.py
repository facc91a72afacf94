"""The solver of a task where nobody chooses one: the one that does it best, by PSNR and by eye."""

from __future__ import annotations

from dataclasses import dataclass

GENERAL = "vml-map"
"""Deals with any task, so it is the default of one that the table does not know. It was that of all tasks once."""


@dataclass(frozen=True)
class Default:
    """A row of the table.

    Attributes:
        solver: its name.
        reason: a sentence.
    """

    solver: str
    reason: str


_BEST = Default(GENERAL, "Best by PSNR, or too close to the best to see, and steady from photo to photo.")

SOLVER_OF: dict[str, Default] = {
    "inpaint-random": _BEST,
    "inpaint-box": _BEST,
    "inpaint-half": Default(
        GENERAL, "No solver is best on every photo: DDNM+ wins on some by 1 dB and loses on others by as much."
    ),
    "inpaint-periodic": _BEST,
    "inpaint-mask": _BEST,
    "deblur-gaussian": _BEST,
    "deblur-uniform": _BEST,
    "deblur-motion": _BEST,
    "deblur-shake": _BEST,
    "deblur-disk": _BEST,
    "deblur-kernel": _BEST,
    "deblur-nonlinear": _BEST,
    "super-resolution": _BEST,
    "super-resolution-bicubic": _BEST,
    "colorize": Default(
        "ddnm", "Gives colours, and plausible ones; a solver that seeks a mode leaves the picture grey."
    ),
    "denoise": _BEST,
    "jpeg": _BEST,
    "hdr": _BEST,
    "bit-depth": _BEST,
    "demosaic": _BEST,
    "compressed-sensing": _BEST,
    "phase-retrieval": _BEST,
}


def default_solver(task: str) -> str:
    """The name of the task's default solver."""
    return SOLVER_OF[task].solver if task in SOLVER_OF else GENERAL
