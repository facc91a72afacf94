"""The solver of a task where nobody chooses one: the one that does it best, by PSNR and by eye.

Judged on docs/presets.md and on photos that no preset was searched on, at 64 and 128 pixels, among the solvers that
take about a hundred passes of the network or fewer: whoever does not choose does not expect to wait for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

GENERAL = "vml-map"
"""Deals with any task, so it is the default of one that the table does not know. It was that of all tasks once."""


@dataclass(frozen=True)
class Default:
    """A row of the table: a solver's name, and why it is the default, in a sentence."""

    solver: str
    reason: str


_BEST = Default(GENERAL, "Best by PSNR, or too close to the best to see, and steady from photo to photo.")

SOLVER_OF: dict[str, Default] = {
    "inpaint-random": _BEST,
    "inpaint-box": _BEST,
    "inpaint-half": Default(
        GENERAL, "Highest PSNR on average, though no solver is best on every photo; DDNM+ invents more and errs more."
    ),
    "inpaint-periodic": _BEST,
    "inpaint-mask": _BEST,
    "deblur-gaussian": _BEST,
    "deblur-uniform": _BEST,
    "deblur-motion": _BEST,
    "deblur-shake": _BEST,
    "deblur-disk": _BEST,
    "deblur-kernel": _BEST,
    "deblur-nonlinear": Default(
        "daps", "0.7 to 1.7 dB above VML-MAP on every photo; DMAP is better still, and slower."
    ),
    "super-resolution": _BEST,
    "super-resolution-bicubic": _BEST,
    "colorize": Default(
        "ddrm",
        "Gives colours, though which ones is a guess, and reaches the highest PSNR on crops and on whole photos; DDNM+ "
        "is smoother and paler, and a solver that seeks a mode leaves the picture grey.",
    ),
    "denoise": _BEST,
    "jpeg": _BEST,
    "hdr": Default(GENERAL, "Looks as good as those that reach up to 1 dB more in 13 times the time."),
    "bit-depth": _BEST,
    "demosaic": _BEST,
    "compressed-sensing": _BEST,
    "phase-retrieval": Default(GENERAL, "Best by PSNR on average; where the phases are missed, all solvers miss them."),
}


def default_solver(task: str) -> str:
    """The name of the task's default solver."""
    return SOLVER_OF[task].solver if task in SOLVER_OF else GENERAL
