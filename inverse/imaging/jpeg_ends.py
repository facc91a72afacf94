"""JPEGs whose last bytes are missing: whole all the same where only the mark of the end is, or cut.

A decoder fills what is missing with grey, without a word. So the file is decoded twice, each time continued by other
random bytes: where every pixel stays the same, nothing was missing.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops

from inverse.errors import ImageError

END = b"\xff\xd9"
_LENGTH = 2048
_NO_SEGMENT = (0x01, *range(0xD0, 0xD9))


def completed(data: bytes, decode: Callable[[io.BytesIO], Image.Image]) -> Image.Image:
    """The picture in a JPEG without its end, by `decode` of a whole file.

    Raises:
        ImageError: pixels are missing; it names the share that is there.
    """
    data = data.rstrip(b"\xff")  # the first half of the end's mark
    one, other = (decode(io.BytesIO(data + _continuation(seed) + END)) for seed in (1, 2))
    difference = ImageChops.difference(one, other).getbbox(alpha_only=False)
    if difference is None and _all_scans(data):
        return one
    top = 0 if difference is None else difference[1]
    what = f"the upper {100 * top // one.height} % of it are" if top and _all_scans(data) else "only a part of it is"
    raise ImageError(f"This JPEG is cut off, and {what} there. Download or copy the whole file again.")


def _continuation(seed: int) -> bytes:
    """What an encoder might have written on: random bits, with every restart mark in case one is due."""
    # 255 is never drawn, since it begins marks.
    bits = np.random.default_rng(seed).integers(0, 255, 9 * _LENGTH, np.uint8).tobytes()
    parts = [bits[at : at + _LENGTH] for at in range(0, len(bits), _LENGTH)]
    return parts[0] + b"".join(bytes((0xFF, 0xD0 + n)) + part for n, part in enumerate(parts[1:]))


def _all_scans(data: bytes) -> bool:
    """Whether the scans begun bring all coefficients of all components to their last bit."""
    frame, exact = set(), set()
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF or data[at + 1] == 0:
            at = data.find(b"\xff", at + 1)
            if at < 0:
                break
            continue
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        if kind == 0xFF or kind in _NO_SEGMENT:
            at += 1 if kind == 0xFF else 2
            continue
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC) and len(body) >= 6:
            frame = {(body[6 + 3 * n], k) for n in range(body[5]) if 6 + 3 * n < len(body) for k in range(64)}
        if kind == 0xDA and len(body) >= 4 + 2 * body[0]:
            first, last, bits = body[-3], body[-2], body[-1] & 15
            if bits == 0:
                exact |= {(body[1 + 2 * n], k) for n in range(body[0]) for k in range(first, last + 1)}
        at += 2 + length
    return bool(frame) and frame <= exact
