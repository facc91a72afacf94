"""An example of each thing that may be wrong with a photo, so that it can be tried without a photo of one's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import Image

from inverse.diagnosis.kinds import TITLES
from inverse.resources import EXAMPLES
from inverse.web.base.pictures import jpeg

FOLDER = EXAMPLES / "damaged"
FIRST = "scratched"
"""What Simple shows when it opens for the first time."""
CLOSE = {
    "missing": (200, 0, 336, 102), "scratched": (200, 60, 360, 180), "blurry": (130, 20, 290, 140),
    "small": (64, 24, 160, 96), "grainy": (150, 180, 310, 300), "blocky": (130, 20, 290, 140),
    "grey": (96, 12, 224, 108), "faded": (130, 20, 290, 140),
}  # fmt: skip
"""The part of each, (left, top, right, bottom) in its pixels, in which the damage is seen at the size of a thumb."""


def examples() -> dict[str, str]:
    """Titles by kind, of all that something here undoes."""
    return {kind: title for kind, title in TITLES.items() if kind != "faded"}


def file(kind: str) -> Path:
    """Where the example is."""
    return next(FOLDER.glob(f"{kind}.*"))


@cache
def whole(kind: str) -> str:
    """A square thumb of the photo, as a data URI."""
    with Image.open(file(kind)) as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        square = image.convert("RGB").crop((left, top, left + side, top + side))
        return jpeg(square.resize((96, 96), Image.Resampling.LANCZOS), 82)


@cache
def close(kind: str) -> str:
    """What the damage looks like, 4 by 3, as a data URI."""
    with Image.open(file(kind)) as image:
        return jpeg(image.convert("RGB").resize((128, 96), Image.Resampling.BICUBIC, CLOSE[kind]), 85)
