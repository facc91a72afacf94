"""Pictures on their way to the page, as data URIs: they leave no file behind on the server."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ImageError
from inverse.imaging import images, strokes
from inverse.imaging.masks import cover
from inverse.settings.carriers import png_text
from inverse.web.base.guards import decoded

PREVIEW_SIDE = 768
"""Longer side of live frames, at most."""
LONGEST_MASK = 40_000
"""Characters of a mask's data URI: a request may hold 64 kB, and the other settings need room."""
LONGEST_STROKES = 12_000
"""The same of strokes of colour, which are sent along."""


def jpeg(image: Image.Image, quality: int = 88, side: int = PREVIEW_SIDE) -> str:
    """For live frames: a millisecond to encode. A picture with a longer side than `side` is shrunk to it."""
    if max(image.size) > side:
        image = image.copy()
        image.thumbnail((side, side), Image.Resampling.BILINEAR)
    return _uri(image, "JPEG", quality=quality)


def png(image: Image.Image, settings: str = "") -> str:
    """For results and for pictures of few pixels: exact. A result carries its settings."""
    return _data("PNG", png_bytes(image, settings))


def png_bytes(image: Image.Image, settings: str = "") -> bytes:
    """The same as the content of a file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **({"pnginfo": png_text(settings)} if settings else {}))
    return buffer.getvalue()


def exact(image: Image.Image) -> str:
    """Small pictures as PNG, whose pixels are seen one by one; large ones as JPEG of high quality."""
    return png(image) if max(image.size) <= 192 else jpeg(image, 92)


def _uri(image: Image.Image, kind: str, **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return _data(kind, buffer.getvalue())


def _data(kind: str, content: bytes) -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(content).decode()}"


def noisy(x: Tensor, sigma: float) -> Image.Image:
    """The state x of the reverse process, scaled so that its noise neither clips nor vanishes."""
    return images.to_image(x / (1 + sigma**2) ** 0.5)


def frame(image: Tensor) -> Image.Image:
    """An estimate (3, H, W); one that is no longer finite still gives a picture."""
    return images.to_image(torch.nan_to_num(image))


def mask_uri(picture: Image.Image, most: int = LONGEST_MASK) -> tuple[str, bool]:
    """A mask of one bit a pixel for the pad, which the page sends back with every choice; and whether it got coarser.

    A mask with too much detail, as one of random pixels has, is halved until it fits.
    """
    picture = picture.convert("L")
    coarser = False
    while True:
        uri = png(picture.point([0] * 128 + [255] * 128).convert("1", dither=Image.Dither.NONE))
        if len(uri) <= most:
            return uri, coarser
        missing = cover(np.asarray(picture) > 127, ((picture.height + 1) // 2, (picture.width + 1) // 2))
        picture, coarser = Image.fromarray(missing.astype(np.uint8) * 255), True


def strokes_uri(picture: Image.Image, most: int = LONGEST_STROKES) -> tuple[str, bool]:
    """Strokes from `strokes.load` for their pad, and whether they got coarser, as `mask_uri`."""
    coarser = False
    while True:
        uri = png(picture)
        if len(uri) <= most:
            return uri, coarser
        picture = strokes.shrunk(picture, ((picture.width + 1) // 2, (picture.height + 1) // 2))
        coarser = True


def from_uri(uri: Any, load: Callable[[bytes], Image.Image] = decoded) -> Image.Image | None:
    """The picture that a pad drew, as `load` reads its file; None where it is empty.

    Raises:
        ImageError: it is something else.
    """
    if uri is None or uri == "":
        return None
    head = "data:image/png;base64,"
    if not isinstance(uri, str) or not uri.startswith(head):
        raise ImageError("The mask is not a PNG picture that was drawn here. Brush it again, or upload it.")
    try:
        return load(base64.b64decode(uri[len(head) :], validate=True))
    except binascii.Error:
        raise ImageError("The mask is damaged. Brush it again, or upload it.") from None
