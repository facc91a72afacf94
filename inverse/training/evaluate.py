"""The table of a prior's quality: PSNR of denoised photographs that no training here ever saw, beside BM3D's."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.denoisers.embedded import EDMDenoiser, load_network
from inverse.errors import ProblemError
from inverse.imaging import images, metrics
from inverse.training.validation import noisy_versions

LEVELS = (15, 25, 50)
"""Standard deviations of the noise, for pixels from 0 to 255."""

BM3D = "BM3D"
_SEED = 0


@dataclass(frozen=True)
class Score:
    """One cell of the table.

    Attributes:
        photo, method: which photograph; a prior's file name without its suffix, or "BM3D".
        level: standard deviation of the noise, for pixels from 0 to 255.
        psnr: of the denoised photograph, in dB.
        seconds: that it took.
    """

    photo: str
    method: str
    level: int
    psnr: float
    seconds: float


def held_out_photos() -> dict[str, Image.Image]:
    """Photographs that come with scikit-image, and with scikit-learn where it is installed."""
    import skimage.data

    photos = {name: getattr(skimage.data, name)() for name in ("astronaut", "chelsea", "coffee", "rocket")}
    if importlib.util.find_spec("sklearn") is not None:
        from sklearn.datasets import load_sample_image

        photos |= {name: load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    return {name: Image.fromarray(np.ascontiguousarray(pixels)) for name, pixels in photos.items()}


def evaluate(
    priors: Sequence[Path], *, size: int = 256, precision: str = "float32", bm3d: bool = True
) -> Iterator[Score]:
    """Denoises the center square of each photograph, shrunk to `size` with Lanczos; all methods see the same noise.

    Args:
        priors: files that `train prior` wrote.
        size: side of the squares in pixels.
        precision: "float32", "bfloat16" or "auto".
        bm3d: compare with BM3D (Dabov et al. 2007), for which the package `bm3d` must be installed.

    Raises:
        PriorError: a prior cannot be read.
        ProblemError: bm3d is asked for and missing.
    """
    if bm3d and importlib.util.find_spec("bm3d") is None:
        raise ProblemError("BM3D needs the package bm3d, which is not installed. Install it, or leave BM3D out.")
    denoisers = {path.stem: EDMDenoiser(load_network(path), "cpu", precision) for path in priors}
    for index, (name, photo) in enumerate(held_out_photos().items()):
        truth = images.to_tensor(images.fit(photo, size, square=True))[0]
        noisy = noisy_versions(truth, LEVELS, _SEED, index)
        for level, y in zip(LEVELS, noisy, strict=True):
            for method, denoiser in denoisers.items():
                started = time.perf_counter()
                with torch.inference_mode():
                    estimate = denoiser(y[None], level / 127.5)[0]
                yield Score(name, method, level, metrics.psnr(estimate, truth), time.perf_counter() - started)
            if bm3d:
                started = time.perf_counter()
                estimate = _bm3d(y, level / 127.5)
                yield Score(name, BM3D, level, metrics.psnr(estimate, truth), time.perf_counter() - started)


def table(scores: Sequence[Score]) -> str:
    """PSNR in Markdown: a row a photograph and noise level, a column a method, and the means at the end."""
    methods = list(dict.fromkeys(score.method for score in scores))
    psnr = {(s.photo, s.level, s.method): s.psnr for s in scores}
    rows = [["photo", "noise", *methods], ["---"] * (2 + len(methods))]
    for photo, level in dict.fromkeys((s.photo, s.level) for s in scores):
        rows.append([photo, str(level), *(f"{psnr[photo, level, method]:.2f}" for method in methods)])
    for level in dict.fromkeys(s.level for s in scores):
        means = [np.mean([s.psnr for s in scores if (s.level, s.method) == (level, method)]) for method in methods]
        rows.append(["mean", str(level), *(f"{mean:.2f}" for mean in means)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _bm3d(noisy: Tensor, sigma: float) -> Tensor:
    """BM3D of an RGB image (3, H, W) on [-1, 1] whose noise has standard deviation sigma."""
    from bm3d import bm3d_rgb

    pixels = (noisy.permute(1, 2, 0).double().numpy() + 1) / 2
    return torch.from_numpy(bm3d_rgb(pixels, sigma / 2)).permute(2, 0, 1).float() * 2 - 1


def main(arguments: Sequence[str]) -> None:
    """`python -m inverse.training.evaluate PRIOR...`; BM3D joins where it is installed."""
    scores = list(evaluate([Path(a) for a in arguments], bm3d=importlib.util.find_spec("bm3d") is not None))
    print(table(scores))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
