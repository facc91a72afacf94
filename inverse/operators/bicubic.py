"""Fewer pixels by an anti-aliased bicubic filter, as image programs shrink pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape
from inverse.operators.blur import edges_field
from inverse.operators.super_resolution import Enlarge
from inverse.operators.task import TASKS


class Separable(LinearOperator):
    """H = R x C^T with a matrix for the rows, (h, H), and one for the columns, (w, W), the same for every channel.

    The decompositions of the two small matrices give that of H: R = U_r S_r V_r^T and C = U_c S_c V_c^T make
    H = (U_r x U_c) (S_r x S_c) (V_r x V_c)^T. So any edges are exact, with one dense matrix a side and none for H.
    Neither side grows, h <= H and w <= W. Singular values below cut * norm count as zero in `pinv`.
    """

    def __init__(self, rows: Tensor, columns: Tensor, channels: int, cut: float = 0.03) -> None:
        self.image_shape = (channels, rows.shape[1], columns.shape[1])
        self.measurement_shape = (channels, rows.shape[0], columns.shape[0])
        self.rows, self.columns = rows, columns
        self.row_u, row_s, row_vt = torch.linalg.svd(rows)
        self.column_u, column_s, column_vt = torch.linalg.svd(columns)
        self.row_v, self.column_v = row_vt.mT.contiguous(), column_vt.mT.contiguous()
        self.values = row_s[:, None] * column_s[None, :]
        self.norm = float(self.values.max())
        self.cut = cut * self.norm

    def __call__(self, x: Tensor) -> Tensor:
        return _sandwich(self.rows, x, self.columns)

    def filter(self, y: Tensor, response: Callable[[Tensor], Tensor]) -> Tensor:
        height, width = self.values.shape
        coefficients = response(self.values).to(y.dtype) * _sandwich(self.row_u.mT, y, self.column_u.mT)
        return _sandwich(self.row_v[:, :height], coefficients, self.column_v[:, :width])

    def to_spectral(self, x: Tensor) -> Tensor:
        return _sandwich(self.row_v.mT, x, self.column_v.mT)

    def from_spectral(self, coefficients: Tensor) -> Tensor:
        return _sandwich(self.row_v, coefficients, self.column_v)

    @property
    def singular_values(self) -> Tensor:
        return self._padded(self.values)

    def measurement_to_spectral(self, y: Tensor) -> Tensor:
        return self._padded(_sandwich(self.row_u.mT, y, self.column_u.mT))

    def _padded(self, values: Tensor) -> Tensor:
        height, width = self.image_shape[-2:]
        return torch.nn.functional.pad(values, (0, width - values.shape[-1], 0, height - values.shape[-2]))


class Bicubic(Separable):
    """The same with the matrices of `bicubic_matrix`, for images of which the factor divides the sides."""

    channelwise = True

    def __init__(self, factor: int, edges: str, image_shape: Shape) -> None:
        channels, height, width = image_shape
        self.factor, self.reflect = factor, edges == "reflect"
        super().__init__(bicubic_matrix(height, factor, edges), bicubic_matrix(width, factor, edges), channels)

    @property
    def taps(self) -> tuple[Tensor, Tensor]:
        """As `BlockMean.taps`."""
        return cubic_taps(self.factor)


def _sandwich(rows: Tensor, x: Tensor, columns: Tensor) -> Tensor:
    return rows.to(x.dtype) @ x @ columns.to(x.dtype).mT


def bicubic_matrix(size: int, factor: int, edges: str) -> Tensor:
    """Shrinks `size` numbers by a whole factor: (size / factor, size), rows summing to 1.

    The cubic convolution kernel with a = -1/2 (Keys 1981), stretched by the factor so that it does not alias, as in
    MATLAB's imresize and in Pillow. Pixels beyond the ends are the mirror image or the other end.
    """
    places, weights = cubic_taps(factor)
    centre = (torch.arange(size // factor, dtype=torch.float64) + 0.5) * factor - 0.5
    position = (centre[:, None] + places).round()
    weight = weights.expand_as(position)
    index = position.long() % size
    if edges == "reflect":
        index = position.long() % (2 * size)
        index = torch.minimum(index, 2 * size - 1 - index)
    return torch.zeros(size // factor, size, dtype=torch.float64).scatter_add_(1, index, weight)


def cubic_taps(factor: int) -> tuple[Tensor, Tensor]:
    """Where the pixels lie that make one, from its middle, and their weights, which sum to 1, (T,) each."""
    middle = (0.5 * factor - 0.5) % 1
    places = torch.arange(-2 * factor, 2 * factor + 1, dtype=torch.float64) - middle
    weights = _cubic(places / factor)
    return places, weights / weights.sum()


def _cubic(t: Tensor) -> Tensor:
    t = t.abs()
    near = 1.5 * t**3 - 2.5 * t**2 + 1
    far = -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2
    return torch.where(t <= 1, near, torch.where(t < 2, far, 0))


@TASKS.register
@dataclass(frozen=True)
class SuperResolutionBicubic(Enlarge):
    name = "super-resolution-bicubic"
    title = "Super-resolution: bicubic"
    summary = "The image is small: a program shrank it with bicubic interpolation."

    edges: str = edges_field()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Bicubic:
        height, width = image_shape[-2:]
        if height % self.factor or width % self.factor:
            raise ProblemError(
                f"An image of {width}x{height} cannot be shrunk {self.factor} times to whole pixels. "
                f"Crop its sides to multiples of {self.factor}."
            )
        return Bicubic(self.factor, self.edges, image_shape)
