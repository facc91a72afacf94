"""The benchmarks of two papers, as far as they are known here: tasks, noise, sizes, metrics, and published figures.

What a paper says that could not be read is not guessed: `unknown` names it, and says what stands in its place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inverse.errors import ParameterError
from inverse.evaluation.evaluate.plan import Choice
from inverse.operators import Task, make_task

FILE = Path(__file__).with_name("published.toml")


@dataclass(frozen=True)
class Protocol:
    """A paper's benchmark.

    Attributes:
        title, paper: what to cite, and its address.
        photos: which ones it was run on.
        size: side of the squares, in pixels.
        sigma_y: of the noise, for pixels on [-1, 1].
        tasks: what is done to the photos.
        solvers: those that it compares, as far as they are here.
        prior: that it was run with, which is the user's to name.
        metrics: that it reports.
        unknown: what of it is not known here, in sentences.
    """

    title: str
    paper: str
    photos: str
    size: int
    sigma_y: float
    tasks: tuple[Task, ...]
    solvers: tuple[Choice, ...]
    prior: str
    metrics: tuple[str, ...]
    unknown: str

    @property
    def about(self) -> str:
        """What it is, in sentences."""
        return (
            f"After {self.title} ({self.paper}): {self.photos}, squares of {self.size} pixels, sigma_y "
            f"{self.sigma_y:g}; prior: {self.prior}. {self.unknown}"
        )


def _choices(*names: str) -> tuple[Choice, ...]:
    return tuple(map(Choice, names))


PROTOCOLS = {
    "dmap": Protocol(
        "Xu et al., ICLR 2025", "https://arxiv.org/abs/2501.18913", "ImageNet", 512, 0.0,
        (
            make_task("super-resolution-bicubic", {"factor": 8}),
            make_task("deblur-gaussian", {"std": 3.0}),
            make_task("deblur-shake", {"kernel_size": 61, "turning": 0.5}),
        ),
        _choices("dps", "dsg", "dmap"), "stable-diffusion-2-base (--priors)", ("psnr", "lpips", "fid", "kid"),
        "Their kernels have 61 pixels a side: the Gaussian here goes on, below 1e-20 of its peak, and those of motion "
        "are drawn here, not theirs. How many photos they took, and their figures, could not be read.",
    ),
    "vml-map": Protocol(
        "Gutha, Vinuesa and Azizpour 2025", "https://arxiv.org/abs/2512.10524", "FFHQ, ImageNet and CelebA-HQ", 256,
        1e-9,
        (
            make_task("inpaint-half"), make_task("inpaint-box"), make_task("super-resolution", {"factor": 4}),
            make_task("deblur-uniform", {"edges": "circular"}), make_task("deblur-gaussian", {"edges": "circular"}),
        ),
        _choices("ddrm", "pigdm", "vml-map-published", "vml-map-preconditioned", "vml-map"),
        "a network of the data set (--priors)", ("lpips", "fid"),
        "The noise is what a reviewer of its submission says, who also names its metrics; sizes of the kernels and the "
        "box, the side of the missing half, and its figures could not be read, and are those of this program.",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Published:
    """A figure of a paper, and where in it."""

    protocol: str
    task: str
    solver: str
    metric: str
    value: float
    source: str


def published(files: Iterable[Path] = ()) -> list[Published]:
    """Published figures: those known here, and those in files of one's own, [[figure]] tables in TOML.

    Raises:
        ParameterError: a file is not of that form.
    """
    found = []
    for file in (FILE, *files):
        try:
            rows = tomllib.loads(file.read_text(encoding="utf-8")).get("figure", [])
            found += [Published(**{**row, "value": float(row["value"])}) for row in rows]
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ParameterError(
                f"{file.name} holds no published figures. Each is a [[figure]] with protocol, task, solver, metric, "
                "value and source."
            ) from error
    return found
