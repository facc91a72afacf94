"""The contract of a prior: `denoiser(x, sigma)` estimates the clean image behind x = x0 + sigma * noise."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from inverse.errors import ProblemError
from inverse.operators.base import Operator


class Denoiser(ABC):
    """D(x, sigma) = E[x0 | x0 + sigma n = x] on images scaled to [-1, 1], in variance-exploding coordinates.

    Differentiable in x; parameters are frozen. Images of any size are accepted: sides are padded by reflection to
    the next multiple of `multiple` and cropped again.

    What a prior denoises need not be pictures, and it may look at the measurement. Solvers know nothing of either: four
    hooks say it, and each is the identity here.

        lift       the operator on the prior's own space: of latents z, A(decode(z))
        lower      from there to pictures, when somebody looks
        preview    the same in a hurry, for frames between
        condition  what the estimate is to know of the measurement; `denoise_given` is told it at every call

    Attributes:
        kind: by which presets are told apart: priors of one kind need similar settings. Empty for one of its own.
        channels: C of the images.
        multiple: the network needs sides that are multiples of this.
        factor: pixels a side of what one entry of its own space stands for; 1 where that is pictures.
        sigma_min, sigma_max: the noise levels that the prior knows.
        data_std: standard deviation of clean data, which some solvers need to weigh the prior.
        passes: how many passes of a network one estimate takes.
        thresholds: the noise levels from which on it answers as well on means over 2, 4, 8, ... pixels, rising; empty
            where nobody measured. See `pyramid`.
        bfloat16: it computes in bfloat16 inside, so that small differences of its input are lost.
        device, dtype: where, and in which precision, images are expected and returned.
    """

    kind: str = ""
    channels: int = 3
    multiple: int = 1
    factor: int = 1
    sigma_min: float
    sigma_max: float
    data_std: float = 0.5
    passes: int = 1
    thresholds: tuple[float, ...] = ()
    bfloat16: bool = False
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32

    def __call__(self, x: Tensor, sigma: float | Tensor, conditions: Sequence[Any] | None = None) -> Tensor:
        """The estimate x0_hat of the clean image, (B, C, H, W).

        Args:
            x: noisy images, (B, C, H, W).
            sigma: standard deviation of their noise, one number or (B,).
            conditions: what `condition` returned for every image, B of them; None without.

        Raises:
            ProblemError: x is not a batch of images with the prior's number of channels, or not in its precision.
        """
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ProblemError(
                f"The prior restores images of {self.channels} channels, (B, {self.channels}, H, W), "
                f"and was given {tuple(x.shape)}. Convert the image."
            )
        if x.dtype != self.dtype:
            raise ProblemError(f"The prior computes in {self.dtype} and was given {x.dtype}. Convert the image.")
        sigma = torch.as_tensor(sigma, device=x.device, dtype=x.dtype).expand(x.shape[0])
        height, width = x.shape[-2:]
        padded = pad_to_multiple(x, self.multiple)
        estimate = self.denoise(padded, sigma) if conditions is None else self.denoise_given(padded, sigma, conditions)
        return estimate[..., :height, :width]

    @abstractmethod
    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The estimate for x (B, C, H, W) with sides that are multiples of `multiple`, sigma (B,)."""

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: Sequence[Any]) -> Tensor:
        """`denoise` for a prior with a `condition`: E[x0 | x, y], with what that returned for every image of x.

        Images of several runs may come together, each with its own. What is a picture among these is not padded to
        `multiple` as x is; `pad_to_multiple` does that.
        """
        raise NotImplementedError(f"{type(self).__name__} has a condition, and must say how its estimate depends on it")

    # The four hooks

    def lift(self, operator: Operator) -> Operator:
        """The operator on the prior's own space: what it measures of the picture behind z.

        Its `image_shape` is that of z, its measurements are the operator's. It may be linear without a decomposition,
        or not linear; solvers that cannot deal with that refuse. See `operators.composition`. A, of pictures, is on the
        prior's device and in its precision.
        """
        return operator

    def lower(self, z: Tensor) -> Tensor:
        """The pictures (B, 3, H, W) on [-1, 1] behind states or estimates z of the prior's own space, (B, C, h, w).

        Asked for when somebody looks, and not at every step. Pictures may be larger than what is measured, which is
        then their upper left part.
        """
        return z

    def preview(self, z: Tensor) -> Tensor:
        """As `lower`, of the same size, but cheap rather than right: for frames that are shown for a moment."""
        return self.lower(z)

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> Any | None:
        """What the estimate is to know of a measurement, (1, *measurement_shape), or None; asked for once for each.

        It may be a tensor, or any object that is never changed: a batch is a list with one for every image, so that
        runs with other measurements, and with other operators, share it. Runs without one are not mixed with them. The
        operator is as in `lift`, and sigma_y the standard deviation of the noise, on [-1, 1].
        """
        return None

    def cost(self, sigma: float, size: tuple[int, int], told: bool = False) -> float:
        """What an estimate for images of (H, W) takes at a noise level, in passes of the network on their full size.

        `told` is whether it is told the measurement.
        """
        return float(self.passes if told or not self.conditional else 1)

    @property
    def conditional(self) -> bool:
        """Whether it looks at the measurement."""
        return type(self).condition is not Denoiser.condition

    @property
    def batches(self) -> bool:
        """Whether many images are asked for at once, which a GPU needs to be busy.

        On a CPU a batch saves time for small images only, and a kernel may add up in another order for it than for one
        image: asked one by one, an image is the same to the last bit whatever is restored beside it.
        """
        return self.device.type != "cpu"

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """What it computes with: the weights in memory, and what may be compiled."""
        return tuple(value for value in vars(self).values() if isinstance(value, nn.Module))

    def wait(self) -> None:
        """Returns when the device has done all that it was asked for, which whoever measures time needs."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)


def pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Pads the right and the lower edge by mirroring; unlike F.pad, also by more than the image's own size."""
    for axis in (-2, -1):
        size = x.shape[axis]
        if size % multiple:
            index = np.pad(np.arange(size), (0, -size % multiple), mode="symmetric")
            x = x.index_select(axis, torch.from_numpy(index).to(x.device))
    return x
