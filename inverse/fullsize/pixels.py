"""Parts of a photo as tensors and back, of 8 or 16 bits."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def tensor_of(pixels: np.ndarray) -> Tensor:
    """(h, w, 3) of uint8 or uint16 -> (1, 3, h, w) float32 on [-1, 1]."""
    values = torch.from_numpy(pixels.astype(np.float32))
    return values.permute(2, 0, 1)[None].contiguous() * (2 / np.iinfo(pixels.dtype).max) - 1


def levels_of(x: Tensor, kind: np.dtype) -> np.ndarray:
    """(3, h, w) on [-1, 1] -> (h, w, 3) of float32 on the levels of `kind`; values outside are clipped."""
    levels = (x.detach().float().clamp(-1, 1) + 1) * (np.iinfo(kind).max / 2)
    return levels.permute(1, 2, 0).cpu().numpy()
