"""Priors whose posterior is known exactly: the judge of every solver."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.errors import ProblemError
from inverse.operators.base import LinearOperator, Shape


class Exact(Denoiser):
    """What the priors here share: they know images of one size, and reckon in float64 unless they are told otherwise.

    Attributes:
        image_shape: (C, H, W).
    """

    sigma_min, sigma_max = 1e-4, 1e4
    dtype = torch.float64
    image_shape: Shape

    @property
    def batches(self) -> bool:
        return True  # hundreds of samples of a small image are asked for, and compared to rounding

    def _require_shape(self, x: Tensor) -> None:
        if tuple(x.shape[1:]) != self.image_shape:
            raise ProblemError(
                f"This prior knows images of shape {self.image_shape} only, and was given {tuple(x.shape[1:])}."
            )


class GaussianField(Exact):
    """Images that are stationary Gaussian fields of mean 0, whose denoiser is the Wiener filter.

    The power spectrum falls like that of photographs, S(f) ~ (f^2 + f0^2)^(-decay / 2).

    Args:
        image_shape: (C, H, W); the only size that this prior denoises.
        variance: of a pixel.
        decay: exponent of the fall.
        corner: f0, in cycles a pixel.
        colours: correlation between channels, (C, C), positive definite with ones on its diagonal; they are
            independent when None.
    """

    def __init__(
        self,
        image_shape: Shape,
        variance: float = 0.16,
        decay: float = 2.0,
        corner: float = 0.02,
        colours: Tensor | None = None,
    ) -> None:
        self.image_shape = tuple(image_shape)
        self.channels = image_shape[0]
        self.data_std = variance**0.5
        height, width = image_shape[-2:]
        square = torch.fft.fftfreq(height).double()[:, None] ** 2 + torch.fft.rfftfreq(width).double() ** 2
        full = torch.fft.fftfreq(height).double()[:, None] ** 2 + torch.fft.fftfreq(width).double() ** 2
        scale = variance / ((full + corner**2) ** (-decay / 2)).mean()
        self.spectrum = scale * (square + corner**2) ** (-decay / 2)
        self.axes = None
        if colours is not None:  # independent fields, one along each principal axis of the colours
            shares, self.axes = torch.linalg.eigh(colours.double())
            self.spectrum = shares[:, None, None] * self.spectrum

    def to(self, dtype: torch.dtype) -> GaussianField:
        """This prior in another precision; returns itself."""
        self.dtype, self.spectrum = dtype, self.spectrum.to(dtype)
        self.axes = None if self.axes is None else self.axes.to(dtype)
        return self

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        self._require_shape(x)
        spectrum = self.spectrum.to(x.dtype)
        return self._filter(x, spectrum / (spectrum + sigma.square()[:, None, None, None]))

    def sample(self, generator: torch.Generator, count: int = 1) -> Tensor:
        """Images from the prior, (count, C, H, W)."""
        white = torch.randn(count, *self.image_shape, generator=generator, dtype=torch.float64)
        return self._filter(white, self.spectrum.double().sqrt())

    def covariance(self) -> Tensor:
        """Of flattened images, (d, d) with d = C H W, in float64."""
        size = math.prod(self.image_shape)
        one_each = torch.eye(size, dtype=torch.float64).reshape(size, *self.image_shape)
        return self._filter(one_each, self.spectrum.double()).flatten(1)

    def _filter(self, x: Tensor, transfer: Tensor) -> Tensor:
        """Multiplies every frequency, along the principal axes of the colours where they are correlated."""
        if self.axes is None:
            return torch.fft.irfft2(torch.fft.rfft2(x) * transfer, s=x.shape[-2:])
        axes = self.axes.to(x.dtype)
        along = torch.fft.rfft2(torch.einsum("ck,bchw->bkhw", axes, x)) * transfer
        return torch.einsum("ck,bkhw->bchw", axes, torch.fft.irfft2(along, s=x.shape[-2:]))


class GaussianMixture(Exact):
    """Images from a mixture of K Gaussians: exact score, denoiser, posterior and modes, for small images.

    Linear algebra is dense, with d = C H W numbers an image; (C, H, W) = (1, 1, 2) makes the plane.

    Args:
        means: (K, C, H, W).
        covariances: of the flattened images, (K, d, d), positive definite; or (K,), the variances of spheres.
        weights: (K,), positive; they need not sum to 1. Equal when None.

    Raises:
        ValueError: shapes do not fit, or a covariance is not positive definite.
    """

    def __init__(self, means: Tensor, covariances: Tensor, weights: Tensor | None = None) -> None:
        count, dimension = means.shape[0], means[0].numel()
        if covariances.ndim == 1:
            covariances = covariances[:, None, None] * torch.eye(dimension)
        weights = torch.ones(count) if weights is None else weights
        if covariances.shape != (count, dimension, dimension) or weights.shape != (count,) or not (weights > 0).all():
            raise ValueError("A mixture needs a positive definite covariance and a positive weight for every mean.")
        self.image_shape = tuple(means.shape[1:])
        self.channels = self.image_shape[0]
        self.means, self.covariances = means.double().flatten(1), covariances.double()
        self.log_weights = (weights.double() / weights.double().sum()).log()
        self.variances, self.axes = torch.linalg.eigh(self.covariances)
        if not (self.variances > 0).all():
            raise ValueError("A covariance of the mixture is not positive definite.")
        share = self.log_weights.exp()
        center = share @ self.means
        spread = (self.means - center).square().mean(1) + self.variances.mean(1)
        self.data_std = (share @ spread).sqrt().item()

    def to(self, dtype: torch.dtype) -> GaussianMixture:
        """This prior, taking and returning images of another precision; returns itself. It computes in float64."""
        self.dtype = dtype
        return self

    def denoise(self, x: Tensor, sigma: Tensor) -> Tensor:
        self._require_shape(x)
        offset, variances, share = self._components(x, sigma)
        shrunk = offset * (self.variances / variances)
        estimates = self.means + torch.einsum("kde,bke->bkd", self.axes, shrunk)
        return torch.einsum("bk,bkd->bd", share.softmax(1), estimates).reshape(x.shape).to(x.dtype)

    def log_density(self, x: Tensor, sigma: float = 0.0) -> Tensor:
        """log p of x0 + sigma n at x, (B, C, H, W) -> (B,)."""
        return self._components(x, torch.full(x.shape[:1], sigma, dtype=torch.float64))[2].logsumexp(1).to(x.dtype)

    def score(self, x: Tensor, sigma: float = 0.0) -> Tensor:
        """Gradient of `log_density` in x, (B, C, H, W)."""
        offset, variances, share = self._components(x, torch.full(x.shape[:1], sigma, dtype=torch.float64))
        pull = -torch.einsum("kde,bke->bkd", self.axes, offset / variances)
        return torch.einsum("bk,bkd->bd", share.softmax(1), pull).reshape(x.shape).to(x.dtype)

    def responsibilities(self, x: Tensor, sigma: float = 0.0) -> Tensor:
        """p(component | x), (B, C, H, W) -> (B, K)."""
        return self._components(x, torch.full(x.shape[:1], sigma, dtype=torch.float64))[2].softmax(1)

    def _components(self, x: Tensor, sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x - mean along each component's axes, the variances there, both (B, K, d); log of weight * density (B, K)."""
        offset = torch.einsum("kde,bkd->bke", self.axes, x.double().flatten(1)[:, None] - self.means)
        variances = self.variances + sigma.double().square()[:, None, None]
        density = -0.5 * (offset.square() / variances + (2 * torch.pi * variances).log()).sum(2)
        return offset, variances, self.log_weights + density

    def sample(self, generator: torch.Generator, count: int = 1) -> Tensor:
        """Images from the mixture, (count, C, H, W)."""
        which = torch.multinomial(self.log_weights.exp(), count, replacement=True, generator=generator)
        white = torch.randn(count, self.means.shape[1], generator=generator, dtype=torch.float64)
        offset = torch.einsum("bde,be->bd", self.axes[which], self.variances[which].sqrt() * white)
        return (self.means[which] + offset).reshape(count, *self.image_shape)

    def posterior(self, operator: LinearOperator, y: Tensor, sigma_y: float) -> GaussianMixture:
        """p(x0 | y), a mixture again: every component is conditioned, and weighed by how well it explains y.

        There is one measurement, (1, *measurement_shape), and sigma_y > 0.
        """
        operator, dimension = operator.to("cpu", torch.float64), self.means.shape[1]
        columns = operator(torch.eye(dimension, dtype=torch.float64).reshape(dimension, *self.image_shape))
        h = columns.flatten(1).T
        misfit = operator.project(y.double()).flatten() - self.means @ h.T
        innovation = h @ self.covariances @ h.T + sigma_y**2 * torch.eye(len(h), dtype=torch.float64)
        gain = torch.linalg.solve(innovation, h @ self.covariances).mT
        means = self.means + torch.einsum("kdm,km->kd", gain, misfit)
        # Joseph's form stays symmetric and positive definite under rounding.
        left = torch.eye(dimension, dtype=torch.float64) - gain @ h
        covariances = left @ self.covariances @ left.mT + sigma_y**2 * gain @ gain.mT
        surprise = (misfit * torch.linalg.solve(innovation, misfit)).sum(1) + torch.linalg.slogdet(innovation)[1]
        log_weights = self.log_weights - 0.5 * surprise
        weights = (log_weights - log_weights.max()).exp().clamp_min(torch.finfo(torch.float64).tiny)
        return GaussianMixture(means.reshape(-1, *self.image_shape), covariances, weights)

    def modes(self, tolerance: float = 1e-10) -> Tensor:
        """Maxima of the density, the highest first, (M, C, H, W).

        Each mean climbs by x <- (sum_k p_k C_k^-1)^-1 sum_k p_k C_k^-1 m_k, p_k = p(k | x), which never descends
        (Carreira-Perpinan 2000), until no coordinate moves farther than `tolerance`. A mode to which no mean leads is
        not found.
        """
        precisions = torch.linalg.inv(self.covariances)
        pulls = torch.einsum("kde,ke->kd", precisions, self.means)
        x = self.means
        for _ in range(100_000):
            share = self._components(x, torch.zeros(len(x)))[2].softmax(1)
            climbed = torch.linalg.solve(torch.einsum("bk,kde->bde", share, precisions), share @ pulls)
            moved, x = (climbed - x).abs().max(), climbed
            if moved < tolerance:
                break
        x = x[self.log_density(x).argsort(descending=True)]
        distinct = [
            point for index, point in enumerate(x) if not any((point - x[:index]).abs().amax(1) < 1e3 * tolerance)
        ]
        return torch.stack(distinct).reshape(-1, *self.image_shape)
