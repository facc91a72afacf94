"""Decoded pixels of any kind to 8-bit RGB as it should be seen: wide ranges, transparency, colour profiles."""

from __future__ import annotations

import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import BITSPERSAMPLE, PHOTOMETRIC_INTERPRETATION, SAMPLEFORMAT

from inverse.errors import ImageError
from inverse.imaging.colours import Profile

WIDE = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
FLOATING = 4.0
"""A floating-point picture whose highlights do not exceed this counts to 1, and some of them lie beyond it."""
_SIGNED, _FLOAT = 2, 3
_BAND = 1 << 20


def to_srgb(image: Image.Image, profile: Profile, background: str | None = "white") -> Image.Image:
    """8-bit RGB of a decoded picture of any mode that the accepted formats decode to.

    Transparency is laid on the background; without one it is kept, and what has any becomes RGBA.

    Raises:
        ImageError: its pixels have no brightness that anybody could know.
    """
    tags = getattr(image, "tag_v2", {})
    if image.mode in WIDE:
        return _from_wide_grey(image, tags, profile.curve).convert("RGB")
    if _first(tags, SAMPLEFORMAT) == _SIGNED:
        raise ImageError("This TIFF has pixels with a sign, as pictures to look at do not. Save it as 8-bit PNG.")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        # Colours are converted before they are mixed with the background, which is sRGB.
        rgba = image.convert("RGBA")
        colours = rgba.convert("L" if image.mode in ("LA", "La", "L", "1") else "RGB")
        colours = profile.convert(colours).convert("RGBA")
        colours.putalpha(rgba.getchannel("A"))
        if background is None:
            return colours
        return Image.alpha_composite(Image.new("RGBA", rgba.size, background), colours).convert("RGB")
    if image.mode not in ("L", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return profile.convert(image).convert("RGB")


def _from_wide_grey(image: Image.Image, tags: dict, curve: np.ndarray | None) -> Image.Image:
    """Grey of a mode in `WIDE` as 8 bits; infinite pixels are white, those that are no number black.

    Whole numbers of 16 bits count to 65535, or to 32767 with a sign. Those of 32 bits do so too unless one of them
    is larger. Floating-point numbers count to 1, 255 or 65535, whichever their highlights suggest; one pixel far
    beyond the others is no highlight. `curve` is what 256 levels become in sRGB; those between are interpolated.
    """
    pixels = np.asarray(image)
    if pixels.dtype == np.int32 and _first(tags, SAMPLEFORMAT, 1) == 1 and _first(tags, BITSPERSAMPLE) == 32:
        pixels = pixels.view(np.uint32)  # Pillow has no such mode
    low, scale = _range(pixels, tags)
    if low < -0.05 * scale:
        raise ImageError(
            f"This picture has pixels from {low:.3g} on, and black is 0. Save it with values from 0 upward, or as PNG."
        )
    inverted = _first(tags, PHOTOMETRIC_INTERPRETATION) == 0  # white is zero, which Pillow knows for 8 bits only
    grey = np.empty(pixels.shape, np.uint8)
    rows = max(1, _BAND // max(1, pixels.shape[1]))
    for top in range(0, pixels.shape[0], rows):  # a picture in double precision would fill the memory
        band = np.nan_to_num(pixels[top : top + rows].astype(np.float64), nan=0.0, posinf=scale, neginf=0.0)
        band = np.clip(band * (255.0 / scale), 0, 255)
        if inverted:
            band = 255 - band
        grey[top : top + rows] = np.rint(band if curve is None else np.interp(band, np.arange(256), curve))
    return Image.fromarray(grey)


def _range(pixels: np.ndarray, tags: dict) -> tuple[float, float]:
    """The darkest pixel, and what counts as white."""
    if pixels.dtype.kind != "f":
        if _first(tags, SAMPLEFORMAT) == _SIGNED and _first(tags, BITSPERSAMPLE) == 16:
            return float(pixels.min(initial=0)), 32767.0
        wide = pixels.dtype.itemsize == 4 and int(pixels.max(initial=0)) > 65535
        return float(pixels.min(initial=0)), float(np.iinfo(pixels.dtype).max) if wide else 65535.0
    finite = pixels[np.isfinite(pixels)]
    if not finite.size:
        raise ImageError("This picture has no pixel that is a number. Save it again.")
    low, high = np.percentile(finite[:: max(1, finite.size // _BAND)], (0.5, 99.5))
    return float(low), 1.0 if high <= FLOATING else 255.0 if high <= 255 * FLOATING else 65535.0


def _first(tags: dict, tag: int, default: int | None = None) -> int | None:
    value = tags.get(tag, default)
    return next(iter(value), default) if isinstance(value, tuple) else value
