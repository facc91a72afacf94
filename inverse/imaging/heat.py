"""One number a pixel as a picture: heat for amounts, two colours for deviations to either side."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor

# At equal distances: matplotlib's "inferno" (Smith and van der Walt, CC0), ColorBrewer's "RdBu" (Brewer, Apache 2.0).
AMOUNT = (
    (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85), (227, 89, 51), (249, 140, 10),
    (249, 201, 50), (252, 255, 164),
)  # fmt: skip
DEVIATION = (
    (5, 48, 97), (33, 102, 172), (67, 147, 195), (146, 197, 222), (209, 229, 240), (247, 247, 247), (253, 219, 199),
    (244, 165, 130), (214, 96, 77), (178, 24, 43), (103, 0, 31),
)  # fmt: skip
UNKNOWN = (112, 119, 130)
"""Of pixels that have no number."""

Colours = tuple[tuple[int, int, int], ...]


def picture(values: Tensor, low: float, high: float, colours: Colours) -> Image.Image:
    """(H, W) -> RGB picture: `low` and less takes the first colour, `high` and more the last, NaN `UNKNOWN`."""
    table = np.vstack([_table(colours), UNKNOWN]).astype(np.uint8)
    last = len(table) - 2
    scaled = ((values.detach().cpu().float() - low) * (last / (high - low))).clamp(0, last).round()
    return Image.fromarray(table[torch.nan_to_num(scaled, nan=last + 1).numpy().astype(np.int16)])


def css(colours: Colours) -> str:
    """The same scale as a gradient in a style sheet."""
    return f"linear-gradient(to right, {', '.join(f'rgb{colour}' for colour in colours)})"


def round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, ... above a value, for the end of a legend."""
    if not value > 0 or not math.isfinite(value):
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((factor * power for factor in (1.0, 2.0, 5.0) if value <= factor * power), 10.0 * power)


def _table(colours: Colours) -> np.ndarray:
    places = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(np.linspace(0, 1, 256), places, channel) for channel in zip(*colours, strict=True)], -1)
