"""Phase retrieval: a detector saw how strong every spatial frequency is, and lost where it lies."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import Operator, Shape
from inverse.operators.task import TASKS, Task
from inverse.parameters import integer


class FourierMagnitude(Operator):
    """A(x) = |F P (x + 1)|: the light x + 1 on [0, 2], zero-padded by P, under the unitary Fourier transform F.

    The padded sides are `oversampling` times as long.

    Black is no light, so that an image and its negative differ; an image and the same one turned by 180 degrees in
    its frame do not. Since F is unitary, the squares of y sum to those of x + 1, A has Lipschitz constant 1, and noise
    of standard deviation sigma_y on every entry of y, of which there are oversampling^2 a pixel, has
    the energy of noise of standard deviation oversampling * sigma_y on the pixels. (The Fourier plane of a real image
    is point-symmetric: every magnitude is measured twice, with noise of its own.)
    """

    norm = 1.0
    measures_pictures = False

    def __init__(self, oversampling: int, image_shape: Shape) -> None:
        channels, height, width = image_shape
        self.image_shape = tuple(image_shape)
        self.measurement_shape = (channels, oversampling * height, oversampling * width)

    def __call__(self, x: Tensor) -> Tensor:
        return torch.fft.fft2(x + 1, s=self.measurement_shape[-2:], norm="ortho").abs()

    def twin(self, x: Tensor) -> Tensor:
        return x.flip((-2, -1))

    def preview(self, y: Tensor) -> Tensor:
        """The logarithm of the magnitudes: the largest white, 1e-4 of it black, frequency 0 in the middle."""
        y = torch.fft.fftshift(y, dim=(-2, -1))
        largest = y.amax((-3, -2, -1), keepdim=True).clamp_min(1e-12)
        return super().preview((y / largest).clamp(1e-4, 1).log10() / 2 + 1)


@TASKS.register
@dataclass(frozen=True)
class PhaseRetrieval(Task):
    name = "phase-retrieval"
    title = "Phase retrieval"
    group = "Raw measurements"
    summary = "Only the strength of every spatial frequency was measured, not its phase."
    linear = False

    oversampling: int = integer(
        2, 1, 4, help="How many times finer than the image the frequencies are sampled, a side.",
        effect="Below 2 the image is not determined; the result may come out turned by 180 degrees at any value.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> FourierMagnitude:
        return FourierMagnitude(self.oversampling, image_shape)
