"""What is peculiar to TIFFs: kinds that Pillow reads wrongly, tiles of any size, raw photos that pose as pictures."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image
from PIL.TiffImagePlugin import (
    BITSPERSAMPLE,
    PHOTOMETRIC_INTERPRETATION,
    PLANAR_CONFIGURATION,
    TILELENGTH,
    TILEWIDTH,
    ImageFileDirectory_v2,
    TiffImageFile,
)

from inverse.errors import ImageError

MIN_TILE = 1024
"""Tiles may be this large in the smallest picture, too."""
_SUBFILE, _DNG = 254, 50706
_SENSOR = (32803, 34892)
"""Photometric interpretations of what a sensor has seen, in colours of its filters."""
_PLANES = 2


def check(image: Image.Image) -> None:
    """Looks at the header of an opened picture, and does nothing to other formats.

    Raises:
        ImageError: its tiles are much larger than it is, or it is the preview of a raw photo.
    """
    tags = getattr(image, "tag_v2", {})
    tile = [int(tags.get(tag) or 0) for tag in (TILEWIDTH, TILELENGTH)]
    if max(tile) > max(MIN_TILE, 2 * max(image.size)):  # room is made for a whole one
        width, height = image.size
        raise ImageError(f"This TIFF is {width}x{height} in tiles of {tile[0]}x{tile[1]}. Save it again.")
    if _DNG in tags or tags.get(PHOTOMETRIC_INTERPRETATION) in _SENSOR or int(tags.get(_SUBFILE) or 0) & 1:
        raise ImageError(
            "This is a camera's raw photo, of which only the small preview could be read here. "
            "Develop it in the camera's or another program, and export it as JPEG or 16-bit TIFF."
        )


def mend(image: Image.Image) -> None:
    """Lets Pillow read what it takes for something else: planes of 16 bits, and compressed samples of the other order.

    The picture is opened, and not yet loaded.

    Raises:
        ImageError: its planes are of a kind that cannot be read.
    """
    if isinstance(image, TiffImageFile):
        image.tile = [tile._replace(args=_native(tile.args)) if tile.codec_name == "libtiff" else tile
                      for tile in image.tile]  # fmt: skip
        _mend_planes(image, image.tag_v2)


def _native(arguments: Any) -> tuple:
    """libtiff gives samples in the machine's order, whatever the file's; Pillow knows that of whole numbers only."""
    return (re.sub(r"(?<=;)(16|32|64)B(?=[SF])", r"\1N", arguments[0]), *arguments[1:])


def _mend_planes(image: TiffImageFile, tags: ImageFileDirectory_v2) -> None:
    """Planes of 16-bit samples that are not compressed are read as if they had 8."""
    bits = set(tags.get(BITSPERSAMPLE, (8,)))
    raw: list[Any] = [tile for tile in image.tile if tile.codec_name == "raw"]
    if tags.get(PLANAR_CONFIGURATION) != _PLANES or len(tags.get(BITSPERSAMPLE, ())) < 2 or bits == {8} or not raw:
        return
    if bits != {16} or any(tile.args[0] not in "RGBA" for tile in raw):
        raise ImageError("This TIFF has planes of a kind that is not known here. Save it as PNG or 8-bit TIFF.")
    order = "B" if tags.prefix == b"MM" else "L"
    image.tile = [tile._replace(args=(f"{tile.args[0]};16{order}", *tile.args[1:])) for tile in raw]
