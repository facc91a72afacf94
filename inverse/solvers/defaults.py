"""The solver of a task where nobody chooses one: the one that does it best, by PSNR and by eye.

Judged on docs/presets.md and on photos that no preset was searched on, at 64 and 128 pixels, among the solvers that
take about a hundred passes of the network or fewer: whoever does not choose does not expect to wait for minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

GENERAL = "vml-map"
"""Deals with any task, so it is the default of one that the table does not know. It was that of all tasks once."""


LEARNED = "cse-vml-map"
"""Asks a conditional estimator first, so that it is for priors that have one."""


@dataclass(frozen=True)
class Default:
    """A row of the table: a solver's name, and why it is the default, in a sentence."""

    solver: str
    reason: str


_BEST = Default(GENERAL, "Best by PSNR, or too close to the best to see, and steady from photo to photo.")
_QUICK = Default(LEARNED, "Close to the best by PSNR in a third of the time, and the first frame is a restoration.")

SOLVER_OF: dict[str, Default] = {
    "inpaint-random": _QUICK,
    "inpaint-box": _QUICK,
    "inpaint-half": Default(
        GENERAL, "Highest PSNR on average, though no solver is best on every photo; DDNM+ invents more and errs more."
    ),
    "inpaint-periodic": _QUICK,
    "inpaint-mask": _QUICK,
    "deblur-gaussian": _QUICK,
    "deblur-uniform": _QUICK,
    "deblur-motion": _QUICK,
    "deblur-shake": _QUICK,
    "deblur-disk": _QUICK,
    "deblur-kernel": _QUICK,
    "deblur-nonlinear": Default(
        "daps", "0.7 to 1.7 dB above VML-MAP on every photo; DMAP is better still, and slower."
    ),
    "super-resolution": _QUICK,
    "super-resolution-bicubic": _QUICK,
    "colorize": Default(
        "ddrm",
        "Gives colours, though which ones is a guess, and reaches the highest PSNR on crops and on whole photos; DDNM+ "
        "is smoother and paler, and a solver that seeks a mode leaves the picture grey.",
    ),
    "colorize-strokes": Default(
        GENERAL,
        "Solvers differ little, since strokes say nearly all; where colours are left to the prior, its are calm.",
    ),
    "denoise": _QUICK,
    "jpeg": _BEST,
    "hdr": Default(GENERAL, "Looks as good as those that reach up to 1 dB more in 13 times the time."),
    "bit-depth": _BEST,
    "demosaic": _QUICK,
    "compressed-sensing": _QUICK,
    "phase-retrieval": Default(
        "ac-dc", "Finds the phases where others miss them; which way up the picture is remains a guess of the prior's."
    ),
}


def default_solver(task: str, estimator: bool = True) -> str:
    """The name of the task's default solver.

    Args:
        task: its name; one that the table does not know has the default of any task.
        estimator: whether the prior has a conditional estimator.
    """
    found = SOLVER_OF[task].solver if task in SOLVER_OF else GENERAL
    return GENERAL if found == LEARNED and not estimator else found
