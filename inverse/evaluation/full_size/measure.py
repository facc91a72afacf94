"""What `inverse restore --full-size` makes of a scene, what it takes, and what classical methods make of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.blind import estimate_kernel
from inverse.evaluation import baselines, blind
from inverse.evaluation.full_size.scenes import Pixels, Scene
from inverse.fullsize.damage import grown
from inverse.fullsize.pixels import levels_of, tensor_of
from inverse.imaging import originals
from inverse.operators import make_task, noise

LARGEST = 400_000
"""Pixels of the middle of a photo on which methods are compared that take minutes for a megapixel."""
LEFT_OUT = ("the picture as it is", "total variation")
"""Classical methods that are none, or take too long for photos."""
RADIUS = 3
"""Of cv2.inpaint, in pixels."""
BETWEEN = """
import json, os, subprocess, sys
process = subprocess.Popen(sys.argv[1:])
_, status, used = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.exit(process.returncode)
"""
"""A small process between this one and the command: Linux counts what a process had when it began another one."""


@dataclass(frozen=True)
class Usage:
    """Of a process.

    Attributes:
        seconds: of the processor, in all threads.
        bytes: the most memory that it had.
    """

    seconds: float
    bytes: int


@dataclass(frozen=True)
class Measured:
    """Of a scene.

    Attributes:
        scene: it.
        usage: what the command took, less what it takes for a photo of 64 x 64 pixels.
        psnr: in dB by method, where the photo is damaged; the photo itself comes first, ours second.
        seconds: of the processor, of the others.
        untouched: pixels outside the damage, and how many of them are the same; None where all is damaged.
        compared: the part on which methods are compared, rows and columns.
        pictures: that part, by method.
    """

    scene: Scene
    usage: Usage
    psnr: dict[str, float]
    seconds: dict[str, float]
    untouched: tuple[int, int] | None
    compared: tuple[slice, slice]
    pictures: dict[str, Pixels] = field(repr=False)


def measured(scene: Scene, folder: Path) -> Measured:
    """Restores a scene with every method; its files go into the folder."""
    photo, output, mask = folder / f"{scene.name}.{scene.kind}", folder / "restored.png", folder / "mask.png"
    flags = ["--task", scene.task, "--full-size", "-q"]
    for name, value in scene.parameters.items():
        flags += [f"--{name}", str(value)]
    if scene.unknown:
        flags += ["--degraded", "--estimate-kernel"]
    if scene.mask is not None:
        Image.fromarray(scene.mask).save(mask)
        flags += ["--mask", str(mask)]
    Image.fromarray(scene.photo).save(photo, **scene.options)
    usage = _less(command(photo, output, flags), _start(folder))
    ours, photo_pixels = (originals.load(path).pixels for path in (output, photo))
    height, width, untouched = *ours.shape[:2], None
    compared = (slice(0, height), slice(0, width)) if scene.mask is not None else _middle((height, width))
    if scene.mask is not None:
        outside = ~grown(scene.mask)
        untouched = int(outside.sum()), int((ours == photo_pixels).all(-1)[outside].sum())
    found, seconds = {"here": ours[compared]}, {}
    for title, restore in classical(scene, compared):
        start = time.process_time()
        found[title] = restore()
        seconds[title] = time.process_time() - start
    truth = scene.truth[compared]
    inside = np.ones(truth.shape[:2], bool) if scene.mask is None else scene.mask[compared]
    same = photo_pixels.shape == ours.shape
    before = photo_pixels[compared] if same else _enlarged(photo_pixels, ours.shape)[compared]
    pictures = {"as it is" if same else "bicubic": before, **found}
    near = _aligned if scene.unknown else partial(_psnr, inside=inside)
    psnr = {title: near(picture, truth) for title, picture in pictures.items()}
    return Measured(scene, usage, psnr, seconds, untouched, compared, pictures)


def command(photo: Path, output: Path, flags: list[str]) -> Usage:
    """Runs `inverse restore` on one thread, in a process of its own.

    Raises:
        CalledProcessError: it failed; its words are on the standard error.
    """
    words = [sys.executable, "-m", "inverse", "restore", str(photo), "-o", str(output), *flags]
    said = subprocess.run(
        [sys.executable, "-c", BETWEEN, *words], env={**os.environ, "OMP_NUM_THREADS": "1"}, check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    seconds, most = json.loads(said.stdout)
    return Usage(seconds, most * (1 if sys.platform == "darwin" else 1024))


def classical(scene: Scene, part: tuple[slice, slice]) -> Iterator[tuple[str, Callable[[], Pixels]]]:
    """Every classical method for a scene, by its title: of holes OpenCV's, as millions of pixels want it."""
    if scene.mask is not None:
        holes = scene.mask.astype(np.uint8)
        for title, method in (("Telea", cv2.INPAINT_TELEA), ("Navier-Stokes", cv2.INPAINT_NS)):
            yield title, lambda method=method: cv2.inpaint(scene.photo, holes, RADIUS, method)
        return
    factor = scene.truth.shape[0] // scene.photo.shape[0]
    rows, columns = (slice(each.start // factor, each.stop // factor) for each in part)
    y = tensor_of(scene.photo[rows, columns])
    task = make_task(scene.task, scene.parameters)
    size = task.image_shape((y.shape[-2], y.shape[-1]))
    kernel = estimate_kernel(Image.fromarray(scene.photo)).image if scene.unknown else None
    operator = task.operator((3, *size), torch.Generator(), kernel and task.prepare(task.load(kernel), size))
    sigma_y = noise.estimate(operator.measurement_of(y), operator)
    for method in baselines.baselines(operator, sigma_y):
        if not any(words in method.title for words in LEFT_OUT):
            yield method.title, lambda m=method: _levels(m.restore(y))


def _start(folder: Path) -> Usage:
    """What the command takes for hardly any photo: the program itself."""
    tiny = folder / "tiny.png"
    Image.new("RGB", (64, 64), "grey").save(tiny)
    return command(tiny, folder / "tiny-restored.png", ["--task", "denoise", "--full-size", "-q"])


def _less(used: Usage, start: Usage) -> Usage:
    return Usage(used.seconds - start.seconds, used.bytes - start.bytes)


def _middle(size: tuple[int, int]) -> tuple[slice, slice]:
    """The middle of a photo, or all of it where that is small; its edges on the blocks of a JPEG."""
    share = min(1.0, (LARGEST / (size[0] * size[1])) ** 0.5)
    lengths = [length if share == 1 else round(length * share) // 16 * 16 for length in size]
    starts = [(length - kept) // 2 // 16 * 16 for length, kept in zip(size, lengths, strict=True)]
    rows, columns = (slice(start, start + length) for start, length in zip(starts, lengths, strict=True))
    return rows, columns


def _levels(x: Tensor) -> Pixels:
    return levels_of(x[0], np.dtype(np.uint8)).round().astype(np.uint8)


def _enlarged(photo: Pixels, shape: tuple[int, ...]) -> Pixels:
    return cv2.resize(photo, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _aligned(picture: Pixels, truth: Pixels) -> float:
    """Where the kernel is known up to a shift, the result is too."""
    return blind.aligned(tensor_of(picture)[0], tensor_of(truth)[0])


def _psnr(picture: Pixels, truth: Pixels, inside: np.ndarray) -> float:
    error = (picture[inside].astype(np.float32) - truth[inside]) ** 2
    return float(10 * np.log10(255**2 / error.mean()))
