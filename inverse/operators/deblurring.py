"""Deblurring tasks besides the Gaussian one: what moved, shook or was out of focus."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.blur import edges_field
from inverse.operators.convolution import blur_operator
from inverse.operators.kernels import disk_kernel, line_kernel, trajectory_kernel, uniform_kernel
from inverse.operators.task import TASKS, Task
from inverse.parameters import integer, real

MAX_KERNEL = 255
"""Longest side of an uploaded kernel; a larger picture is shrunk."""


def kernel_size_field(default: int) -> Any:
    return integer(default, 3, 61, unit="pixels", help="Side of the square that one point is spread over.",
                   effect="Too small leaves the image soft; too large leaves rings around edges.")  # fmt: skip


def radius_field() -> Any:
    return real(
        4.0, 1.0, 30.0, unit="pixels", help="Radius of the disk that one point of light becomes.",
        effect="Too small leaves the image soft; too large leaves rings around edges.",
    )  # fmt: skip


@TASKS.register
@dataclass(frozen=True)
class DeblurUniform(Task):
    name = "deblur-uniform"
    title = "Deblurring: uniform"
    group = "Blur"
    summary = "Every pixel is the mean of the square around it."
    lengths = ("kernel_size",)

    kernel_size: int = kernel_size_field(9)
    edges: str = edges_field()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LinearOperator:
        return blur_operator(uniform_kernel(self.kernel_size), image_shape, self.edges)


@TASKS.register
@dataclass(frozen=True)
class DeblurMotion(Task):
    name = "deblur-motion"
    title = "Deblurring: straight motion"
    group = "Blur"
    summary = "The camera or the scene moved along a straight line."
    lengths = ("length",)

    length: float = real(
        20.0, 2.0, 100.0, unit="pixels", help="How far a point moved.",
        effect="Too short leaves the image soft; too long leaves doubled edges.",
    )  # fmt: skip
    angle: float = real(
        45.0, 0.0, 180.0, unit="degrees",
        help="Direction of the motion: 0 is horizontal, 45 rises to the right, 90 is vertical.",
        effect="A wrong angle leaves streaks across edges.",
    )  # fmt: skip
    edges: str = edges_field(slanted=True)

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LinearOperator:
        return blur_operator(line_kernel(self.length, self.angle), image_shape, self.edges)


@TASKS.register
@dataclass(frozen=True)
class DeblurShake(Task):
    name = "deblur-shake"
    title = "Deblurring: camera shake"
    group = "Blur"
    summary = "The camera shook along a winding path, drawn at random from the seed."
    lengths = ("kernel_size",)

    kernel_size: int = kernel_size_field(31)
    turning: float = real(
        0.5, 0.0, 1.0, help="How much the path winds: 0 is a straight line, 1 a tangle.",
        effect="A tangle is easier to undo than a long straight path.",
    )  # fmt: skip
    edges: str = edges_field(slanted=True)

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LinearOperator:
        kernel = trajectory_kernel(self.kernel_size, self.turning, generator)
        return blur_operator(kernel, image_shape, self.edges)


@TASKS.register
@dataclass(frozen=True)
class DeblurDisk(Task):
    name = "deblur-disk"
    title = "Deblurring: out of focus"
    group = "Blur"
    summary = "The lens was out of focus: every point became a disk."
    lengths = ("radius",)

    radius: float = radius_field()
    edges: str = edges_field()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LinearOperator:
        return blur_operator(disk_kernel(self.radius), image_shape, self.edges)


@TASKS.register
@dataclass(frozen=True)
class DeblurKernel(Task):
    name = "deblur-kernel"
    title = "Deblurring: your own kernel"
    group = "Blur"
    summary = "You upload a small picture of what one bright point became: bright on black."
    auxiliary = "kernel"

    edges: str = edges_field(slanted=True)

    def enlarged(self, factor: float, picture: Image.Image | None = None) -> tuple[Self, Image.Image | None]:
        if picture is None:
            return self, None
        # A middle pixel stays one.
        width, height = (2 * round((factor * side - side % 2) / 2) + side % 2 or 1 for side in picture.size)
        if max(width, height) > MAX_KERNEL:
            raise ProblemError(
                f"This kernel is {width} x {height} pixels on a photo that is {factor:.1f} times as large, and at most "
                f"{MAX_KERNEL} can be undone. Crop the kernel to its bright part, or shrink the photo first."
            )
        return self, picture.convert("L").resize((width, height), Image.Resampling.BICUBIC)

    def prepare(self, picture: Image.Image, size: tuple[int, int]) -> Tensor:
        """The kernel picture in its own size, (h, w) on [0, 1]; above `MAX_KERNEL` pixels it is shrunk by areas."""
        kernel = picture.convert("L")
        if max(kernel.size) > MAX_KERNEL:
            kernel.thumbnail((MAX_KERNEL, MAX_KERNEL), Image.Resampling.BOX)
        return torch.from_numpy(np.array(kernel)).float() / 255

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LinearOperator:
        if auxiliary is None:
            raise ProblemError("This task needs a blur kernel. Upload a small picture of it, bright on black.")
        kernel = auxiliary.reshape(auxiliary.shape[-2:]).to("cpu", torch.float64)
        if not (torch.isfinite(kernel).all() and (kernel >= 0).all() and kernel.sum() > 0):
            raise ProblemError("The kernel picture is black. Upload one in which the path of a point is bright.")
        height, width = kernel.shape
        if height > image_shape[-2] or width > image_shape[-1]:
            raise ProblemError(
                f"The kernel is {width}x{height} and the image {image_shape[-1]}x{image_shape[-2]}. "
                "Upload a small picture of the kernel, cropped to its bright part."
            )
        # An even side has no middle pixel; one more black row below or column to the right leaves its centre in place.
        kernel = torch.nn.functional.pad(kernel, (0, 1 - width % 2, 0, 1 - height % 2))
        return blur_operator(kernel / kernel.sum(), image_shape, self.edges)
