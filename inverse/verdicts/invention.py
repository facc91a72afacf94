"""How much of a restoration the measurement says nothing of, and how much several of them differ there."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from inverse.operators.base import Operator
from inverse.results.spread import Spread

FAINT = 8.0
"""Grey levels by which samples may differ and still show the same."""


def known(operator: Operator, y: Tensor) -> Tensor | None:
    """Where the photo is there, (H, W); None where pixels are not missing one by one at the image's size."""
    if not operator.missing or not operator.measures_pictures:
        return None
    planes = operator.as_pictures(y)[0]
    return ~planes.isnan().any(0) if planes.shape[-2:] == operator.image_shape[-2:] else None


def gap(known: Tensor) -> float:
    """Width in pixels of the largest hole: twice the way from its middle to the nearest known pixel.

    What is filled in is decided by its surroundings over a few pixels, and guessed beyond (Bertalmio et al. 2000).
    """
    missing = np.pad((~known).cpu().numpy().astype(np.uint8), 1, mode="edge")
    if missing.all():
        return float(2 * max(missing.shape))
    return 2 * float(cv2.distanceTransform(missing, cv2.DIST_L2, 5).max())


def measured_share(operator: Operator) -> float:
    """Numbers that were measured, for each that is restored: 1/16 for a photo that is enlarged four times a side."""
    return operator.entries / int(torch.Size(operator.image_shape).numel())


def differing(samples: Tensor) -> float:
    """Share of the pixels at which samples (B, 3, H, W) differ visibly."""
    return float((Spread.of(samples).deviation > FAINT).float().mean())
