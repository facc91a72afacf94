"""What is known of p(x0 | y) where it is a mixture of Gaussians: marginals, modes, and the shares of its modes."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from inverse.denoisers.exact import Exact, GaussianMixture
from inverse.operators.base import Operator


class Posterior:
    """The posterior of a Gaussian field, one component, or of a mixture, as many as the prior has.

    Args:
        mixture: p(x0 | y).
    """

    def __init__(self, mixture: GaussianMixture) -> None:
        self.mixture = mixture

    @cached_property
    def weights(self) -> Tensor:
        """(K,), sum 1."""
        return self.mixture.log_weights.exp()

    @cached_property
    def mean(self) -> Tensor:
        """E[x0 | y], (C, H, W)."""
        return (self.weights @ self.mixture.means).reshape(self.mixture.image_shape)

    @cached_property
    def std(self) -> Tensor:
        """Standard deviation of every pixel, (C, H, W)."""
        second = self.weights @ (self._stds.square() + self.mixture.means.square())
        return (second - self.mean.flatten().square()).clamp_min(0).sqrt().reshape(self.mixture.image_shape)

    @cached_property
    def modes(self) -> Tensor:
        """Images of locally highest density, the highest first, (M, C, H, W)."""
        return self.mixture.modes()

    def cdf(self, x: Tensor) -> Tensor:
        """P(x0 <= x | y) of every pixel by itself, (B, C, H, W) -> (B, C, H, W)."""
        offset = (x.double().flatten(1)[:, None] - self.mixture.means) / self._stds
        return torch.einsum("k,bkd->bd", self.weights, torch.special.ndtr(offset)).reshape(x.shape)

    def shares(self, x: Tensor) -> Tensor:
        """Mean over images x, (B, C, H, W), of the probability of each component given the image, (K,).

        For draws of the posterior its expectation is `weights`, however much the components overlap.
        """
        return self.mixture.responsibilities(x).mean(0)

    def sample(self, generator: torch.Generator, count: int) -> Tensor:
        """Exact draws, (count, C, H, W)."""
        return self.mixture.sample(generator, count)

    def distance(self, x: Tensor) -> float:
        """RMS distance of images to the nearest mode, in the units of a pixel."""
        square = (x.double()[:, None] - self.modes).square().flatten(2).mean(2)
        return square.amin(1).mean().sqrt().item()

    @cached_property
    def _stds(self) -> Tensor:
        return torch.diagonal(self.mixture.covariances, dim1=1, dim2=2).sqrt()


class Conditional(Exact):
    """D_y(x, sigma) = E[x0 | x, y] of one measurement, a whole batch at once; `ExactEstimator` answers one by one."""

    def __init__(self, mixture: GaussianMixture) -> None:
        self.mixture, self.image_shape, self.channels = mixture, mixture.image_shape, mixture.channels
        self.data_std, self.dtype = mixture.data_std, mixture.dtype

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.mixture.denoise(x, sigma)

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> tuple[()]:
        return ()  # it knows the measurement already

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: object) -> Tensor:
        return self.mixture.denoise(x, sigma)
