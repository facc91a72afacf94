"""What carries the text of settings, a PNG's metadata, a JSON file, a link; and a picture as such text."""

from __future__ import annotations

import base64
import binascii
import io
import json
import zlib
from collections.abc import Callable
from typing import Any

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from inverse.errors import ParameterError
from inverse.imaging.chunks import SIGNATURE, Chunks
from inverse.imaging.images import DECODING

KEY = "inverse"
"""Of the text in a PNG; nothing else is written there."""
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
MAX_BYTES = 1_000_000
"""Settings are a few kilobytes, with a mask some tens; whatever is larger is something else."""


def png_text(text: str) -> PngInfo:
    """Text of settings for `Image.save(..., pnginfo=)`."""
    info = PngInfo()
    info.add_itxt(KEY, text)
    return info


def read(content: bytes) -> Any:
    """The plain data of settings in a JSON file, or in a PNG that this program saved.

    Raises:
        ParameterError: there are none.
    """
    if content.startswith(SIGNATURE):
        try:
            own = Chunks(io.BytesIO(content), lambda kind, text: kind in TEXTS and text.startswith(f"{KEY}\0".encode()))
            with Image.open(io.BufferedReader(own), formats=("PNG",)) as picture:
                text = picture.info.get(KEY)
        except (*DECODING, MemoryError, UnidentifiedImageError, Image.DecompressionBombError):
            raise ParameterError("This PNG is damaged, and its settings cannot be read. Save it again.") from None
        if not isinstance(text, str):
            raise ParameterError(
                "This PNG carries no settings. Use one that this program saved, and that nobody saved again since."
            )
        return _parsed(text.encode())
    return _parsed(content)


def pack(text: str) -> str:
    """The value of `?c=` for the text of settings."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def unpack(code: Any) -> Any:
    """The plain data in the value of `?c=`.

    Raises:
        ParameterError: it is cut off, or something else.
    """
    refusal = ParameterError("This link's settings are cut off or damaged. Copy the whole link again.")
    if not isinstance(code, str) or len(code) > MAX_BYTES:
        raise refusal
    try:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)), MAX_BYTES)
    except (binascii.Error, zlib.error, ValueError):
        raise refusal from None
    if not unpacker.eof:
        raise refusal
    return _parsed(text)


def text_of(picture: Image.Image) -> str:
    """A picture as text in settings, base64 of a PNG; empty where it is too large to carry."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    text = base64.b64encode(buffer.getvalue()).decode()
    return text if len(text) <= MAX_BYTES // 2 else ""


def picture_of(text: str, load: Callable[[bytes], Image.Image]) -> Image.Image:
    """The picture that `text_of` wrote, as `load` reads its file.

    Raises:
        ParameterError: it is damaged.
    """
    try:
        return load(base64.b64decode(text, validate=True))
    except ValueError as error:
        raise ParameterError("The picture in these settings is damaged. Give it again, as a file.") from error


def _parsed(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise ParameterError(f"This file is larger than {MAX_BYTES // 1000} kB, so it holds no settings. Use another.")
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise ParameterError(
            "This file holds no settings. Use the app's JSON, or a PNG that this program saved."
        ) from None
