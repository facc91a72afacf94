"""Settings that work, for every task and solver: one table, measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inverse.operators import TASKS
from inverse.solvers import SOLVERS, Solver

DEFAULT_TASK = "inpaint-random"
DEFAULT_DEGRADED_TASK = "denoise"  # for a photo of which nothing is known: it assumes least, and so harms least
DEFAULT_SOLVER = "vml-map"

Settings = dict[str, Any]

HOLES = ("inpaint-box", "inpaint-half", "inpaint-mask")
BLURS = ("deblur-gaussian", "deblur-uniform", "deblur-motion", "deblur-shake", "deblur-disk", "deblur-kernel")
SHRUNK = ("super-resolution", "super-resolution-bicubic")
SCATTERED = ("inpaint-random", "inpaint-periodic", "demosaic", "compressed-sensing")


def _each(tasks: Iterable[str], **settings: Any) -> dict[str, Settings]:
    """The same settings for tasks of one kind."""
    return dict.fromkeys(tasks, settings)


# What differs from a solver's own defaults, by solver and task. Found with `python -m inverse.experiments.tune SOLVER`
# and the embedded prior at sigma_y 0.05, mean PSNR over three photographs; of each kind one task was searched: a box, a
# Gaussian blur, block means, random pixels. In brackets: dB reached, against dB with the solver's defaults.
PRESETS: dict[str, dict[str, Settings]] = {
    # 128 pixels. What is known must not be smoothed by a coarse last level, hence sigma_min where much is known.
    "vml-map": {
        **_each(HOLES, schedule="karras", sigma_min=0.01),  # box (27.5, against 26.7)
        "inpaint-half": {"sigma_min": 0.01},  # (17.3, against 15.6)
        # A larger weight makes up for a prior that smooths. Motion, shake and disk become unstable at 3, which is
        # better for the others by 0.2 to 0.4 dB: Gaussian (25.9; 25.3 with the defaults), uniform (25.7),
        # x4 (24.2; 23.7).
        **_each(BLURS, schedule="karras", sigma_min=0.01, guidance_scale=2.0, renoise_above=0.15),
        **_each(
            ("deblur-gaussian", "deblur-uniform", *SHRUNK),
            schedule="karras", sigma_min=0.01, guidance_scale=3.0, renoise_above=0.15,
        ),
        "compressed-sensing": {"guidance_scale": 2.0},  # (29.9)
        "colorize": {"sigma_max": 30.0, "renoise_above": 0.15},  # (20.2)
        "denoise": {"schedule": "karras", "sigma_max": 3.0, "sigma_min": 0.03},  # (37.6, against 33.6)
        # Non-linear tasks, by hand at 96 pixels on coffee and rocket: near the measurement from the start.
        "jpeg": {"schedule": "karras", "sigma_max": 3.0, "sigma_min": 0.01},  # (26.6; the JPEG itself 24.3)
        "hdr": {"schedule": "karras", "sigma_max": 3.0, "sigma_min": 0.01, "gradient_steps": 4},  # (27.4; 16.3)
        "bit-depth": {"schedule": "karras", "sigma_min": 0.01, "guidance_scale": 0.3},  # (30.0; 26.6)
        "deblur-nonlinear": {  # (25.6; 22.2)
            "schedule": "karras", "gradient_steps": 20, "sigma_max": 1.0, "sigma_min": 0.01, "guidance_scale": 10.0,
        },
    },
    # 64 pixels, coffee and rocket.
    "vml-map-published": {
        **_each(SCATTERED, sigma_min=0.1),  # (27.8, against 27.3)
        **_each(HOLES, sigma_min=0.03),  # box (31.0, against 30.7)
        **_each((*BLURS, *SHRUNK), guidance_scale=4.0),  # Gaussian (26.1, against 25.4), x4 (23.3, against 22.1)
    },
    # 64 pixels.
    "dps": {
        **_each(HOLES, sigma_min=0.1),  # box (26.4, against 24.8)
        **_each(SCATTERED, schedule="log-linear", sigma_min=0.1),  # (23.1)
        "denoise": {"sigma_max": 5.0, "sigma_min": 0.1},  # (35.9)
    },
    # 64 pixels; half the default's steps cost half the time and lose 0.2 dB or less.
    "dmap": {
        **_each(TASKS, steps=50),
        **_each(HOLES, steps=50, schedule="log-linear", sigma_max=5.0, sigma_min=0.03, step_size=16.0),  # (28.3; 27.2)
        **_each(SCATTERED, steps=50, schedule="log-linear", step_size=16.0),  # (23.6, against 23.1)
        **_each(BLURS, steps=50, sigma_min=0.03),  # (23.9)
    },
}  # fmt: skip


def solvers_for(task: str) -> list[str]:
    """Names of the solvers that can deal with a task, the recommended ones first.

    Raises:
        ParameterError: the task is unknown.
    """
    linear = TASKS.find(task).linear
    return [name for name, solver in SOLVERS.items() if linear or not solver.linear_only]


def preset(task: str, solver: str, overrides: Mapping[str, Any] | None = None) -> Solver:
    """The solver with its preset for the task, some values overridden.

    Raises:
        ParameterError: the task, the solver or a parameter is unknown, or a value is out of its range.
    """
    TASKS.find(task)
    kind = SOLVERS.find(solver)
    return kind.create({**PRESETS.get(solver, {}).get(task, {}), **(overrides or {})})
