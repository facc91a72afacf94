"""Image restoration with pre-trained diffusion models.

from inverse import restore
restore("photo.jpg", task="super-resolution", degraded=True).image.save("restored.png")
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inverse.blind import KernelEstimate, estimate_kernel
    from inverse.denoisers.catalog import load_prior
    from inverse.diagnosis import Diagnosis, diagnose
    from inverse.errors import InverseError
    from inverse.operators import TASKS
    from inverse.restoration import degrade, measured, restore, restore_full_size, stream
    from inverse.results.problem import Problem, Result
    from inverse.solvers import SOLVERS, Step
    from inverse.solvers.presets import preset
    from inverse.treatments import Tried, try_on_crop
    from inverse.verdicts import Verdict, verdict

__version__ = "0.2.0"

# Names are imported when they are used: torch takes seconds, and `python -m inverse --help` needs none of it.
_HOMES = {
    "blind": ("KernelEstimate", "estimate_kernel"),
    "denoisers.catalog": ("load_prior",),
    "diagnosis": ("Diagnosis", "diagnose"),
    "errors": ("InverseError",),
    "operators": ("TASKS",),
    "restoration": ("degrade", "measured", "restore", "restore_full_size", "stream"),
    "results.problem": ("Problem", "Result"),
    "solvers": ("SOLVERS", "Step"),
    "solvers.presets": ("preset",),
    "verdicts": ("Verdict", "verdict"),
    "treatments": ("Tried", "try_on_crop"),
}
__all__ = [
    "SOLVERS",
    "TASKS",
    "Diagnosis",
    "InverseError",
    "KernelEstimate",
    "Problem",
    "Result",
    "Step",
    "Tried",
    "Verdict",
    "degrade",
    "diagnose",
    "estimate_kernel",
    "load_prior",
    "measured",
    "preset",
    "restore",
    "restore_full_size",
    "stream",
    "try_on_crop",
    "verdict",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"inverse.{home}"), name)
    raise AttributeError(f"module 'inverse' has no attribute {name!r}")
