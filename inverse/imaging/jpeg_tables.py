"""How a JPEG was saved, so that what is made from it is saved alike: by its own tables, no better and no worse."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, JpegImagePlugin

from inverse.imaging.images import DECODING

FINE = 17.5
"""Mean step of the brightness' coefficients up to which a JPEG is fine: that of a quality of 85 is 17.2. Coarser tables
would put blocks into what was restored."""
FULL = 0
"""Pillow's number of the subsampling 4:4:4."""


@dataclass(frozen=True)
class JpegTables:
    """Of a file.

    Attributes:
        tables: 64 steps each, of brightness, and of colour where there is any.
        subsampling: of colour, as Pillow counts it.
    """

    tables: tuple[tuple[int, ...], ...]
    subsampling: int

    @property
    def fine(self) -> bool:
        """Whether a restored photo can be saved by them."""
        return sum(self.tables[0]) / len(self.tables[0]) <= FINE

    @property
    def options(self) -> dict[str, Any]:
        """Of `Image.save`."""
        return {"qtables": [list(table) for table in self.tables], "subsampling": self.subsampling}


def tables_of(photo: str | Path | bytes) -> JpegTables | None:
    """The tables of a photo's file; None where it is no JPEG."""
    try:
        with Image.open(io.BytesIO(photo) if isinstance(photo, bytes) else photo, formats=("JPEG",)) as image:
            tables = [tuple(table) for _, table in sorted(getattr(image, "quantization", {}).items())]
            sampling = JpegImagePlugin.get_sampling(image) if image.mode == "RGB" else FULL
    except (*DECODING, MemoryError, Image.DecompressionBombError):
        return None
    return JpegTables(tuple(tables[:2]), max(sampling, FULL)) if tables else None
