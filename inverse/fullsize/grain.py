"""Grain: what is filled in gets the noise of its surroundings, as strong, as coarse and as coloured."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

SIDE = 16
"""Of the blocks in which grain is looked at, in pixels."""
FLATTEST = 0.15
"""Share of the known blocks that are flat enough for what they hold to be grain."""
FEW = 8
"""Blocks below which nothing is said."""


@dataclass(frozen=True)
class Grain:
    """Stationary noise: the same power spectrum in every channel, and how the channels vary together.

    Attributes:
        spectrum: of each frequency of a block, (SIDE, SIDE), 1 on average.
        mixing: L with L L^T the covariance of the channels, (C, C), in squared levels.
    """

    spectrum: np.ndarray
    mixing: np.ndarray

    @property
    def level(self) -> float:
        """Root mean square over the channels, in levels."""
        return float(np.sqrt((self.mixing**2).sum() / len(self.mixing)))

    @classmethod
    def of(cls, pixels: np.ndarray, known: np.ndarray) -> Grain | None:
        """The grain of a picture (H, W, C) where it is known, (H, W): of its flattest blocks, each without its slope.

        None where too little is known.
        """
        blocks = _blocks(pixels, known)
        if len(blocks) < FEW:
            return None
        # Flat is what has little at coarse scales; grain, which is fine, does not decide by itself which count.
        coarse = blocks.reshape(len(blocks), 4, SIDE // 4, 4, SIDE // 4, -1).mean((2, 4)).var((1, 2)).sum(-1)
        flat = blocks[np.argsort(coarse, kind="stable")[: max(FEW, int(FLATTEST * len(blocks)))]]
        flat = _detrended(flat)
        covariance = np.einsum("nijc,nijd->ncd", flat, flat) / SIDE**2
        energy = np.trace(covariance, axis1=1, axis2=2)
        covariance = covariance[energy <= 2 * np.median(energy)].mean(0)  # without those that hold texture
        power = np.median((np.abs(np.fft.fft2(flat, axes=(1, 2))) ** 2).sum(-1), axis=0)
        power[0, 0] = 0
        mean = power.mean()
        if not mean > 0 or not np.trace(covariance) > 0:
            return None
        values, vectors = np.linalg.eigh(covariance)
        return cls(power / mean, vectors * np.sqrt(values.clip(0)) @ vectors.T)

    def drawn(self, size: tuple[int, int], generator: np.random.Generator) -> np.ndarray:
        """Such noise, (H, W, C), in levels."""
        white = generator.standard_normal((*size, len(self.mixing)), dtype=np.float32)
        kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(self.spectrum)).real).astype(np.float32)
        shaped = cv2.filter2D(white, -1, kernel, borderType=cv2.BORDER_REFLECT).reshape(white.shape)
        return shaped @ self.mixing.T.astype(np.float32)

    def missing_in(self, other: Grain | None) -> Grain:
        """What of it another grain lacks: variances add up."""
        if other is None:
            return self
        share = max(0.0, 1 - (other.level / max(self.level, 1e-6)) ** 2) ** 0.5
        return Grain(self.spectrum, share * self.mixing)


def _blocks(pixels: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The blocks that are known as a whole and nowhere clipped, (N, SIDE, SIDE, C) of float64."""
    down, across = (length // SIDE for length in known.shape)
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else np.inf

    def cut(values: np.ndarray) -> np.ndarray:
        values = values[: down * SIDE, : across * SIDE].reshape(down, SIDE, across, SIDE, -1)
        return values.swapaxes(1, 2).reshape(down * across, SIDE, SIDE, -1)

    blocks, whole = cut(pixels), cut(known).all((1, 2, 3))
    clipped = ((blocks == 0) | (blocks == top)).mean((1, 2, 3))
    return blocks[whole & (clipped < 0.02)].astype(np.float64)


def _detrended(blocks: np.ndarray) -> np.ndarray:
    """Blocks without their mean and slope, which no grain has."""
    place = (np.arange(SIDE) - (SIDE - 1) / 2) / np.sqrt((SIDE**2 - 1) / 12)
    blocks = blocks - blocks.mean((1, 2), keepdims=True)
    for slope in (place[:, None, None], place[None, :, None]):
        blocks = blocks - slope * (slope * blocks).mean((1, 2), keepdims=True)
    return blocks
