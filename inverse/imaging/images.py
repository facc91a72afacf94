"""The only border between files and tensors: decode safely, scale [0, 255] <-> [-1, 1], crop and fit."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from inverse.errors import ImageError
from inverse.imaging import chunks, colours, foreign, jpeg_ends, pixels, tiffs
from inverse.imaging.colours import Profile

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif")
"""By which photos are found in a folder."""
ACCEPTED = "PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF"
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
MAX_ASPECT = 16
_TIFF = (b"II*\0", b"MM\0*")
_PLAIN = ("L", "RGB", "CMYK")
"""Modes that are shrunk before their colours are converted, which is cheaper."""

Photo = str | Path | bytes | BinaryIO | Image.Image
"""What counts as a photo: a path, the bytes of a file, an open file, or a decoded picture."""


def load(photo: Photo, max_side: int | None = None) -> Image.Image:
    """Decodes a photo into upright 8-bit RGB in sRGB, without any metadata.

    16-bit and floating-point pictures keep their brightness, transparency is laid on white, animations give their
    first frame. Colour profiles are followed, and gAMA and cHRM of a PNG. Size and shape are checked in the header,
    before a pixel is decoded. What every viewer forgives is forgiven: damaged metadata, and a JPEG without the mark of
    its end; a JPEG that is cut is refused, since the rest would be grey.

    Args:
        photo: path, bytes, open file or picture.
        max_side: shrink to this longer side at once, which saves memory on large photos.

    Raises:
        ImageError: it is not a picture of an accepted format, is damaged, or is too large or too narrow.
    """

    def converted(image: Image.Image, profile: Profile) -> Image.Image:
        if max_side is not None and image.mode in _PLAIN and image.format != "TIFF" and max(image.size) > max_side:
            image = image.copy()
            image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        rgb = pixels.to_srgb(image, profile)
        if max_side is not None and max(rgb.size) > max_side:
            rgb.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        return rgb

    return decoded(photo, converted, None if max_side is None else 2 * max_side)


def decoded(
    photo: Photo, convert: Callable[[Image.Image, Profile], Image.Image], draft: int | None = None
) -> Image.Image:
    """An upright picture without metadata, of pixels that `convert` makes of those decoded and their colour profile.

    Args:
        photo: path, bytes, open file or picture.
        convert: returns a new picture.
        draft: a JPEG may be decoded at a smaller size, its longer side not below this.

    Raises:
        ImageError: as in `load`.
    """
    if not isinstance(photo, str | Path | bytes | Image.Image) and not hasattr(photo, "read"):
        raise ImageError(
            f"A photo is a path, the bytes of a file, an open file or a picture of Pillow, and not of the type "
            f"{type(photo).__name__}. Convert it: PIL.Image.fromarray(array), or inverse.imaging.to_image(tensor)."
        )
    try:
        with warnings.catch_warnings(), contextlib.ExitStack() as files:
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the checks here are stricter
            if isinstance(photo, Image.Image):
                return _upright(photo, convert, draft)
            file = _opened(photo, files)
            try:
                return _read(file, convert, draft)
            except OSError as error:
                if not _starts(file, b"\xff\xd8") or "truncated" not in str(error):
                    raise
                file.seek(0)
                return jpeg_ends.completed(file.read(), lambda whole: _read(whole, convert, draft))
    except Image.DecompressionBombError as error:  # beyond twice Pillow's own limit; its text tells how many pixels
        count = int(re.findall(r"\d+", str(error))[0])
        raise _too_large(f"{count / 1e6:.0f} megapixels") from None
    except MemoryError:
        raise ImageError("This picture does not fit into memory. Use a smaller one.") from None
    except DECODING as error:
        if isinstance(error, ImageError):
            raise
        if isinstance(error, FileNotFoundError | IsADirectoryError | NotADirectoryError | PermissionError):
            raise ImageError("The picture's file cannot be opened. Check its name and permissions.") from None
        raise ImageError("This picture is damaged and cannot be read to its end. Save it again.") from error


def _opened(photo: str | Path | bytes | BinaryIO, files: contextlib.ExitStack) -> BinaryIO:
    if isinstance(photo, bytes):
        return io.BytesIO(photo)
    if not isinstance(photo, str | Path):
        return photo if hasattr(photo, "seekable") and photo.seekable() else io.BytesIO(photo.read())
    path = Path(photo)
    if path.exists() and not path.is_file():  # a pipe would be waited for, a device has no end
        raise ImageError("The picture's file cannot be opened: it is no file. Check its name.")
    return files.enter_context(path.open("rb"))


def _starts(file: BinaryIO, *signatures: bytes) -> bool:
    file.seek(0)
    return file.read(max(map(len, signatures))).startswith(signatures)


def _read(file: BinaryIO, convert: Callable[[Image.Image, Profile], Image.Image], draft: int | None) -> Image.Image:
    """As `decoded`, of an open file."""
    profile = None
    if hidden := _starts(file, chunks.SIGNATURE):
        view = chunks.Chunks(file)
        file, profile, hidden = io.BufferedReader(view), view.profile, view.hidden
    try:
        if _starts(file, *_TIFF) and (foreign := _foreign(file)):  # a raw photo, of which the preview would be read
            raise foreign
        image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        raise _unknown(file) from None
    _check_size(image)
    if hidden:
        image.seek(1)
    return _upright(image, convert, draft, profile)


def _upright(
    image: Image.Image, convert: Callable[[Image.Image, Profile], Image.Image], draft: int | None,
    profile: bytes | None = None,
) -> Image.Image:  # fmt: skip
    """As `decoded`, of an opened picture; `profile` is its ICC profile, unless Pillow knows it."""
    _check_size(image)
    if draft is not None and image.format == "JPEG":
        image.draft("RGB", (draft, draft))
    tiffs.mend(image)
    image.load()
    grey = image.mode in ("1", "L", "LA", "La", *pixels.WIDE)
    meant = colours.Profile(profile or colours.profile_of(image.info, grey))
    # Only now: where Pillow has turned a picture while it was loaded, as it does TIFFs, no orientation is left.
    orientation = orientation_of(image)
    made = Image.fromarray(np.asarray(convert(image, meant)))  # a fresh picture: no EXIF, no GPS, no colour profile
    if isinstance(orientation, int) and orientation in _TRANSPOSITIONS:
        made = made.transpose(_TRANSPOSITIONS[orientation])
    return made


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


def orientation_of(image: Image.Image) -> Any:
    """How its file says that it is turned, by the number in its EXIF; None where it says nothing."""
    try:
        return image.getexif().get(0x0112) if image.format else None
    except DECODING:  # nonsense in the metadata of a whole picture
        return None


def _unknown(file: BinaryIO) -> ImageError:
    """The sentence for a file that Pillow does not know."""
    if _starts(file, *_TIFF):
        return ImageError("This TIFF has pixels of a kind that is not known here. Save it as PNG or 8-bit TIFF.")
    return _foreign(file) or ImageError(f"This file is not a picture that can be read here. Use {ACCEPTED}.")


def _foreign(file: BinaryIO) -> ImageError | None:
    """The sentence for a file of a format that is known, and not read."""
    file.seek(0)
    known = foreign.named(file.read(foreign.HEAD))
    if known is None:
        return None
    name, remedy = known
    return ImageError(f"This file is {name}, which cannot be read here. {remedy}. Use {ACCEPTED}.")


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise _too_large(f"{width}x{height}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageError(f"This picture is {width}x{height}, longer than 1:{MAX_ASPECT}. Crop it first.")
    tiffs.check(image)


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


def alike(size: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether pictures of two sizes, (width, height) each, have the same shape, but for rounding."""
    scale = (size[0] * size[1] / (other[0] * other[1])) ** 0.5
    return max(abs(one - scale * two) for one, two in zip(size, other, strict=True)) <= max(1.0, scale)


def fitted(picture: tuple[int, int], size: int | None, multiple: int = 1) -> tuple[tuple[int, int], tuple[int, int]]:
    """(W, H) to which `fit` resizes a picture of (W, H), and (W, H) of the center that it crops."""
    scale = 1 if size is None else size / min(picture)
    width, height = (max(1, multiple, round(scale * n)) for n in picture)
    return (width, height), (width // multiple * multiple, height // multiple * multiple)


def to_tensor(image: Image.Image) -> Tensor:
    """RGB picture -> (1, 3, H, W) float32 on [-1, 1]."""
    values = torch.from_numpy(np.array(image.convert("RGB")))
    return values.permute(2, 0, 1)[None].float() / 127.5 - 1


def to_image(x: Tensor) -> Image.Image:
    """(3, H, W) or (1, 3, H, W) on [-1, 1] -> RGB picture; values outside are clipped."""
    values = (x.detach().reshape(x.shape[-3:]).float().clamp(-1, 1) + 1) * 127.5
    return Image.fromarray(values.round().byte().permute(1, 2, 0).cpu().numpy())
