"""The chunks of a PNG that matter: a view of the file without those that nobody needs to understand.

Most ancillary chunks (texts, times, thumbnails) do not change a pixel. So neither a wrong checksum nor megabytes of
text in them is a reason to refuse a picture, and text that is never unpacked cannot fill the memory. An ancillary chunk
that does change pixels, and is damaged, is left out, as libpng does.
"""

from __future__ import annotations

import io
import struct
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 50_000
"""The largest picture has fewer, in chunks of the usual 8 kB."""
MAX_ANCILLARY = 8_000_000
"""Bytes of an ancillary chunk that is looked into."""
MAX_PROFILE = 4_000_000
"""Bytes of a colour profile; those of printers have about one million."""

_LENGTHS = {b"gAMA": 4, b"sRGB": 1, b"cHRM": 32}
_TRANSPARENCY = {b"\0": range(2, 3), b"\2": range(6, 7), b"\3": range(1, 257)}
"""Lengths of tRNS by the kind of colours: grey, RGB, palette."""
_ANIMATION = (b"acTL", b"fcTL", b"fdAT")

Span = tuple[bytes, int, int]
"""Kind, start and length of a chunk in the file, its head and checksum included."""


class Chunks(io.RawIOBase):
    """A PNG read as if it had only some of its chunks. No pixel data is read before it is asked for.

    An animation is left out, so that the default image remains, unless that one is hidden: then it is no part of the
    animation, and whoever knows animations shows the first frame instead.

    Args:
        file: with a PNG from its start on.
        keep: which ancillary chunks stay, by kind and content, among those that are intact; by default those that
            change pixels.

    Attributes:
        profile: the ICC profile in iCCP, unpacked; None where there is none of a bearable size.
        hidden: the default image is hidden.

    Raises:
        OSError: there are more chunks than any picture has.
    """

    def __init__(self, file: BinaryIO, keep: Callable[[bytes, bytes], bool] | None = None) -> None:
        super().__init__()
        self._file = file
        self.profile: bytes | None = None
        file.seek(len(SIGNATURE) + 17)
        self._transparency = _TRANSPARENCY.get(file.read(1), range(0))
        spans = list(_walk(file))
        names = [kind for kind, *_ in spans]
        before = names[: names.index(b"IDAT")] if b"IDAT" in names else names
        self.hidden = b"acTL" in before and b"fcTL" not in before and b"fcTL" in names
        kept = [span for span in spans if self._stays(span, keep or self._changes_pixels)]
        self._spans = [(0, len(SIGNATURE)), *((start, length) for _, start, length in kept)]
        self._ends = list(accumulate(length for _, length in self._spans))
        self._position = 0

    def _stays(self, span: Span, keep: Callable[[bytes, bytes], bool]) -> bool:
        kind, start, length = span
        if kind in _ANIMATION:
            return self.hidden
        if not kind[0] & 32:  # a small first letter marks what is ancillary
            return True
        if length > MAX_ANCILLARY:
            return False
        self._file.seek(start + 8)
        content, checksum = self._file.read(length - 12), self._file.read(4)
        return zlib.crc32(kind + content).to_bytes(4, "big") == checksum and keep(kind, content)

    def _changes_pixels(self, kind: bytes, content: bytes) -> bool:
        if kind == b"iCCP":
            self.profile = self.profile or _profile(content)
            return False
        if kind == b"tRNS":
            return len(content) in self._transparency
        return kind == b"eXIf" or _LENGTHS.get(kind) == len(content)

    # As a file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = max(0, offset + (0, self._position, self._ends[-1])[whence])
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:
        index = bisect_right(self._ends, self._position)
        if index == len(self._ends):
            return 0
        start, length = self._spans[index]
        left = self._ends[index] - self._position
        self._file.seek(start + length - left)
        content = self._file.read(min(left, len(memoryview(buffer))))
        memoryview(buffer)[: len(content)] = content
        self._position += len(content)
        return len(content)


def _walk(file: BinaryIO) -> Iterator[Span]:
    at = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            return
        length, kind = struct.unpack(">I4s", head)
        yield kind, at, length + 12
        if kind == b"IEND":
            return
        at += length + 12
    raise OSError("more chunks than any picture has")


def _profile(content: bytes) -> bytes | None:
    """The profile in an iCCP chunk: a name, a zero, the method 0, and the packed profile."""
    try:
        profile = zlib.decompressobj().decompress(content.split(b"\0", 1)[1][1:], MAX_PROFILE + 1)
    except (zlib.error, IndexError):
        return None
    return profile if len(profile) <= MAX_PROFILE else None
