"""Damaged photos of millions of pixels, and the truth: mosaics of small photographs that the prior was not trained on.

A mosaic enlarged twice and given grain is as soft as a scan of film; one that is not has details of single pixels.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from inverse.blind import TASK
from inverse.errors import ImageError
from inverse.evaluation import blind
from inverse.fullsize.pixels import tensor_of
from inverse.imaging import images
from inverse.training.photos import rank

HELD_OUT = 0.05
"""Share of the photographs that training kept out, by their names (`training.photos.rank`)."""
GRAIN = 3.0
"""Of a scan, in levels of 255: standard deviation."""
SCRATCHES, SPECKS, PATCHES = 8, 30, 1.5
"""Times the square root of a scan's megapixels: a larger scan of the same print has longer scratches, not as many more.
"""

Pixels = np.ndarray
"""(H, W, 3) of uint8."""


@dataclass(frozen=True)
class Scene:
    """A damaged photo and what it should be.

    Attributes:
        name, title: in files, and in words.
        truth: as large as what is restored.
        photo: damaged.
        task: its name, for the command line.
        parameters: of the task.
        mask: (H, W), True where the photo is missing; None where all of it is damaged.
        kind: ending of the photo's file.
        options: of `Image.save` for it.
        unknown: the task needs a kernel, and only the photo tells it, up to a shift.
    """

    name: str
    title: str
    truth: Pixels
    photo: Pixels
    task: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    mask: np.ndarray | None = None
    kind: str = "png"
    options: Mapping[str, Any] = field(default_factory=dict)
    unknown: bool = False


def mosaic(folder: Path, size: tuple[int, int], scale: float, seed: int = 0) -> Pixels:
    """(H, W) of photographs side by side, row above row.

    Raises:
        ImageError: the folder has none that training kept out.
    """
    names = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in images.ENDINGS)
    names = [name for name in names if rank(name) < HELD_OUT]
    if not names:
        raise ImageError("This folder has none of the photographs that training kept out. Name that of the prior's.")
    order = iter(np.random.default_rng(seed).permutation(names).tolist() * 40)
    height, width = size
    canvas, top = np.zeros((height, width, 3), np.uint8), 0
    while top < height:
        left, row = 0, height
        while left < width:
            photo = images.load(folder / next(order))
            photo = photo.resize((round(scale * photo.width), round(scale * photo.height)), Image.Resampling.BICUBIC)
            part = np.asarray(photo)[: height - top, : width - left]
            canvas[top : top + part.shape[0], left : left + part.shape[1]] = part
            left, row = left + part.shape[1], min(row, part.shape[0])
        top += row
    return canvas


def scratched(folder: Path, megapixels: float) -> Scene:
    """A scan with scratches of 2 to 8 pixels, dust, and some patches of up to 180 pixels."""
    size = _size(megapixels, 1.5)
    random = np.random.default_rng(round(megapixels))
    truth = mosaic(folder, size, 2.0).astype(np.float32)
    for start in range(0, size[0], 512):  # the noise of 40 megapixels at once would take gigabytes
        rows = truth[start : start + 512]
        rows += GRAIN * random.standard_normal(rows.shape, dtype=np.float32)
    truth = truth.round().clip(0, 255).astype(np.uint8)
    mask = np.zeros(size, np.uint8)
    length = min(size)
    for _ in range(round(SCRATCHES * megapixels**0.5)):
        begin = random.uniform(0, 1, 2) * size[::-1]
        along = np.linspace(0, 1, 12)[:, None] * random.uniform(-0.3, 0.3, 2) * length
        points = begin + along + random.normal(0, 2, along.shape).cumsum(0)
        cv2.polylines(mask, [points.round().astype(np.int32)], False, 1, int(random.integers(2, 9)), cv2.LINE_8)
    for _ in range(round(SPECKS * megapixels**0.5)):
        place = [int(each) for each in random.uniform(0, 1, 2) * size[::-1]]
        cv2.circle(mask, place, int(random.integers(1, 7)), 1, -1)
    for _ in range(round(PATCHES * megapixels**0.5)):
        place = [int(each) for each in random.uniform(0, 1, 2) * size[::-1]]
        axes = [int(each) for each in random.uniform(20, 90, 2)]
        cv2.ellipse(mask, place, axes, float(random.uniform(0, 180)), 0, 360, 1, -1)
    photo = truth.copy()
    photo[mask > 0] = 246
    words = f"{megapixels:g} MP scan with scratches, dust and patches"
    return Scene(f"scratched-{megapixels:g}", words, truth, photo, "inpaint-mask", mask=mask > 0)


def blocky(folder: Path, megapixels: float = 6) -> Scene:
    """Saved as a JPEG of quality 20."""
    truth = mosaic(folder, _size(megapixels, 1.5), 1.0)
    options, buffer = {"quality": 20, "subsampling": "4:2:0"}, io.BytesIO()
    Image.fromarray(truth).save(buffer, "JPEG", **options)
    photo = np.asarray(Image.open(buffer))
    words = f"{megapixels:g} MP JPEG of quality 20"
    return Scene("blocky", words, truth, photo, "jpeg", {"quality": 20}, kind="jpg", options=options)


def blurry(folder: Path, megapixels: float = 1) -> Scene:
    """Out of focus, as a Gaussian of std 2, with noise of 2.5 levels."""
    truth = mosaic(folder, _size(megapixels, 1.5), 1.0, seed=1)
    blurred = cv2.GaussianBlur(truth.astype(np.float32), (0, 0), 2.0, borderType=cv2.BORDER_REFLECT_101)
    noise = np.random.default_rng(0).normal(0, 2.5, truth.shape)
    photo = (blurred + noise).round().clip(0, 255).astype(np.uint8)
    return Scene("blurry", f"{megapixels:g} MP photo, blurred by 2 pixels", truth, photo, "deblur-gaussian", {"std": 2})


def shaken(folder: Path, megapixels: float = 1) -> Scene:
    """Blurred by a camera that shook by 25 pixels, with noise of 1.3 levels; the frame hides what was beyond it."""
    sharp = tensor_of(mosaic(folder, _size(megapixels, 1.5), 1.0, seed=3))[0]
    y, truth = blind.blurred(sharp, blind.kernels()["shake, 25 pixels"])
    photo, truth = (np.asarray(images.to_image(each)) for each in (y, truth))
    title = f"{megapixels:g} MP photo, blurred by a shaken camera"
    return Scene("shaken", title, truth, photo, TASK, unknown=True)


def small(folder: Path, factor: int = 4) -> Scene:
    """200 x 300 pixels of 800 x 1200."""
    truth = mosaic(folder, (800, 1200), 1.0, seed=2)
    photo = cv2.resize(truth, (300, 200), interpolation=cv2.INTER_AREA)
    title = f"300 × 200 photo, enlarged {factor} times"
    return Scene("small", title, truth, photo, "super-resolution", {"factor": factor})


SCENES: dict[str, Callable[[Path], Scene]] = {
    **{f"scratched-{size}": lambda folder, size=size: scratched(folder, size) for size in (1, 4, 12, 40)},
    "blocky": blocky,
    "blurry": blurry,
    "shaken": shaken,
    "small": small,
}


def _size(megapixels: float, ratio: float) -> tuple[int, int]:
    height = int((1e6 * megapixels / ratio) ** 0.5)
    return height, int(ratio * height)
