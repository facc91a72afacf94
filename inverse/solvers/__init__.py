"""Solvers, one file each. Importing this package fills the registry `SOLVERS`."""

from inverse.solvers import (  # noqa: I001  (the order is the menu's)
    cse_vml_map,  # noqa: F401
    vml_map,  # noqa: F401
    cse,  # noqa: F401
    dps,  # noqa: F401
    dmap,  # noqa: F401
    dsg,  # noqa: F401
    daps,  # noqa: F401
    diffpir,  # noqa: F401
    ddrm,  # noqa: F401
    ddnm,  # noqa: F401
    pigdm,  # noqa: F401
    red_diff,  # noqa: F401
    ac_dc,  # noqa: F401
    vml_map_published,  # noqa: F401
    vml_map_preconditioned,  # noqa: F401
)
from inverse.solvers.base import SOLVERS, Solver
from inverse.solvers.step import Step

__all__ = ["SOLVERS", "Solver", "Step"]
