"""docs/blur.md: how near the kernels come that photos tell, and what a restoration by them reaches.

python -m inverse.evaluation.blind docs/blur.md
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import torch
from PIL import Image
from torch import Tensor

from inverse import randomness
from inverse.blind import KernelEstimate, estimate_kernel, similarity
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import ProblemError
from inverse.fullsize.method import QUICK
from inverse.imaging import images, metrics
from inverse.imaging.files import write_text
from inverse.operators.blur import gaussian_kernel
from inverse.operators.kernels import disk_kernel, line_kernel, trajectory_kernel
from inverse.resources import EXAMPLES
from inverse.restoration import restore

SIGMA_Y = 0.01
PHOTOS = tuple(EXAMPLES / f"{name}.jpg" for name in ("astronaut", "chelsea", "coffee"))
SHIFT, FRAME = 4, 24
"""Pixels by which a restoration may be shifted, as its kernel may; and of the frame that is not compared."""


def kernels() -> dict[str, Tensor]:
    """The true ones, by what they are called."""
    return {
        "15 pixels, horizontal": line_kernel(15, 0),
        "21 pixels, at 60 degrees": line_kernel(21, 60),
        "shake, 19 pixels": trajectory_kernel(19, 0.8, torch.Generator().manual_seed(3)),
        "shake, 25 pixels": trajectory_kernel(25, 0.5, torch.Generator().manual_seed(1)),
        "Gaussian, std 2": gaussian_kernel(2),
        "out of focus, radius 4": disk_kernel(4),
    }


@dataclass(frozen=True)
class Row:
    """A photo that was blurred by a kernel.

    Attributes:
        similarity: of the estimate to the true kernel.
        confidence: of the estimate.
        refused: `estimate_kernel` would have refused it.
        blurred, estimated, known: PSNR in dB of the blurred photo and of what is restored by either kernel.
    """

    photo: str
    kernel: str
    similarity: float
    confidence: float
    refused: bool
    blurred: float
    estimated: float
    known: float

    @property
    def ratio(self) -> float:
        """Squared error of the restoration by the estimate over that by the true kernel (Levin et al. 2009)."""
        return 10 ** ((self.known - self.estimated) / 10)


def blurred(photo: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor]:
    """What a camera saw of (3, H, W) on [-1, 1], with noise and 8 bits, and the truth there; no edge is assumed."""
    reach = len(kernel) // 2
    seen = torch.nn.functional.conv2d(photo[:, None], kernel.flip(0, 1).float()[None, None])[:, 0]
    noise = torch.randn(seen.shape, generator=randomness.generator(0, randomness.MEASUREMENT))
    return seen + SIGMA_Y * noise, photo[:, reach : photo.shape[1] - reach, reach : photo.shape[2] - reach]


def row(path: Path, name: str, denoiser: Denoiser) -> Row:
    """One photo and one kernel."""
    kernel = kernels()[name]
    y, truth = blurred(images.to_tensor(images.load(path))[0], kernel)
    photo = images.to_image(y)
    try:
        found, refused = estimate_kernel(photo), False
    except ProblemError:
        found, refused = estimate_kernel(photo, confidence=0), True
    true = KernelEstimate(kernel, 1.0, SIGMA_Y)

    def reached(picture: Image.Image, sigma_y: float) -> float:
        result = restore(
            photo, "deblur-kernel", auxiliary=picture, degraded=True, sigma_y=sigma_y, denoiser=denoiser, **QUICK
        )
        return aligned(images.to_tensor(result.image)[0], truth)

    return Row(
        path.stem, name, similarity(found.kernel, kernel), found.confidence, refused, aligned(y, truth),
        reached(found.image, found.sigma_y), max(reached(true.image, told) for told in (SIGMA_Y, found.sigma_y)),
    )  # fmt: skip


def aligned(x: Tensor, truth: Tensor) -> float:
    """The best PSNR in dB of (C, H, W) over small shifts, without the frame."""
    inner = (slice(None), slice(FRAME, -FRAME), slice(FRAME, -FRAME))
    shifts = [(down, right) for down in range(-SHIFT, SHIFT + 1) for right in range(-SHIFT, SHIFT + 1)]
    return max(metrics.psnr(x.roll(shift, (1, 2))[inner], truth[inner]) for shift in shifts)


HEAD = """# Unknown blur

`inverse estimate-kernel photo.jpg -o kernel.png` tells from a blurred photo alone what blurred it, and `inverse
restore photo.jpg -o sharp.png --task deblur-kernel --estimate-kernel --degraded` restores by that; in Python
`estimate_kernel("photo.jpg")`, in the app "Estimate the blur from the photo" below the task "your own kernel". The
kernel is a small picture of what one bright point became: edit it in any photo program, black where nothing is, and
give it with `--kernel`. It holds for one blur over the whole photo, at the resolution at which it was told; with
`--full-size` that is the photo's own.

How it works stands in [inverse/blind](../inverse/blind/estimate.py): a sharp picture with few edges, known in closed
form in the Fourier domain (Xu, Zheng and Jia 2013), and the kernel that is non-negative, sums to 1 and leads from
its edges to those of the photo, in turns, from a shrunk photo to the whole one (Cho and Lee 2009). Two halves of the
photo are asked by themselves; where their kernels are less alike than {trusted:g}, nothing is said (`--confidence`
moves that). A photo whose kernel is a single pixel is sharp, and one that is too small or flat is refused.

## Measured

Example photos, blurred without any assumption on what lies beyond the frame, sigma_y {sigma:g}, 8 bits; kernels
within 31 pixels. Similarity is the largest normalised cross-correlation with the true kernel over all shifts, 1 at
best; agreement is what is asked of the two halves. PSNR in dB over the best shift, without a frame of {frame}
pixels: of the blurred photo, and restored by one call of the estimator (`cse`) with the estimated and the true
kernel. The error ratio is that of their squared errors; up to 3 counts as a success (Levin et al. 2009,
Understanding and evaluating blind deconvolution algorithms, CVPR).

The restoration by the estimate is told more noise than there is (`KernelEstimate.sigma_y`), as what is wrong in a
kernel acts like noise. That by the true kernel is told either, and the better result counts. Made by
`python -m inverse.evaluation.blind docs/blur.md`.
"""


def page(rows: list[Row], trusted: float) -> str:
    """The page as Markdown."""
    lines = ["| photo | blurred by | similarity | agreement | blurred | estimated | true kernel | error ratio |",
             "|---|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for each in rows:
        agreement = f"{each.confidence:.2f}{', refused' if each.refused else ''}"
        lines.append(
            f"| {each.photo} | {each.kernel} | {each.similarity:.2f} | {agreement} | {each.blurred:.1f} | "
            f"{each.estimated:.1f} | {each.known:.1f} | {each.ratio:.1f} |"
        )
    told = [each for each in rows if not each.refused]
    better, succeeded = sum(each.estimated > each.blurred for each in told), sum(each.ratio <= 3 for each in told)
    words = (
        f"{len(told)} of {len(rows)} are told. Of those, {better} are nearer to the truth after the restoration than "
        f"before, and {succeeded} have an error ratio of 3 at most. The mean similarity is "
        f"{math.fsum(each.similarity for each in told) / max(len(told), 1):.2f}."
    )
    return "\n".join([HEAD.format(trusted=trusted, sigma=SIGMA_Y, frame=FRAME), *lines, "", words, ""])


def rows(photos: tuple[Path, ...]) -> Iterator[Row]:
    denoiser = load_prior()
    for path in photos:
        for name in kernels():
            yield row(path, name, denoiser)


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
@click.option("--photo", "photos", multiple=True, type=click.Path(path_type=Path, exists=True), default=PHOTOS)
def main(output: Path, photos: tuple[Path, ...]) -> None:
    """Measures, and writes the page."""
    from inverse.blind import TRUSTED

    found = []
    for each in rows(photos):
        click.echo(f"{each}")
        found.append(each)
    write_text(output, page(found, TRUSTED))


if __name__ == "__main__":
    main()
