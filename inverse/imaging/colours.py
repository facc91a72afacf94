"""Colours in sRGB, whatever the file says that its numbers mean: an ICC profile, or gAMA and cHRM of a PNG.

What a profile does decides, and not its name. Grey pictures go through a curve, so that those of 16 bits lose nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from inverse.imaging.chunks import MAX_PROFILE

SRGB_PRIMARIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""x and y of white, red, green and blue, in the order of cHRM."""
LEVELS = 2
"""By how many of 255 levels a profile may change colours and still be taken for sRGB: encoders round differently."""
_D50 = (0.9642, 1.0, 0.8249)
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile_of(info: Mapping[Any, Any], grey: bool) -> bytes | None:
    """The ICC profile that holds for a picture, None for sRGB; one is made of gAMA and cHRM.

    As the PNG specification says (section 4.3), an ICC profile counts first, then sRGB, then gAMA with cHRM. A gAMA of
    1/2.2 is what programs write beside sRGB, or in place of it, and means sRGB; so do chromaticities without gAMA.
    These are icc_profile, srgb, gamma and chromaticity in the `info` of Pillow's picture; `grey` has one channel.
    """
    if info.get("icc_profile"):
        return info["icc_profile"]
    gamma, primaries = info.get("gamma"), info.get("chromaticity", SRGB_PRIMARIES)
    if "srgb" in info or not isinstance(gamma, float) or not 0.05 <= gamma <= 5:
        return None
    usual = abs(gamma - 1 / 2.2) < 0.005
    if usual and (grey or np.allclose(primaries, SRGB_PRIMARIES, atol=0.002)):
        return None
    try:
        return gamma_profile(gamma, primaries, grey)
    except (np.linalg.LinAlgError, ValueError, ArithmeticError, struct.error):  # chromaticities of no colours
        return None


class Profile:
    """How to get to sRGB from the numbers of a profile's pictures; `content` is its file.

    Attributes:
        space: "GRAY", "RGB" or "CMYK", other names, or "" where this is no profile, or that of sRGB.
        content: the file; empty where there is none.
    """

    def __init__(self, content: bytes | None) -> None:
        self.space = ""
        self.content = content or b""
        if not content or len(content) > MAX_PROFILE:
            return
        try:
            source = ImageCms.core.profile_frombytes(content)
            self._source = ImageCms.ImageCmsProfile(source)
            self.space = source.xcolor_space.strip()
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return
        if self.space == "RGB" and self._is_srgb():
            self.space = ""

    def _is_srgb(self) -> bool:
        values = np.concatenate([np.tile(np.arange(256)[:, None], (1, 3)), np.indices((6, 6, 6)).reshape(3, -1).T * 51])
        values = values.astype(np.uint8)[None]
        found = self._applied(Image.fromarray(values), exactly=True)
        return int(np.abs(np.asarray(found).astype(int) - values).max()) <= LEVELS

    def convert(self, image: Image.Image) -> Image.Image:
        """The colours in sRGB of a picture of the mode RGB, CMYK or L; as it is where the profile is not for it."""
        if image.mode == "L" and self.space == "GRAY":
            curve = self.curve
            return image if curve is None else image.point(np.rint(curve).astype(np.uint8).tolist())
        if image.mode == "L" and self.space == "RGB":
            image = image.convert("RGB")
        if image.mode != self.space:
            return image
        return self._applied(image)

    @property
    def curve(self) -> np.ndarray | None:
        """What 256 levels of grey become, (256,) on [0, 255]; None where the profile is not for grey pictures."""
        if self.space not in ("GRAY", "RGB"):
            return None
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        found = np.asarray(self._applied(ramp if self.space == "GRAY" else ramp.convert("RGB"), exactly=True))
        found = found.reshape(256, -1).mean(1, dtype=np.float64)
        return None if np.abs(found - np.arange(256)).max() <= LEVELS else found

    def _applied(self, image: Image.Image, exactly: bool = False) -> Image.Image:
        # Tables that make large pictures fast are nine levels off in the dark, where a curve is steep.
        flags = ImageCms.Flags.NOOPTIMIZE if exactly else ImageCms.Flags.NONE
        srgb = ImageCms.createProfile("sRGB")
        try:
            found = ImageCms.profileToProfile(image, self._source, srgb, outputMode="RGB", flags=flags)
            return found or image  # nothing is returned only where the picture itself is changed
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            return image


def gamma_profile(gamma: float, primaries: tuple[float, ...], grey: bool) -> bytes:
    """An ICC profile of version 4 whose linear light is the number to the power of 1 / gamma, as in gAMA.

    The primaries are as in cHRM, x and y of white, red, green, blue; white becomes D50 by Bradford's transform.
    """
    curve = b"para" + bytes(4) + struct.pack(">HHi", 0, 0, round(65536 / gamma))
    tags = {b"wtpt": _xyz(_D50)}
    if grey:
        tags[b"kTRC"] = curve
    else:
        x, y = np.array(primaries, np.float64).reshape(4, 2).T
        white, *_ = light = np.stack([x / y, np.ones(4), (1 - x - y) / y], 1)
        cones = _BRADFORD @ white
        adapt = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cones) @ _BRADFORD
        colours = light[1:].T * np.linalg.solve(light[1:].T, white)
        for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), (adapt @ colours).T, strict=True):
            tags[name] = _xyz(column)
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    table, blobs, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", at + len(blobs), len(content))
        blobs += content
    head = struct.pack(">I4xI4s4s4s", at + len(blobs), 0x04000000, b"mntr", b"GRAY" if grey else b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp"
    return head.ljust(68, b"\0") + _xyz(_D50)[8:].ljust(60, b"\0") + table + blobs


def _xyz(values: tuple[float, ...] | np.ndarray) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(65536 * float(value)) for value in values))
