"""Mask pictures of any kind as one kind: mode L, 255 where the photo is missing and 0 where it is known.

- Without transparency, dark is known and all else is missing, in whatever colour, what is painted in part too, as the
  edges of lines and masks that a program shrank are; of two dark values, as 0 and 1, the brighter is missing.
- With transparency, what is painted in one colour is missing, be it black, white or red. In a photo of which parts are
  erased, those are missing.
- What could be meant in two ways, or is a photo without holes, is refused.
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
    "White is missing, black is known; on a transparent ground what is painted is missing, in a photo what is erased."
)
REMEDY = "Save it without transparency, white where the photo is missing and black where it is known."
_DARK, _MIDDLE, _BRIGHT = 48, 128, 208
_SAMPLE = 1 << 18
"""Pixels that suffice to tell a drawing from a photo."""


def load(photo: images.Photo, max_side: int | None = None) -> Image.Image:
    """A mask of any kind as a picture of mode L, 255 where the photo is missing and 0 where it is known.

    What this function returned stays as it is. Shrunk to a longer side, every pixel that a missing one touches is
    missing.

    Raises:
        ImageError: it cannot be read, marks nothing, or could be meant in two ways.
    """

    def converted(image: Image.Image, profile: Profile) -> Image.Image:  # white stays white in any profile
        missing = _missing(image)
        if max_side is not None and max(image.size) > max_side:
            size = [max(1, round(side * max_side / max(image.size))) for side in missing.shape]
            missing = cover(missing, (size[0], size[1]))
        return Image.fromarray(missing.astype(np.uint8) * 255)

    return images.decoded(photo, converted)


def _missing(image: Image.Image) -> np.ndarray:
    """(H, W), True where the photo is missing."""
    if image.mode in pixels.WIDE:
        values = np.asarray(image)
        low, high = values.min(), values.max()
        if low < high and ((values == low) | (values == high)).all():
            return values == high
    rgba = np.asarray(pixels.to_srgb(image, Profile(None), background=None).convert("RGBA"))
    brightness, alpha = rgba[..., :3].max(-1), rgba[..., 3]
    if not alpha.any():
        raise ImageError(f"This mask is transparent everywhere, so it marks nothing as missing. {REMEDY}")
    if alpha.min() > alpha.max() // 2:
        return _by_brightness(brightness)
    return _by_transparency(rgba, brightness)


def _by_brightness(brightness: np.ndarray) -> np.ndarray:
    low, high = int(brightness.min()), int(brightness.max())
    if low < min(high, _MIDDLE) and ((brightness == low) | (brightness == high)).all():
        return brightness == high
    if high <= _DARK:
        raise ImageError(
            f"This mask marks nothing as missing: its brightest pixel is {high} of 255. Paint white what is missing."
        )
    sample = _sampled(brightness.reshape(-1))
    between = float(((sample > _DARK) & (sample < _BRIGHT)).mean())
    if between > 0.5:
        raise ImageError(
            f"This looks like a photo and not like a mask: {between:.0%} of it are neither dark nor bright. {REMEDY}"
        )
    return brightness > _DARK


def _by_transparency(rgba: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    """What counts is where most of the paint is; then every pixel that it touches, or that the eraser did."""
    alpha = rgba[..., 3].astype(int) * 255 // int(rgba[..., 3].max())
    shown = alpha >= _MIDDLE
    colours = _sampled(rgba[shown][:, :3]).astype(int)
    flat = float((np.abs(colours - np.median(colours, axis=0)).max(1) <= 32).mean())
    bright = _sampled(brightness[shown])
    extreme = float(((bright <= _DARK) | (bright >= _BRIGHT)).mean())
    share = float(shown.mean())
    if flat >= 0.95 and share <= 0.5:  # a drawing on a transparent ground
        return alpha > _DARK
    if flat >= 0.95 or extreme >= 0.95:
        raise ImageError(
            f"This mask can be read in two ways: missing is what is painted, {share:.0%} of it, or what is "
            f"transparent. {REMEDY}"
        )
    return alpha < 255 - _DARK


def _sampled(values: np.ndarray) -> np.ndarray:
    return values[:: max(1, len(values) // _SAMPLE)]


def cover(missing: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A mask at another size (H, W): missing is what a missing pixel touches, so that nothing thin is lost."""
    for axis, count in enumerate(size):
        length = missing.shape[axis]
        if length == count:
            continue
        sums = np.insert(np.cumsum(missing, axis=axis, dtype=np.int32), 0, 0, axis=axis)
        places = np.arange(count)
        ends = -(-(places + 1) * length // count)
        missing = np.take(sums, ends, axis=axis) > np.take(sums, places * length // count, axis=axis)
    return missing


def fitted(mask: Image.Image, size: tuple[int, int]) -> Tensor:
    """A mask from `load` at an image's size, (H, W) on [0, 1], 1 where it is missing; ProblemError as in `at`."""
    return torch.from_numpy(at(mask, size)).float()


def at(mask: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """The same, True where it is missing.

    Raises:
        ProblemError: the mask is of another shape, by more than rounding.
    """
    height, width = size
    if not images.alike(mask.size, (width, height)):
        raise ProblemError(
            f"The mask is {mask.width}x{mask.height} and the image {width}x{height}, which is another shape. "
            "Use a mask of the photo's own size."
        )
    return cover(np.asarray(mask.convert("L")) >= _MIDDLE, size)


def filled(photo: Image.Image, mask: Image.Image) -> Image.Image:
    """The photo with what is missing by a mask filled in roughly from around it, so that a resized one has no trace.

    What is filled in is a mean of known pixels, the nearer the finer, by pull and push over halved sizes (Gortler et
    al., The Lumigraph, 1996, section 3.4).

    Raises:
        ProblemError: as in `fitted`.
    """
    missing = at(mask, (photo.height, photo.width))
    layer = photo.copy()
    layer.putalpha(Image.fromarray(np.where(missing, 0, 255).astype(np.uint8)))
    layers = [layer]
    while max(layer.size) > 1:  # Pillow weighs the colours by their opacity
        layer = layer.resize(((layer.width + 1) // 2, (layer.height + 1) // 2), Image.Resampling.BOX)
        layers.append(layer)
    under = Image.new("RGBA", (1, 1), "grey")
    for layer in reversed(layers):
        under = Image.alpha_composite(under.resize(layer.size, Image.Resampling.BILINEAR), layer)
    return under.convert("RGB")
