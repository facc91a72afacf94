"""How a JPEG was saved, by the tables in its file."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, JpegImagePlugin

from inverse.imaging.images import DECODING, Photo
from inverse.operators.jpeg import LUMA_TABLE, quantisation_table

SAMPLINGS = {0: "4:4:4", 1: "4:2:2", 2: "4:2:0"}


@dataclass(frozen=True)
class JpegFile:
    """How it was saved.

    Attributes:
        quality: 1-100, of which the example tables (ITU-T T.81, Annex K) are the file's own, or nearest to them.
        exact: they are its own.
        subsampling: of colour, "4:4:4", "4:2:2" or "4:2:0"; empty where it is another, or there is no colour.
        tables: steps of the cosine coefficients, (8, 8) each: of brightness, and of colour where there is any.
    """

    quality: int
    exact: bool
    subsampling: str
    tables: tuple[np.ndarray, ...]


def jpeg_file(photo: Photo) -> JpegFile | None:
    """How the file of a photo was saved; None where it is no JPEG, or holds no tables that can be read."""
    with contextlib.ExitStack() as files:
        try:
            image = _opened(photo, files)
            tables = [np.array(table).reshape(8, 8) for _, table in sorted(getattr(image, "quantization", {}).items())]
            sampling = JpegImagePlugin.get_sampling(image) if tables and image.mode != "L" else -1
        except (*DECODING, MemoryError, Image.DecompressionBombError):
            return None
    if not tables:
        return None
    quality, exact = _quality(tables[0])
    return JpegFile(quality, exact, SAMPLINGS.get(sampling, ""), tuple(tables))


def _opened(photo: Photo, files: contextlib.ExitStack) -> Image.Image:
    if isinstance(photo, Image.Image):
        return photo
    if isinstance(photo, bytes):
        return files.enter_context(Image.open(io.BytesIO(photo), formats=("JPEG",)))
    if isinstance(photo, str | Path):
        if not Path(photo).is_file():
            raise OSError
        return files.enter_context(Image.open(photo, formats=("JPEG",)))
    photo.seek(0)
    return Image.open(photo, formats=("JPEG",))


def _quality(table: np.ndarray) -> tuple[int, bool]:
    """The quality whose table is the nearest one, by the mean difference of logarithms; and whether it is the same."""
    known = {quality: quantisation_table(LUMA_TABLE, quality).numpy() for quality in range(1, 101)}
    off = {quality: float(np.abs(np.log(np.maximum(table, 1) / each)).mean()) for quality, each in known.items()}
    best = min(off, key=lambda quality: off[quality])
    return best, off[best] == 0
