"""Photographs as a Gaussian field: how strong each frequency of each colour axis is, and no more."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.operators.transforms import dct, dct_matrix, idct

LOG_POWER = (-6.5, -10.1, -10.9)
"""ln of the variance of a coefficient at one cycle a pixel: brightness, red against blue, green against both."""
DECAY = (2.55, 2.9, 2.8)
"""How fast it falls with the frequency."""
CORNER = 0.002
"""The frequency below which it rises no more, in cycles a pixel."""
LOWEST = (
    ((0.253, 0.0263), (0.0789, 0.0133)), ((0.121, 0.0042), (0.0103, 0.0020)), ((0.0222, 0.0012), (0.0024, 0.0007)),
)  # fmt: skip
"""The variance of a whole photograph's mean, of its first cosine across, of that down, and of both, by colour axis: the
variance of the coefficient for each pixel that there is. Measured on 1000 photographs, their center squares."""
LIFT, LIFT_SCATTERED = 0.8**4, 0.45**4


class Field:
    """x0 ~ N(0, C) with C diagonal in the cosine transform of rows, columns and colours:

        S(k, u, v) = exp(p_k) (f^2 + f0^2)^(-decay_k / 2),    f^2 = (u / 2H)^2 + (v / 2W)^2

    but for u, v < 2, where S(k, u, v) = H W q_k(u, v): the law would have left and right alike, and whatever is missing
    at one side go on as the other side is. Whole photographs differ far less across than it says, and as much down.

    Photographs are not Gaussian: at low noise this field smooths what they keep. So where x is given with noise sigma,
    S is raised by LIFT / sigma^2, less where scattered pixels are known, between which smoothing is right. The numbers
    were fitted to photographs once; when a training was free to change them, it hardly did.

    Args:
        channels: colours of the images; three are turned to brightness and two differences.
    """

    def __init__(self, channels: int = 3) -> None:
        self.channels = channels

    def to_coefficients(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W); orthonormal."""
        return dct(self.to_colours(x))

    def from_coefficients(self, coefficients: Tensor) -> Tensor:
        """The inverse of `to_coefficients`."""
        return self.from_colours(idct(coefficients))

    def to_colours(self, x: Tensor) -> Tensor:
        """From channels to colour axes, (B, C, H, W); orthonormal."""
        return torch.einsum("kc,bchw->bkhw", dct_matrix(self.channels, x.dtype, x.device), x)

    def from_colours(self, x: Tensor) -> Tensor:
        """The inverse of `to_colours`."""
        return torch.einsum("kc,bkhw->bchw", dct_matrix(self.channels, x.dtype, x.device), x)

    def spectrum(self, size: tuple[int, int], like: Tensor) -> Tensor:
        """S, the variances of the coefficients of images of (H, W), (C, H, W)."""
        rows, columns = (torch.arange(n, device=like.device, dtype=like.dtype) / (2 * n) for n in size)
        spectrum = self.law(rows[:, None].square() + columns.square())
        lowest = torch.tensor(LOWEST[: self.channels]).to(like)[..., : size[0], : size[1]]
        spectrum[:, :2, :2] = size[0] * size[1] * lowest
        return spectrum

    def law(self, square: Tensor) -> Tensor:
        """The variance of a coefficient at the frequency whose square is given, in cycles a pixel, (C, H, W).

        Args:
            square: f^2, (H, W).
        """
        log_power, decay = (
            torch.tensor(each[: self.channels]).to(square)[:, None, None] for each in (LOG_POWER, DECAY)
        )
        return (log_power - decay / 2 * (square + CORNER**2).log()).exp()

    def lifted(self, spectrum: Tensor, precision: Tensor, scattered: Tensor) -> Tensor:
        """S where x is given with noise sigma, (B, C, H, W).

        Args:
            spectrum: S.
            precision: 1 / sigma^2, (B, 1, 1, 1).
            scattered: 0 where what is known is known in one piece, up to 1 where it is single pixels; one number.
        """
        return spectrum + LIFT ** (1 - scattered) * LIFT_SCATTERED**scattered * precision
