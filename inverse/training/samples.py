"""What a prior imagines by itself: pictures drawn from noise, without a measurement, on one sheet.

    python -m inverse.training.samples PRIOR docs/prior-samples.jpg

PRIOR is a name or a file, as `load_prior` takes it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import click
import torch
from PIL import Image
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.imaging import images
from inverse.imaging.files import replace_atomically
from inverse.randomness import SOLVER, generator, normal
from inverse.solvers.schedule import noise_levels

STEPS = 50
ROWS = ((64, 16), (128, 8))
"""Sides in pixels, and how many pictures of each are drawn: rows of one width."""


@torch.inference_mode()
def unconditional(denoiser: Denoiser, count: int, size: int, steps: int = STEPS, seed: int = 0) -> Tensor:
    """Samples of the prior, (count, C, size, size): Karras et al. 2022 (arXiv 2206.00364), algorithm 1 (Heun).

    Args:
        denoiser: the prior.
        count: how many; each depends on the seed and its own number only, to rounding.
        size: side in pixels.
        steps: noise levels, from the largest that the prior knows.
        seed: of all of this.
    """
    generators = [generator(seed, SOLVER, index) for index in range(count)]
    shape = (denoiser.channels, size, size)
    like = torch.empty(0, device=denoiser.device, dtype=denoiser.dtype)
    levels = noise_levels("karras", steps, denoiser.sigma_max, denoiser.sigma_min)
    x = levels[0] * normal(generators, shape, like)
    for sigma, sigma_next in pairwise([*levels, 0.0]):
        slope = (x - denoiser(x, sigma)) / sigma
        euler = x + (sigma_next - sigma) * slope
        if sigma_next:
            slope = (slope + (euler - denoiser(euler, sigma_next)) / sigma_next) / 2
        x = x + (sigma_next - sigma) * slope
    return x


def sheet(denoiser: Denoiser) -> Image.Image:
    """Pictures of every size of `ROWS`, one below the other, unscaled."""
    width = max(size * count for size, count in ROWS)
    paper = Image.new("RGB", (width, sum(size for size, _ in ROWS)), "white")
    top = 0
    for size, count in ROWS:
        for column, sample in enumerate(unconditional(denoiser, count, size)):
            paper.paste(images.to_image(sample[None]), (column * size, top))
        top += size
    return paper


@click.command()
@click.argument("prior")
@click.argument("output", type=click.Path(path_type=Path))
def main(prior: str, output: Path) -> None:
    """Draws samples of PRIOR into the picture OUTPUT."""
    picture = sheet(load_prior(prior))
    replace_atomically(output, lambda path: picture.save(path, quality=90))


if __name__ == "__main__":
    main()
