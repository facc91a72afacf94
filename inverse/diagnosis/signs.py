"""The signs by which it is told what is wrong with a photo, and from where on they count."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from inverse.diagnosis.findings import Diagnosis, Finding
from inverse.diagnosis.holes import find_holes, opacity
from inverse.diagnosis.jpeg_file import JpegFile, jpeg_file
from inverse.diagnosis.scratches import find_scratches
from inverse.diagnosis.sharpness import blur_std
from inverse.imaging import images
from inverse.operators import make_task, noise

SMALL = 320
"""Shorter side in pixels below which a photo is small."""
GRAINY = 0.035
"""sigma_y from which grain is seen, 4.5 of 255 levels."""
BLURRY = 1.2
"""Std in pixels from which a photo is blurry; the sharpest have 0.5 to 0.9."""
BLOCKY = 60
"""JPEG quality up to which blocks are seen."""
PART = 512
"""Side in pixels of the parts of a large photo by which its noise is told."""
FLAT = 128
"""Levels between the darkest and the brightest hundredth, below which a photo is faded."""
SCRATCHES = (0.0005, 0.12)
"""Shares of the photo between which what was found may be scratches."""


def diagnose(photo: images.Photo, max_side: int | None = None) -> Diagnosis:
    """What is wrong with a photo, as its file and its pixels tell: a suggestion, and nothing is changed.

    Args:
        photo: as `images.load` takes it. Of a file more is known than of a decoded picture.
        max_side: look at it shrunk to this longer side, as whoever restores it at that size.

    Raises:
        ImageError: it cannot be read.
    """
    if hasattr(photo, "read"):
        photo = photo.read()  # pyright: ignore[reportAttributeAccessIssue]
    picture, file = images.load(photo, max_side), jpeg_file(photo)
    whole = max_side is None or max(picture.size) < max_side
    alpha = opacity(photo) if file is None else None
    holes = find_holes(picture, None if alpha is None else alpha.resize(picture.size))
    sigma_y = _noise(picture, holes)
    luma = np.asarray(picture.convert("L"))
    blur = blur_std(luma, 127.5 * sigma_y if sigma_y > noise.LEAST else 0.0)
    scratches = np.asarray(find_scratches(picture, clear=True)) > 0
    scratched = SCRATCHES[0] < float(scratches.mean()) < SCRATCHES[1]
    findings = [
        _missing(holes),
        Finding("scratched", "There are thin lines across it, as scratches are.", make_task("inpaint-mask"))
        if scratched else None,
        _blurry(blur),
        _small(picture.size),
        _grainy(sigma_y),
        _blocky(file) if whole else None,
        _grey(np.asarray(picture)),
        _faded(luma[~holes]),
    ]  # fmt: skip
    found = {"missing": holes, "scratched": scratches if scratched else np.zeros_like(scratches)}
    masks = {kind: Image.fromarray(each.astype(np.uint8) * 255) for kind, each in found.items() if each.any()}
    return Diagnosis(picture.size, sigma_y, blur, file, tuple(filter(None, findings)), masks)


def _noise(picture: Image.Image, holes: np.ndarray) -> float:
    """sigma_y, of a large photo that of four parts."""
    width, height = picture.size
    if width * height <= 4 * PART**2:
        corners = [(0, 0, width, height)]
    else:
        side = min(PART, width // 2, height // 2) // 8 * 8
        corners = [
            (x, y, x + side, y + side)
            for x in (width // 4 - side // 2, 3 * width // 4 - side // 2)
            for y in (height // 4 - side // 2, 3 * height // 4 - side // 2)
        ]
    parts = [
        images.to_tensor(picture.crop(box)).masked_fill(
            torch.from_numpy(holes[box[1] : box[3], box[0] : box[2]]), float("nan")
        )
        for box in corners
    ]
    return noise.estimate(torch.cat(parts, dim=-1))


def _missing(holes: np.ndarray) -> Finding | None:
    share = float(holes.mean())
    if not 0 < share < 0.95:
        return None
    return Finding("missing", f"{share:.1%} of it is erased, or cut out.", make_task("inpaint-mask"))


def _blurry(std: float | None) -> Finding | None:
    if std is None or std < BLURRY:
        return None
    task = make_task("deblur-gaussian", {"std": round(min(std, 20.0), 1)})
    return Finding("blurry", f"Its sharpest edges are soft, as after a blur of about {std:.1f} pixels.", task)


def _small(size: tuple[int, int]) -> Finding | None:
    if min(size) >= SMALL:
        return None
    task = make_task("super-resolution", {"factor": 4 if min(size) <= SMALL / 2 else 2})
    return Finding("small", f"It has {size[0]} × {size[1]} pixels.", task)


def _grainy(sigma_y: float) -> Finding | None:
    if sigma_y < GRAINY:
        return None
    return Finding("grainy", f"Its pixels vary at random by about {127.5 * sigma_y:.0f} of 255 levels.")


def _blocky(file: JpegFile | None) -> Finding | None:
    if file is None or file.quality > BLOCKY:
        return None
    halved = "4:4:4" if file.subsampling == "4:4:4" else "4:2:0"
    task = make_task("jpeg", {"quality": max(file.quality, 2), "subsampling": halved})
    about = "" if file.exact else "about "
    return Finding("blocky", f"It was saved as a JPEG of quality {about}{file.quality} of 100, as its file says.", task)


def _grey(pixels: np.ndarray) -> Finding | None:
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / 250_000) ** 0.5))
    sample = pixels[::step, ::step]
    spread = sample.max(-1).astype(int) - sample.min(-1)
    if np.percentile(spread, 99) > 6:
        return None
    return Finding("grey", "It has no colours.", make_task("colorize", {"weights": "luma"}))


def _faded(luma: np.ndarray) -> Finding | None:
    if not luma.size:
        return None
    low, high = np.percentile(luma, (1, 99))
    if high - low >= FLAT or high - low < 8:
        return None
    return Finding("faded", f"Its brightness goes from {low:.0f} to {high:.0f} only, of 0 to 255.")
