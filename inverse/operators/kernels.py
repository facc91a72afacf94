"""Blur kernels: what a bright point becomes. Each is (k, k) with odd k, non-negative, float64, summing to 1."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def uniform_kernel(size: int) -> Tensor:
    """The mean over size x size pixels; for an even size the outermost pixels count half, so that nothing shifts."""
    profile = torch.ones(size // 2 * 2 + 1, dtype=torch.float64)
    if size % 2 == 0:
        profile[0] = profile[-1] = 0.5
    return _normalised(profile[:, None] * profile[None, :])


def disk_kernel(radius: float, oversampling: int = 16) -> Tensor:
    """A disk, as a lens out of focus makes it; a pixel on its rim counts by the share of it that is covered."""
    reach = math.ceil(radius - 0.5)
    offsets = (torch.arange((2 * reach + 1) * oversampling, dtype=torch.float64) + 0.5) / oversampling - reach - 0.5
    inside = (offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius**2).double()
    side = 2 * reach + 1
    return _normalised(inside.view(side, oversampling, side, oversampling).sum((1, 3)))


def line_kernel(length: float, angle: float) -> Tensor:
    """A straight path of `length` pixels; `angle` in degrees, 0 is horizontal and 90 vertical, counter-clockwise."""
    reach = (length - 1) / 2
    along = torch.linspace(-reach, reach, 8 * math.ceil(length) + 1, dtype=torch.float64)
    radians = math.radians(angle)
    return _path_kernel(-math.sin(radians) * along, math.cos(radians) * along, 2 * math.ceil(reach) + 1)


def trajectory_kernel(size: int, turning: float, generator: torch.Generator) -> Tensor:
    """The path of a shaken camera: a walk at constant speed whose direction drifts at random.

    A plain model in the spirit of Boracchi and Foi (IEEE Trans. Image Processing 2012), without their inertia and
    impulses.

    Args:
        size: side of the kernel, which the path just fills; an even one gives the next smaller odd side.
        turning: how far the direction drifts: 0 is a straight line, 1 about two full turns along the path.
        generator: of the path.
    """
    points = 512
    start = 2 * math.pi * torch.rand(1, generator=generator, dtype=torch.float64)
    drift = torch.randn(points, generator=generator, dtype=torch.float64).cumsum(0)
    direction = start + turning * 4 * math.pi * drift / math.sqrt(points)
    rows, columns = direction.sin().cumsum(0), direction.cos().cumsum(0)
    # The centre of mass stays in the middle, so that the blur does not shift the image.
    rows, columns = rows - rows.mean(), columns - columns.mean()
    reach = (size - 1) // 2
    scale = reach / max(float(rows.abs().max()), float(columns.abs().max()))
    return _path_kernel(scale * rows, scale * columns, 2 * reach + 1)


def _path_kernel(rows: Tensor, columns: Tensor, side: int) -> Tensor:
    """A path around (0, 0), every point of it shared among its four nearest pixels by bilinear weights."""
    kernel = torch.zeros((side + 1) * (side + 1), dtype=torch.float64)
    rows, columns = rows + side // 2, columns + side // 2
    row, column = rows.floor().clamp(0, side - 1), columns.floor().clamp(0, side - 1)
    below, right = rows - row, columns - column
    for down in (0, 1):
        for across in (0, 1):
            weight = (below if down else 1 - below) * (right if across else 1 - right)
            index = (row + down) * (side + 1) + column + across
            kernel.index_add_(0, index.long(), weight)
    return _normalised(kernel.view(side + 1, side + 1)[:side, :side])


def wrapped(kernel: Tensor, size: tuple[int, int]) -> Tensor:
    """The kernel as a periodic picture of that size (H, W) with its middle at (0, 0); a larger one wraps around."""
    rows = torch.arange(kernel.shape[0]) - kernel.shape[0] // 2
    columns = torch.arange(kernel.shape[1]) - kernel.shape[1] // 2
    index = (rows % size[0])[:, None] * size[1] + (columns % size[1])
    picture = torch.zeros(size[0] * size[1], dtype=kernel.dtype)
    return picture.index_add_(0, index.flatten(), kernel.flatten()).view(size)


def _normalised(kernel: Tensor) -> Tensor:
    return kernel / kernel.sum()
