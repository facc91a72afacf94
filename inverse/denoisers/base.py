"""The contract of a prior: `denoiser(x, sigma)` estimates the clean image behind x = x0 + sigma * noise."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from inverse.errors import ProblemError


class Denoiser(ABC):
    """D(x, sigma) = E[x0 | x0 + sigma n = x] on images scaled to [-1, 1], in variance-exploding coordinates.

    Differentiable in x; parameters are frozen. Images of any size are accepted: sides are padded by reflection to
    the next multiple of `multiple` and cropped again.

    Attributes:
        channels: C of the images.
        multiple: the network needs sides that are multiples of this.
        sigma_min, sigma_max: the noise levels that the prior knows.
        data_std: standard deviation of clean data, which some solvers need to weigh the prior.
        bfloat16: it computes in bfloat16 inside, so that small differences of its input are lost.
        device, dtype: where, and in which precision, images are expected and returned.
    """

    channels: int = 3
    multiple: int = 1
    sigma_min: float
    sigma_max: float
    data_std: float = 0.5
    bfloat16: bool = False
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32

    def __call__(self, x: Tensor, sigma: float | Tensor) -> Tensor:
        """The estimate x0_hat of the clean image.

        Args:
            x: noisy images, (B, C, H, W).
            sigma: standard deviation of their noise, one number or (B,).

        Returns:
            x0_hat, (B, C, H, W).

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
        estimate = self.denoise(_pad_to_multiple(x, self.multiple), sigma)
        return estimate[..., :height, :width]

    @abstractmethod
    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """The estimate for x (B, C, H, W) with sides that are multiples of `multiple`, sigma (B,)."""

    @property
    def batches(self) -> bool:
        """Whether many images are asked for at once, which a GPU needs to be busy.

        On a CPU that gains next to nothing, and a kernel may add up in another order for a batch than for one image:
        asked one by one, an image is the same to the last bit whatever is restored beside it.
        """
        return self.device.type != "cpu"

    def wait(self) -> None:
        """Returns when the device has done all that it was asked for, which whoever measures time needs."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)


def _pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Pads the right and the lower edge by mirroring; unlike F.pad, also by more than the image's own size."""
    for axis in (-2, -1):
        size = x.shape[axis]
        if size % multiple:
            index = np.pad(np.arange(size), (0, -size % multiple), mode="symmetric")
            x = x.index_select(axis, torch.from_numpy(index).to(x.device))
    return x
