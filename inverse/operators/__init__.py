"""Measurement operators, one file a family. Importing this package fills the registry `TASKS`."""

from inverse.operators import inpainting, blur, super_resolution, denoising  # noqa: F401, I001  (the order is the menu's)
from inverse.operators.base import LinearOperator, Operator
from inverse.operators.task import TASKS, Task

__all__ = ["TASKS", "LinearOperator", "Operator", "Task"]
