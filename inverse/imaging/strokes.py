"""Pictures of colour strokes of any kind as one kind: mode RGBA, opaque under a stroke and transparent elsewhere.

With transparency, what is painted is a stroke, in grey too, which keeps the photo grey there. Without it, what is
coloured is a stroke, as where somebody painted on the grey photo itself.
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ImageError, ProblemError
from inverse.imaging import images, pixels
from inverse.imaging.colours import Profile

WORDS = (
    "Strokes are painted on a transparent ground of the photo's shape, or in colour on the grey photo itself; a grey "
    "stroke on a transparent ground keeps its place grey."
)
PAINTED = 128
"""Least opacity of a stroke."""
COLOURED = 40
"""By so much the channels of an opaque picture differ under a stroke, which noise and JPEG leave of no grey photo."""
TOUCHED = 16
"""Least opacity of a shrunk stroke: a sixteenth of the pixel, so that nothing thin is lost."""


def load(photo: images.Photo, max_side: int | None = None) -> Image.Image:
    """Strokes of any kind as a picture of mode RGBA, opaque under them and transparent elsewhere.

    What this function returned stays as it is. It is shrunk to a longer side if asked to.

    Raises:
        ImageError: it cannot be read, or marks nothing.
    """

    def converted(image: Image.Image, profile: Profile) -> Image.Image:
        rgba = np.array(pixels.to_srgb(image, profile, background=None).convert("RGBA"))
        marked = _marked(rgba)
        if not marked.any():
            raise ImageError(
                "This picture has no stroke: nothing of it is coloured, or all is transparent. Paint a few strokes of "
                "colour on the grey photo, or on a transparent layer of its size, and save that as a PNG."
            )
        rgba[..., 3] = np.where(marked, 255, 0)
        rgba[~marked] = 0
        made = Image.fromarray(rgba)
        if max_side is not None and max(made.size) > max_side:
            scale = max_side / max(made.size)
            made = shrunk(made, (max(1, round(made.width * scale)), max(1, round(made.height * scale))))
        return made

    return images.decoded(photo, converted)


def _marked(rgba: np.ndarray) -> np.ndarray:
    """(H, W), True under a stroke."""
    if rgba[..., 3].min() < PAINTED:
        return rgba[..., 3] >= PAINTED
    colours = rgba[..., :3].astype(int)
    return colours.max(-1) - colours.min(-1) >= COLOURED


def fitted(picture: Image.Image, size: tuple[int, int]) -> Tensor:
    """As `at`, (4, H, W) on [0, 1]: red, green, blue, and 1 under a stroke."""
    return torch.from_numpy(np.array(at(picture, size))).permute(2, 0, 1).float() / 255


def at(picture: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Strokes from `load` at an image's size, (H, W), as a picture of the same kind.

    Raises:
        ProblemError: the picture is of another shape than the image, by more than rounding.
    """
    height, width = size
    if not images.alike(picture.size, (width, height)):
        raise ProblemError(
            f"The strokes' picture is {picture.width}x{picture.height} and the image {width}x{height}, which is "
            "another shape. Paint on a picture of the photo's own size."
        )
    rgba = picture.convert("RGBA")
    return rgba if rgba.size == (width, height) else shrunk(rgba, (width, height))


def shrunk(rgba: Image.Image, size: tuple[int, int]) -> Image.Image:
    """At another size, by areas, where what a stroke touches is one; colours weigh by opacity, as in Pillow."""
    found = np.array(rgba.resize(size, Image.Resampling.BOX))
    found[..., 3] = np.where(found[..., 3] >= TOUCHED, 255, 0)
    found[found[..., 3] == 0] = 0
    return Image.fromarray(found)
