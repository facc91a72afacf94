"""The posterior of a Gaussian field, exactly: mean, covariance and samples by dense algebra in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from inverse.denoisers.exact import GaussianField
from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator

CONDITION = 1e10
"""Of H C H^T + sigma_y^2 I, at most: beyond it, no more than about 6 digits of an answer in float64 are right."""


class GaussianPosterior:
    """p(x0 | y) for x0 ~ N(0, C), y = H x0 + sigma_y n, sigma_y >= 0: Gaussian, with

        K = C H^T (H C H^T + sigma_y^2 I)^-1,   mean = K y,   covariance = C - K H C

    The mean is the MAP estimate too. Field and operator need not share a basis. Costs d^3 operations and d^2 numbers
    for d = C H W: a moment up to 32x32, seconds at 64x64.

    Attributes:
        covariance: of flattened images, (d, d); it does not depend on y.
        std: of every pixel, (C, H, W).

    Raises:
        ProblemError: what is measured is so weak beside the rest that float64 cannot tell, as after a strong blur
            without noise.
    """

    def __init__(self, prior: GaussianField, operator: LinearOperator, sigma_y: float) -> None:
        self.prior, self.operator, self.sigma_y = prior, operator.to("cpu", torch.float64), sigma_y
        covariance = prior.covariance()
        cross = self._measured(covariance)  # C H^T, (d, entries of y)
        self.entries = cross.abs().amax(0) > 0  # a mask keeps its shape: what it does not measure is no equation
        cross = cross[:, self.entries]
        innovation = self._measured(cross.T)[:, self.entries]
        innovation.diagonal().add_(sigma_y**2)
        factor, failed = torch.linalg.cholesky_ex(innovation)
        least, most = factor.diagonal().square().aminmax()  # they differ by no more than the condition number
        if failed or most > CONDITION * least:
            raise ProblemError("The exact posterior cannot be computed with so little noise. Use a larger sigma_y.")
        whitened = torch.linalg.solve_triangular(factor, cross.T, upper=False)
        self.gain = torch.linalg.solve_triangular(factor.T, whitened, upper=True).T
        self.covariance = covariance - whitened.T @ whitened
        # Rounding leaves a pixel that y tells exactly with a variance of about -1e-17.
        self.std = self.covariance.diagonal().clamp_min(0).sqrt().reshape(prior.image_shape)

    def mean(self, y: Tensor) -> Tensor:
        """E[x0 | y], which is the MAP estimate too, (B, C, H, W)."""
        return (y.double().flatten(1)[:, self.entries] @ self.gain.T).reshape(-1, *self.prior.image_shape)

    def sample(self, y: Tensor, generator: torch.Generator, count: int = 1) -> Tensor:
        """Exact samples given one y, (count, C, H, W), by perturb-and-solve (Papandreou and Yuille 2010)."""
        x = self.prior.sample(generator, count)
        simulated = self.operator(x)
        noise = torch.randn(simulated.shape, generator=generator, dtype=torch.float64)
        return x + self.mean(y.double() - simulated - self.sigma_y * noise)

    def _measured(self, rows: Tensor) -> Tensor:
        """H applied to every row, a flattened image."""
        return self.operator(rows.reshape(-1, *self.prior.image_shape)).flatten(1)
