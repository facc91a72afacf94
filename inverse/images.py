"""The only border between files and tensors: decode safely, scale [0, 255] <-> [-1, 1], crop and fit."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from inverse.errors import ImageError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
ACCEPTED = "PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF"
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
MAX_ASPECT = 16

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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the check below is stricter
            image = photo if isinstance(photo, Image.Image) else Image.open(_opened(photo), formats=FORMATS)
            _check_size(*image.size)
            if max_side is not None and image.format == "JPEG":
                image.draft("RGB", (2 * max_side, 2 * max_side))
            orientation = image.getexif().get(0x0112, 1) if image.format else 1
            image.load()
            rgb = _to_rgb(image)
    except Image.DecompressionBombError as error:  # beyond twice Pillow's own limit; its text tells how many pixels
        pixels = int(re.search(r"\d+", str(error)).group())
        raise _too_large(f"{pixels / 1e6:.0f} megapixels") from None
    except UnidentifiedImageError:
        raise ImageError(f"This file is not a picture that can be read here. Use {ACCEPTED}.") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError) as error:
        if isinstance(error, ImageError):
            raise
        if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
            raise ImageError("The picture's file cannot be opened. Check its name and permissions.") from None
        raise ImageError("This picture is damaged and cannot be read to its end. Save it again.") from error
    except MemoryError:
        raise ImageError("This picture does not fit into memory. Use a smaller one.") from None
    rgb = Image.fromarray(np.asarray(rgb))  # a fresh picture: no EXIF, no GPS, no colour profile
    if orientation in _TRANSPOSITIONS:
        rgb = rgb.transpose(_TRANSPOSITIONS[orientation])
    if max_side is not None and max(rgb.size) > max_side:
        rgb.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return rgb


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


def _opened(photo: str | Path | bytes | BinaryIO) -> str | Path | BinaryIO:
    return io.BytesIO(photo) if isinstance(photo, bytes) else photo


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large(f"{width}x{height}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(f"This picture is {width}x{height}, longer than 1:{MAX_ASPECT}. Crop it first.")


def _too_large(size: str) -> ImageError:
    limit = f"{MAX_PIXELS // 1_000_000} megapixels and {MAX_SIDE} pixels a side"
    return ImageError(f"This picture is {size}; the limit is {limit}. Shrink it first.")


def _to_rgb(image: Image.Image) -> Image.Image:
    """8-bit RGB of any mode that the accepted formats decode to."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I;16N", "I", "F"):
        return _from_wide_grey(np.asarray(image), integer=image.mode != "F")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def _from_wide_grey(pixels: np.ndarray, integer: bool) -> Image.Image:
    """Grey of more than 8 bits: integers count to 65535; floats to 1, or to 255 or 65535 where they exceed that."""
    pixels = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    largest = pixels.max(initial=0.0)
    scale = 65535.0 if integer or largest > 255 else 255.0 if largest > 1 else 1.0
    grey = np.clip(np.rint(pixels * (255.0 / scale)), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


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
    if size is not None and min(image.size) != size:
        scale = size / min(image.size)
        image = image.resize(tuple(max(1, round(scale * n)) for n in image.size), Image.Resampling.LANCZOS)
    if min(image.size) < multiple:
        image = image.resize(tuple(max(multiple, n) for n in image.size), Image.Resampling.LANCZOS)
    width, height = (n // multiple * multiple for n in image.size)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 on [-1, 1]."""
    pixels = torch.from_numpy(np.array(image.convert("RGB")))
    return pixels.permute(2, 0, 1)[None].float() / 127.5 - 1


def to_image(x: Tensor) -> Image.Image:
    """(3, H, W) or (1, 3, H, W) on [-1, 1] -> RGB picture; values outside are clipped."""
    pixels = (x.detach().reshape(x.shape[-3:]).float().clamp(-1, 1) + 1) * 127.5
    return Image.fromarray(pixels.round().byte().permute(1, 2, 0).cpu().numpy())


def to_mask(image: Image.Image, size: tuple[int, int]) -> Tensor:
    """A picture as (H, W) on [0, 1], resized to size = (H, W) by nearest neighbour; white is 1."""
    grey = image.convert("L").resize((size[1], size[0]), Image.Resampling.NEAREST)
    return torch.from_numpy(np.array(grey)).float() / 255
