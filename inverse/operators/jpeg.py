"""JPEG: rounded cosine coefficients of 8 x 8 blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from inverse.errors import ProblemError
from inverse.operators.base import Shape, StraightThrough
from inverse.operators.task import TASKS, Task
from inverse.operators.transforms import block_dct, block_idct
from inverse.parameters import choice, integer

# The example tables of ITU-T T.81, Annex K, which practically every program scales by its quality setting.
LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
CHROMA_TABLE = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99), (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99), *(((99,) * 8,) * 4),
)  # fmt: skip
TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))


def quantisation_table(table: tuple[tuple[int, ...], ...], quality: int) -> Tensor:
    """The table at a quality of 1-100, (8, 8), by the rule of the Independent JPEG Group's library."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((torch.tensor(table) * scale + 50) // 100).clamp(1, 255).double()


class Jpeg(StraightThrough):
    """Saving as JPEG and opening again, with every rounding that a program does; entropy coding loses nothing.

    Images are (3, H, W), or grey ones (1, H, W), the quality 2-95, the lower, the coarser, and the subsampling "4:4:4"
    or "4:2:0".

    Sides that are no multiples of the blocks are continued by their last pixel. With 4:2:0 colour is kept at half the
    resolution: averaged over 2 x 2 pixels, interpolated on opening.

    The surrogate, whose derivative autograd sees, leaves out every rounding and clipping: for 4:4:4 it is the
    identity, for 4:2:0 the loss of colour resolution, a linear map. Its norm is bounded by the condition number of the
    colour matrix, since halving and interpolating do not amplify.
    """

    def __init__(self, quality: int, subsampling: str, image_shape: Shape) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.grey = image_shape[0] == 1
        self.halved = subsampling == "4:2:0" and not self.grey
        self.luma_table = quantisation_table(LUMA_TABLE, quality)
        self.chroma_table = quantisation_table(CHROMA_TABLE, quality)
        self.to_ycc = torch.tensor(TO_YCC, dtype=torch.float64)
        self.to_rgb = torch.linalg.inv(self.to_ycc)
        self.norm = float(torch.linalg.cond(self.to_ycc)) if self.halved else 1.0

    def exact(self, x: Tensor) -> Tensor:
        pixels = ((x + 1) * 127.5).round().clamp(0, 255)
        luma, chroma = self._split(pixels, torch.round)
        luma = _code(luma - 128, self.luma_table) + 128
        chroma = _code(chroma, self.chroma_table)
        return self._join(luma, chroma, pixels, torch.round).clamp(0, 255) / 127.5 - 1

    def surrogate(self, x: Tensor) -> Tensor:
        return self._join(*self._split(x, _as_it_is), x, _as_it_is) if self.halved else x

    def _split(self, pixels: Tensor, store: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Luma (B, 1, ., .) and chroma (B, 2, ., .), or (B, 0, ., .), in whole blocks, chroma at its own resolution."""
        block = 16 if self.halved else 8
        height, width = pixels.shape[-2:]
        whole = F.pad(pixels, (0, -width % block, 0, -height % block), mode="replicate")
        if self.grey:
            return whole, whole[:, :0]
        luma, chroma = store(_mix(self.to_ycc, whole)).split([1, 2], dim=1)
        return luma, store(F.avg_pool2d(chroma, 2)) if self.halved else chroma

    def _join(self, luma: Tensor, chroma: Tensor, like: Tensor, store: Callable[[Tensor], Tensor]) -> Tensor:
        if self.halved:
            chroma = store(F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False))
        pixels = luma if self.grey else store(_mix(self.to_rgb, torch.cat([luma, chroma], dim=1)))
        return pixels[..., : like.shape[-2], : like.shape[-1]]


def _as_it_is(x: Tensor) -> Tensor:
    return x


def _mix(matrix: Tensor, x: Tensor) -> Tensor:
    return torch.einsum("kc,bchw->bkhw", matrix.to(x.dtype), x)


def _code(samples: Tensor, table: Tensor) -> Tensor:
    """Samples from -128 to 127 after rounding their coefficients to multiples of the table, and back to samples."""
    steps = table.to(samples.dtype).repeat(samples.shape[-2] // 8, samples.shape[-1] // 8)
    # The library's transform gives whole eighths, so that halves are common, and it rounds them away from 0.
    coefficients = (8 * block_dct(samples, 8)).round() / 8
    levels = coefficients.sign() * (coefficients.abs() / steps + 0.5).floor()
    decoded = block_idct(levels * steps, 8)
    return decoded.round().clamp(-128, 127)


@TASKS.register
@dataclass(frozen=True)
class JpegArtefacts(Task):
    name = "jpeg"
    title = "JPEG artefacts"
    group = "Noise and compression"
    summary = "The photo was saved as a small JPEG, which left blocks and halos."
    linear = False

    quality: int = integer(
        10, 2, 95, help="The quality with which the JPEG was saved.",
        effect="Set too high, blocks remain; set too low, detail is invented.",
    )  # fmt: skip
    subsampling: str = choice(
        "4:2:0", "4:2:0", "4:4:4", advanced=True,
        help="Resolution of colour in the file: half (4:2:0), as nearly all JPEGs have it, or full (4:4:4).",
        effect="The wrong one leaves coloured fringes along edges.",
    )  # fmt: skip

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Jpeg:
        if image_shape[0] not in (1, 3):
            raise ProblemError(f"This task needs 1 channel or 3 and the image has {image_shape[0]}. Use a picture.")
        return Jpeg(self.quality, self.subsampling, image_shape)
