"""Solvers, one file each. Importing this package fills the registry `SOLVERS`."""

from inverse.solvers import vml_map, vml_map_published, dmap, dps  # noqa: F401, I001  (the order is the menu's)
from inverse.solvers.base import SOLVERS, Solver, Step

__all__ = ["SOLVERS", "Solver", "Step"]
