"""The only border between files and tensors: decode safely, scale [0, 255] <-> [-1, 1], crop and fit."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from inverse import pixels
from inverse.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
ACCEPTED = "PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF"
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
MAX_ASPECT = 16
MIN_TILE = 1024
"""Tiles of a TIFF may be this large in the smallest picture, too."""

_TIFF = (b"II*\0", b"MM\0*")

Photo = str | Path | bytes | BinaryIO | Image.Image
"""What counts as a photo: a path, the bytes of a file, an open file, or a decoded picture."""


def load(photo: Photo, max_side: int | None = None) -> Image.Image:
    """Decodes a photo into upright 8-bit RGB, without any metadata.

    16-bit and floating-point pictures keep their brightness, transparency is laid on white, animations give their
    first frame. Size and shape are checked in the header, before a pixel is decoded.

    Args:
        photo: path, bytes, open file or picture.
        max_side: shrink to this longer side at once, which saves memory on large photos.

    Raises:
        ImageError: it is not a picture of an accepted format, is damaged, or is too large or too narrow.
    """
    if not isinstance(photo, str | Path | bytes | Image.Image) and not hasattr(photo, "read"):
        raise ImageError(
            f"A photo is a path, the bytes of a file, an open file or a picture of Pillow, and not of the type "
            f"{type(photo).__name__}. Convert it: PIL.Image.fromarray(array), or inverse.images.to_image(tensor)."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the check below is stricter
            image = photo if isinstance(photo, Image.Image) else Image.open(_opened(photo), formats=FORMATS)
            _check_size(image)
            if max_side is not None and image.format == "JPEG":
                image.draft("RGB", (2 * max_side, 2 * max_side))
            profile = image.info.get("icc_profile")
            orientation = image.getexif().get(0x0112, 1) if image.format else 1
            image.load()
            rgb = image.copy() if profile and image.mode == "CMYK" else pixels.to_rgb(image)
            if max_side is not None and max(rgb.size) > max_side:
                rgb.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
            rgb = pixels.in_srgb(rgb, profile)
            rgb = rgb if rgb.mode == "RGB" else rgb.convert("RGB")
    except Image.DecompressionBombError as error:  # beyond twice Pillow's own limit; its text tells how many pixels
        count = int(re.search(r"\d+", str(error)).group())
        raise _too_large(f"{count / 1e6:.0f} megapixels") from None
    except UnidentifiedImageError:
        if _is_tiff(photo):
            raise ImageError(
                "This TIFF has pixels of a kind that is not known here. Save it as PNG or 8-bit TIFF."
            ) from None
        raise ImageError(f"This file is not a picture that can be read here. Use {ACCEPTED}.") from None
    except MemoryError:
        raise ImageError("This picture does not fit into memory. Use a smaller one.") from None
    except DECODING as error:
        if isinstance(error, ImageError):
            raise
        if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError):
            raise ImageError("The picture's file cannot be opened. Check its name and permissions.") from None
        raise ImageError("This picture is damaged and cannot be read to its end. Save it again.") from error
    rgb = Image.fromarray(np.asarray(rgb))  # a fresh picture: no EXIF, no GPS, no colour profile
    if isinstance(orientation, int) and orientation in _TRANSPOSITIONS:
        rgb = rgb.transpose(_TRANSPOSITIONS[orientation])
    return rgb


DECODING = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, OSError, RuntimeError, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip
"""What Pillow raises on files that somebody damaged; fuzzing met most of them."""


_TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes a picture upright, by its EXIF orientation."""


def _opened(photo: str | Path | bytes | BinaryIO) -> Path | BinaryIO:
    if isinstance(photo, str | Path):
        path = Path(photo)
        if path.exists() and not path.is_file():  # a pipe would be waited for, a device has no end
            raise ImageError("The picture's file cannot be opened: it is no file. Check its name.")
        return path
    return io.BytesIO(photo) if isinstance(photo, bytes) else photo


def _is_tiff(photo: Photo) -> bool:
    if isinstance(photo, bytes):
        return photo.startswith(_TIFF)
    if not isinstance(photo, str | Path):
        return False
    with Path(photo).open("rb") as file:
        return file.read(4) in _TIFF


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large(f"{width}x{height}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(f"This picture is {width}x{height}, longer than 1:{MAX_ASPECT}. Crop it first.")
    # The tiles of a TIFF have a size of their own, of which room is made for one.
    tags = getattr(image, "tag_v2", {})
    tile = [int(tags.get(tag) or 0) for tag in (322, 323)]
    if max(tile) > max(MIN_TILE, 2 * max(width, height)):
        raise ImageError(f"This TIFF is {width}x{height} in tiles of {tile[0]}x{tile[1]}. Save it again.")


def _too_large(size: str) -> ImageError:
    limit = f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE} pixels a side"
    return ImageError(f"This picture is {size}; the limit is {limit}. Shrink it first.")


def fit(image: Image.Image, size: int | None, multiple: int = 1, square: bool = False) -> Image.Image:
    """Shrinks or enlarges so that the shorter side is `size`, and crops the center to multiples of `multiple`.

    Args:
        image: RGB picture.
        size: the shorter side in pixels, or None to keep the size.
        multiple: the sides of the result are multiples of this, at least one multiple.
        square: crop the center square first.
    """
    if square:
        side = min(image.size)
        image = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
    resized, (width, height) = fitted(image.size, size, multiple)
    if resized != image.size:
        image = image.resize(resized, Image.Resampling.LANCZOS)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def fitted(picture: tuple[int, int], size: int | None, multiple: int = 1) -> tuple[tuple[int, int], tuple[int, int]]:
    """(W, H) to which `fit` resizes a picture of (W, H), and (W, H) of the center that it crops."""
    scale = 1 if size is None else size / min(picture)
    resized = tuple(max(1, multiple, round(scale * n)) for n in picture)
    return resized, tuple(n // multiple * multiple for n in resized)


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 on [-1, 1]."""
    values = torch.from_numpy(np.array(image.convert("RGB")))
    return values.permute(2, 0, 1)[None].float() / 127.5 - 1


def to_image(x: Tensor) -> Image.Image:
    """(3, H, W) or (1, 3, H, W) on [-1, 1] -> RGB picture; values outside are clipped."""
    values = (x.detach().reshape(x.shape[-3:]).float().clamp(-1, 1) + 1) * 127.5
    return Image.fromarray(values.round().byte().permute(1, 2, 0).cpu().numpy())


def to_mask(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """A picture as (H, W) on [0, 1], resized to size = (H, W) by nearest neighbour; white is 1."""
    grey = image.convert("L").resize((size[1], size[0]), Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(grey)).float() / 255
