"""EXIF of a photo that may go with another one: the camera, the exposure and the date, and never the place.

Kept by a list and not by leaving GPS out: XMP, IPTC and a camera's own notes lie in EXIF too, and may tell the place.
"""

from __future__ import annotations

from PIL import Image

from inverse.imaging.images import DECODING

TEXTS = {
    0x010E: "description", 0x010F: "maker", 0x0110: "model", 0x0131: "software", 0x0132: "date", 0x013B: "artist",
    0x8298: "copyright",
}  # fmt: skip
"""Tags that are text."""
RESOLUTION = (0x011A, 0x011B, 0x0128)
WITHIN = 0x8769
"""Where exposure, lens and dates are."""
NOT_WITHIN = (0x927C, 0x9286, 0xA005)
"""A camera's own notes, a comment of any kind, and the place of another directory."""


def kept(image: Image.Image) -> bytes:
    """What may go with a photo that was made from this one; empty where there is nothing, or nonsense."""
    try:
        found, made = image.getexif(), Image.Exif()
        for tag in (*TEXTS, *RESOLUTION):
            if tag in found:
                made[tag] = found[tag]
        within = {tag: value for tag, value in found.get_ifd(WITHIN).items() if tag not in NOT_WITHIN}
        if within:
            made.get_ifd(WITHIN).update(within)
        return made.tobytes() if len(made) or within else b""
    except DECODING:
        return b""


def texts(exif: bytes) -> dict[int, str]:
    """The tags of `TEXTS` in it."""
    found = Image.Exif()
    found.load(exif)
    return {tag: str(found[tag]) for tag in TEXTS if tag in found}
