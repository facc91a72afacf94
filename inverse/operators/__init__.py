"""Measurement operators, one file a family. Importing this package fills the registry `TASKS`."""

# ruff: noqa: F401, I001  (imported for their tasks, in the menu's order)

from inverse.operators import (
    inpainting,
    blur,
    deblurring,
    nonlinear_blur,
    super_resolution,
    bicubic,
    colorization,
    strokes,
    denoising,
    jpeg,
    tone,
    demosaicing,
    compressed_sensing,
    phase_retrieval,
)
from inverse.operators.base import LinearOperator, Operator, StraightThrough
from inverse.operators.task import TASKS, Task, make_task

__all__ = ["TASKS", "LinearOperator", "Operator", "StraightThrough", "Task", "make_task"]
