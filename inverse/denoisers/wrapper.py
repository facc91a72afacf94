"""A prior around another one: what it does not change is the other's."""

from __future__ import annotations

from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.operators.base import Operator


class Wrapper(Denoiser):
    """Base of priors that ask another one; they say how by `denoise`.

    Its space, its noise levels, and where and in which precision it computes are those of the other.

    Args:
        prior: the other.
    """

    def __init__(self, prior: Denoiser) -> None:
        self.prior = prior
        self.kind, self.channels, self.multiple, self.factor = prior.kind, prior.channels, prior.multiple, prior.factor
        self.sigma_min, self.sigma_max, self.data_std = prior.sigma_min, prior.sigma_max, prior.data_std
        self.passes, self.bfloat16, self.device, self.dtype = prior.passes, prior.bfloat16, prior.device, prior.dtype
        self.thresholds = prior.thresholds

    def lift(self, operator: Operator) -> Operator:
        return self.prior.lift(operator)

    def lower(self, z: Tensor) -> Tensor:
        return self.prior.lower(z)

    def preview(self, z: Tensor) -> Tensor:
        return self.prior.preview(z)
