"""A prior whose posterior is known exactly: the judge of every solver."""

from __future__ import annotations

import numpy as np
import scipy.sparse.linalg
import torch
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.operators.base import LinearOperator, Shape


class GaussianField(Denoiser):
    """Images that are stationary Gaussian fields of mean 0, whose denoiser is the Wiener filter.

    The power spectrum falls like that of photographs, S(f) ~ (f^2 + f0^2)^(-decay / 2); channels are independent.
    For a linear operator and Gaussian noise the posterior is Gaussian: its mean is the MAP estimate, and samples are
    exact by perturb-and-solve (Papandreou and Yuille 2010).

    Args:
        image_shape: (C, H, W); the only size that this prior denoises.
        variance: of a pixel.
        decay: exponent of the fall.
        corner: f0, in cycles a pixel.
    """

    sigma_min, sigma_max = 1e-4, 1e4
    dtype = torch.float64

    def __init__(self, image_shape: Shape, variance: float = 0.16, decay: float = 2.0, corner: float = 0.02) -> None:
        self.image_shape = tuple(image_shape)
        self.channels = image_shape[0]
        self.data_std = variance**0.5
        height, width = image_shape[-2:]
        square = torch.fft.fftfreq(height).double()[:, None] ** 2 + torch.fft.rfftfreq(width).double() ** 2
        full = torch.fft.fftfreq(height).double()[:, None] ** 2 + torch.fft.fftfreq(width).double() ** 2
        scale = variance / ((full + corner**2) ** (-decay / 2)).mean()
        self.spectrum = scale * (square + corner**2) ** (-decay / 2)

    def to(self, dtype: torch.dtype) -> GaussianField:
        """This prior in another precision; returns itself."""
        self.dtype, self.spectrum = dtype, self.spectrum.to(dtype)
        return self

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        spectrum = self.spectrum.to(x.dtype)
        return self._filter(x, spectrum / (spectrum + sigma.square()[:, None, None, None]))

    def sample(self, generator: torch.Generator, count: int = 1) -> Tensor:
        """Images from the prior, (count, C, H, W)."""
        white = torch.randn(count, *self.image_shape, generator=generator, dtype=torch.float64)
        return self._filter(white, self.spectrum.double().sqrt())

    def posterior_mean(self, operator: LinearOperator, y: Tensor, sigma_y: float) -> Tensor:
        """E[x0 | y], which is the MAP estimate too: S H^T (H S H^T + sigma_y^2 I)^-1 y, (B, C, H, W) in float64."""
        operator, y, spectrum = operator.to("cpu", torch.float64), y.double(), self.spectrum.double()

        def covariance(vector: np.ndarray) -> np.ndarray:
            r = torch.from_numpy(vector.reshape(y.shape))
            return (operator(self._filter(operator.adjoint(r), spectrum)) + sigma_y**2 * r).numpy().ravel()

        system = scipy.sparse.linalg.LinearOperator((y.numel(), y.numel()), covariance, dtype=np.float64)
        weights, failed = scipy.sparse.linalg.cg(system, y.numpy().ravel(), rtol=1e-10, maxiter=20_000)
        if failed:
            raise ArithmeticError("The exact posterior mean did not converge. Use a larger sigma_y.")
        return self._filter(operator.adjoint(torch.from_numpy(weights.reshape(y.shape))), spectrum)

    def posterior_sample(
        self, operator: LinearOperator, y: Tensor, sigma_y: float, generator: torch.Generator, count: int = 1
    ) -> Tensor:
        """Exact samples of p(x0 | y), (count, C, H, W) in float64."""
        x = self.sample(generator, count)
        simulated = operator.to("cpu", torch.float64)(x)
        noise = torch.randn(simulated.shape, generator=generator, dtype=torch.float64)
        return x + self.posterior_mean(operator, y.double() - simulated - sigma_y * noise, sigma_y)

    @staticmethod
    def _filter(x: Tensor, transfer: Tensor) -> Tensor:
        return torch.fft.irfft2(torch.fft.rfft2(x) * transfer, s=x.shape[-2:])
