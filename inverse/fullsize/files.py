"""A restored photo as a file: of its own depth, with what of its metadata was asked for, and its settings in a PNG."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tifffile

from inverse.errors import OutputError
from inverse.fullsize.restore import Restored
from inverse.imaging import exif
from inverse.imaging.chunks import SIGNATURE
from inverse.imaging.files import DEEP, JPEG, WRITTEN, replace_atomically, unwritable
from inverse.imaging.jpeg_tables import JpegTables
from inverse.settings import Settings
from inverse.settings.carriers import KEY, png_text


def save(restored: Restored, path: Path, settings: Settings) -> list[str]:
    """Writes it, and returns sentences on what the format does not hold.

    Raises:
        OutputError: it cannot be written; what was at the path is still there.
    """
    kind, notes = path.suffix.lower(), []
    deep = restored.pixels.dtype == np.uint16
    if deep and kind not in DEEP:
        notes.append(f"Its 16 bits became 8, as {kind or 'this format'} holds no more. PNG and TIFF do.")
    if deep and kind == ".png":
        replace_atomically(path, lambda temporary: temporary.write_bytes(_deep_png(restored, settings)))
        return notes
    if deep and kind in DEEP:
        if restored.original.exif:
            notes.append("Of its EXIF, a TIFF of 16 bits keeps camera, date, author and description. PNG keeps more.")
        replace_atomically(path, lambda temporary: _write_deep_tiff(restored, temporary))
        return notes
    own = {"exif": restored.original.exif, "icc_profile": restored.original.profile}
    options = {**WRITTEN.get(kind, {}), **{name: value for name, value in own.items() if value}}
    if kind in JPEG and restored.original.jpeg is not None:
        options |= _as_before(restored.original.jpeg, options, notes)
    if kind == ".png":
        options["pnginfo"] = png_text(settings.to_json())
    if kind == ".bmp":
        options = {}
        if any(own.values()):
            notes.append("A BMP holds no metadata. PNG, JPEG, WebP and TIFF do.")

    def write(temporary: Path) -> None:
        try:
            restored.image.save(temporary, **options)
        except (ValueError, KeyError) as error:  # a format that cannot hold this picture
            raise unwritable(path, error) from error

    replace_atomically(path, write)
    return notes


def _as_before(jpeg: JpegTables, usual: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """How a JPEG of a JPEG is saved: by the photo's own tables, which change nothing where nothing was restored."""
    if jpeg.fine:
        return {**jpeg.options, "quality": -1}  # which leaves them as they are
    notes.append(
        f"The photo was saved by coarse tables, which would put their blocks back. It is written at quality "
        f"{usual['quality']}, {usual['subsampling']}."
    )
    return {}


def _write_deep_tiff(restored: Restored, path: Path) -> None:
    """A TIFF of 16 bits in colours, which Pillow does not write either, with its profile and texts of its EXIF."""
    texts = exif.texts(restored.original.exif) if restored.original.exif else {}
    tags = [(tag, "s", 0, text.encode("ascii", "replace"), True) for tag, text in texts.items()]
    tifffile.imwrite(
        path, restored.pixels, photometric="rgb", compression="zlib", predictor=True, metadata=None, software=False,
        iccprofile=restored.original.profile or None, extratags=tags,
    )  # fmt: skip


def _encoded(kind: str, pixels: np.ndarray) -> bytes:
    done, found = cv2.imencode(kind, pixels[..., ::-1])
    if not done:
        raise OutputError(f"The picture cannot be written as {kind}. Choose another format.")
    return found.tobytes()


def _deep_png(restored: Restored, settings: Settings) -> bytes:
    """A PNG of 16 bits, which Pillow does not write in colours, with settings and metadata after its head."""
    content = _encoded(".png", restored.pixels)
    text = KEY.encode() + b"\0\0\0\0\0" + settings.to_json().encode()
    more = _chunk(b"iTXt", text)
    if restored.original.profile:
        more = _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(restored.original.profile)) + more
    if restored.original.exif:
        more += _chunk(b"eXIf", restored.original.exif.removeprefix(b"Exif\0\0"))
    head = len(SIGNATURE) + 25
    return content[:head] + more + content[head:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
