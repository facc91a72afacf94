"""The file that the photo on the page came from: the page keeps the photo smaller, and without its name."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from inverse.errors import ImageError
from inverse.imaging import images
from inverse.resources import EXAMPLES
from inverse.web.base.guards import uploaded, uploaded_photo
from inverse.web.elements import damaged
from inverse.web.elements.picker import DAMAGED, EXAMPLE_TITLES

LONGEST_NAME = 60


@dataclass(frozen=True)
class PhotoFile:
    """What is told of it.

    Attributes:
        name: what files that are made from it are called after.
        size: its own (W, H), upright; None where that is not known.
        own: a visitor's, not one of the examples.
        digest: of the photo as the page keeps it; empty where it is not known.
        path: where a visitor's is, as long as the server has it; empty where it is not known.
    """

    name: str
    size: tuple[int, int] | None
    own: bool
    digest: str = ""
    path: str = ""

    def made(self, what: str, kind: str = "png") -> str:
        """The name of a file that was made from it: IMG_4711-restored.png."""
        return f"{self.name}-{what}.{kind}"


UNKNOWN = PhotoFile("photo", None, own=False)
"""Where no file is known, as after the server was restarted."""


def received(path: Any) -> tuple[Image.Image, PhotoFile]:
    """A photo that a visitor uploaded, as the page keeps it, and its file.

    Raises:
        ImageError: it cannot be used.
    """
    photo = uploaded_photo(path)
    return photo, PhotoFile(
        plain_name(path), _true_size(uploaded(path), photo), own=True, digest=digest(photo), path=path
    )


def example(name: str) -> tuple[Image.Image, PhotoFile]:
    """A good example, or one that is damaged: "damaged/scratched".

    Raises:
        ImageError: there is no such example.
    """
    kind = name.removeprefix(DAMAGED)
    if kind not in (EXAMPLE_TITLES if kind == name else damaged.examples()):
        raise ImageError("There is no such example. Choose one of those on the page.")
    photo = images.load(EXAMPLES / f"{name}.jpg" if kind == name else damaged.file(kind))
    return photo, PhotoFile(kind, photo.size, own=False, digest=digest(photo))


def digest(picture: Image.Image) -> str:
    """What tells a picture from others. It takes a look at every pixel."""
    return f"{picture.width}x{picture.height}-{zlib.crc32(picture.tobytes()):08x}"


def plain_name(path: str) -> str:
    """The name of a file without its ending, and without what a file's name may not hold on some system."""
    words = re.sub(r"[^\w.-]+", "_", Path(path).stem)
    return words[:LONGEST_NAME].strip("._-") or "photo"


def _true_size(file: Path, photo: Image.Image) -> tuple[int, int]:
    # The header tells the size as it is stored; whether it is turned is seen by the photo, which is upright.
    with Image.open(file) as stored:
        width, height = stored.size
    return (width, height) if (width < height) == (photo.width < photo.height) else (height, width)
