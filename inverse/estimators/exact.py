"""The conditional denoiser of priors whose posterior is known exactly: the judge of estimators, and a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.denoisers.exact import GaussianField, GaussianMixture
from inverse.denoisers.posterior import GaussianPosterior
from inverse.operators.base import LinearOperator, Operator


@dataclass(frozen=True)
class GaussianBelief:
    """x0 ~ N(mean, axes diag(variances) axes^T).

    Attributes:
        mean: (1, C, H, W).
        variances, axes: of flattened images, (d,) and (d, d).
    """

    mean: Tensor
    variances: Tensor
    axes: Tensor

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        """E[x0 | x0 + sigma n = x], (B, C, H, W)."""
        offset = (x.double() - self.mean).flatten(1) @ self.axes
        shrunk = offset * (self.variances / (self.variances + sigma.double().square()[:, None]))
        return (self.mean + (shrunk @ self.axes.T).reshape(x.shape)).to(x.dtype)


class ExactEstimator(Denoiser):
    """D_y(x, sigma) = E[x0 | x0 + sigma n = x, y], exactly.

    Args:
        prior: a Gaussian field, or a mixture of Gaussians.
    """

    def __init__(self, prior: GaussianField | GaussianMixture) -> None:
        self.prior = prior
        self.image_shape, self.channels, self.data_std = prior.image_shape, prior.channels, prior.data_std
        self.sigma_min, self.sigma_max, self.dtype = prior.sigma_min, prior.sigma_max, prior.dtype
        self._known: tuple[Operator, float, GaussianPosterior, Tensor, Tensor] | None = None

    @property
    def batches(self) -> bool:
        return self.prior.batches

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        return self.prior.denoise(x, sigma)

    def condition(self, operator: Operator, y: Tensor, sigma_y: float) -> Any | None:
        if not isinstance(operator, LinearOperator):
            return None
        if isinstance(self.prior, GaussianMixture):
            return self.prior.posterior(operator, y, sigma_y)
        if self._known is None or self._known[0] is not operator or self._known[1] != sigma_y:
            posterior = GaussianPosterior(self.prior, operator, sigma_y)
            variances, axes = torch.linalg.eigh(posterior.covariance)
            self._known = operator, sigma_y, posterior, variances.clamp_min(0), axes
        _, _, posterior, variances, axes = self._known
        return GaussianBelief(posterior.mean(y), variances, axes)

    def denoise_given(self, x: Tensor, sigma: Tensor, conditions: Sequence[Any]) -> Tensor:
        estimates = [each.denoise(x[i : i + 1], sigma[i : i + 1]) for i, each in enumerate(conditions)]
        return torch.cat(estimates).to(x.dtype)
