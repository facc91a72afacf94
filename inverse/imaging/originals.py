"""A photo with its own pixels, of 8 or 16 bits, and what its file says beside them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

from inverse.errors import ImageError
from inverse.imaging import exif as metadata
from inverse.imaging import images, pixels
from inverse.imaging.colours import Profile
from inverse.imaging.jpeg_tables import JpegTables, tables_of

ENDINGS = {"JPEG": "jpg", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif", "AVIF": "avif", "PNG": "png"}


@dataclass(frozen=True)
class Original:
    """A photo, upright.

    Attributes:
        pixels: (H, W, 3), RGB, of uint8, or of uint16 where the file has 16 bits.
        exif: what of its EXIF may go with a result, see `imaging.exif`; empty where it was not asked for.
        profile: the ICC profile that the numbers are meant in; empty for sRGB.
        notes: sentences on what could not be kept.
        jpeg: how its file was saved; None where that is no JPEG.
    """

    pixels: np.ndarray
    exif: bytes = b""
    profile: bytes = b""
    notes: tuple[str, ...] = field(default=())
    jpeg: JpegTables | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.pixels.shape[0], self.pixels.shape[1]


def load(photo: images.Photo, keep_metadata: bool = False) -> Original:
    """The photo at its own size and depth, upright.

    Without metadata its colours are converted to sRGB; with it, pixels are the file's own numbers, which its profile
    goes with.

    Args:
        photo: as for `images.load`.
        keep_metadata: keep EXIF, without where it was taken, and the colour profile.

    Raises:
        ImageError: as `images.load`.
    """
    exif, kept, changed = b"", b"", False

    def converted(image: Image.Image, profile: Profile) -> Image.Image:
        nonlocal exif, kept, changed
        if keep_metadata:
            exif = metadata.kept(image)
            if image.mode == "RGB":  # a profile of greys explains no colours, in which all is written
                kept, profile = profile.content, Profile(None)
        changed = bool(profile.space)
        return pixels.to_srgb(image, profile)

    content = photo if isinstance(photo, Image.Image) else _content(photo)
    picture = images.decoded(content, converted)
    eight = np.asarray(picture)
    if isinstance(content, Image.Image):
        return Original(eight, exif, kept)
    if not _deep(content):
        return Original(eight, exif, kept, jpeg=tables_of(content))
    if changed:
        note = "Its 16 bits became 8, as its colours were converted to sRGB; keep its metadata to keep them."
        return Original(eight, exif, kept, (note,))
    sixteen = _sixteen(content)
    if sixteen is None or sixteen.shape[:2] != eight.shape[:2]:
        return Original(eight, exif, kept, ("Its 16 bits became 8: they are of a kind that is not read here.",))
    return Original(sixteen, exif, kept)


def blank(size: tuple[int, int]) -> Original:
    """A photo of size (H, W) without pixels of its own: no memory is taken for them."""
    return Original(np.broadcast_to(np.zeros(1, np.uint8), (*size, 3)))


def ending(path: str | Path) -> str:
    """The ending of a file's name in which a photo is given back: that of its own format, or png.

    A GIF, whose colours are few, becomes a PNG.
    """
    try:
        with Image.open(path, formats=images.FORMATS) as image:
            return ENDINGS.get(image.format or "", "png")
    except images.DECODING:
        return "png"


def _content(photo: str | Path | bytes | images.BinaryIO) -> bytes:
    if isinstance(photo, bytes):
        return photo
    if isinstance(photo, str | Path):
        path = Path(photo)
        if not path.is_file():
            images.load(photo)  # says what is wrong
        try:
            return path.read_bytes()
        except OSError:
            raise ImageError("The picture's file cannot be opened. Check its name and permissions.") from None
    return photo.read()


def _deep(content: bytes) -> bool:
    """Whether it is a PNG or a TIFF of 16 bits."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return len(content) > 25 and content[24] == 16
    if content[:4] not in (b"II*\0", b"MM\0*"):
        return False
    with Image.open(io.BytesIO(content), formats=("TIFF",)) as image:
        bits = getattr(image, "tag_v2", {}).get(TiffImagePlugin.BITSPERSAMPLE, (8,))
    return set(bits if isinstance(bits, tuple) else (bits,)) == {16}


def _sixteen(content: bytes) -> np.ndarray | None:
    """(H, W, 3) of uint16, upright; None where OpenCV does not read it, or there is transparency in it."""
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16:
        return None
    if found.ndim == 2:
        found = np.repeat(found[..., None], 3, -1)
    elif found.shape[-1] == 4 and (found[..., 3] != 65535).any():
        return None
    turned = found[..., 2::-1]
    with Image.open(io.BytesIO(content), formats=images.FORMATS) as image:
        orientation = images.orientation_of(image)
    return np.ascontiguousarray(_upright(turned, orientation))


def _upright(pixels: np.ndarray, orientation: object) -> np.ndarray:
    flipped = {2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}
    turned = {
        5: pixels.swapaxes(0, 1), 6: pixels[::-1].swapaxes(0, 1),
        7: pixels[::-1, ::-1].swapaxes(0, 1), 8: pixels[:, ::-1].swapaxes(0, 1),
    }  # fmt: skip
    return {**flipped, **turned}.get(orientation, pixels) if isinstance(orientation, int) else pixels
