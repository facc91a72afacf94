"""What restorations are judged by: one registry, from which flags, tables and charts are made.

A measure gives a figure for each job of a cell, whose mean is reported; or one for all of them, as a distance of sets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inverse.errors import ProblemError
from inverse.evaluation.evaluate.distances import FEWEST, SUBSET, SUBSETS, features_of, fid, kid
from inverse.evaluation.evaluate.inception import Inception, inception
from inverse.evaluation.evaluate.lpips import Lpips, lpips
from inverse.evaluation.evaluate.results import PICTURES
from inverse.evaluation.evaluate.summary import Cell, Estimate
from inverse.evaluation.evaluate.weights import Weights
from inverse.imaging import images
from inverse.results.record import METRICS

Line = Mapping[str, Any]


class Sources:
    """What measures are taken of: the pictures of a run, and networks that look at them, loaded once."""

    def __init__(self, folder: Path, weights: Weights | None = None) -> None:
        self.folder, self.weights = folder, weights or Weights()
        self._features: dict[str, Tensor] = {}

    def pictures(self, line: Line) -> tuple[Tensor, list[Tensor]]:
        """The original of a job and its restorations, each (1, 3, H, W) on [-1, 1].

        Raises:
            ProblemError: they were not kept, or are lost.
        """
        names = line["pictures"]
        if not all((self.folder / PICTURES / name).is_file() for name in names) or not names:
            raise ProblemError("The pictures of this run were not kept. Evaluate anew, without --no-pictures.")
        original, _, *found = [images.to_tensor(images.load(self.folder / PICTURES / name)) for name in names]
        return original, found

    def features(self, line: Line) -> tuple[Tensor, Tensor]:
        """Inception's, of the original, (1, F), and of the restorations, (n, F)."""
        original, found = self.pictures(line)
        name = line["pictures"][0]
        if name not in self._features:
            self._features[name] = features_of(self.inception, [original], self.weights.device)
        return self._features[name], features_of(self.inception, found, self.weights.device)

    @cached_property
    def inception(self) -> Inception:
        return inception(self.weights)

    @cached_property
    def lpips(self) -> Lpips:
        return lpips(self.weights)


@dataclass(frozen=True)
class Measure:
    """A figure of restorations.

    Attributes:
        title, help: what people read.
        digits: after the point.
        unit: with its space, to stand in a heading.
        each: a value for each job that did not fail and has one, by its photo's digest.
        whole: or the figure of a cell as a whole.
        weights: the files that it needs, by the names of `weights.KNOWN`.
    """

    title: str
    help: str
    digits: int
    unit: str = ""
    each: Callable[[Cell, Sources], dict[str, float]] | None = None
    whole: Callable[[Cell, Sources], Estimate] | None = None
    weights: tuple[str, ...] = ()


def recorded(name: str) -> Callable[[Cell, Sources], dict[str, float]]:
    """What the jobs' own lines say."""

    def values(cell: Cell, sources: Sources) -> dict[str, float]:
        return {job.digest: line[name] for job, line in cell.good if line[name] is not None}

    return values


def _own(name: str) -> Measure:
    """A metric of single restorations, as a measure."""
    metric = METRICS[name]
    return Measure(metric.title, metric.help, metric.digits, metric.unit, recorded(name))


def _lpips(cell: Cell, sources: Sources) -> dict[str, float]:
    found: dict[str, float] = {}
    for job, line in cell.good:
        original, pictures = sources.pictures(line)
        with torch.inference_mode():
            x, truth = torch.cat(pictures).to(sources.weights.device), original.to(sources.weights.device)
            found[job.digest] = float(sources.lpips(x, truth.expand_as(x)).mean())
    return found


def _of_sets(distance: Callable[[Tensor, Tensor], Estimate], fewest: int) -> Callable[[Cell, Sources], Estimate]:
    def whole(cell: Cell, sources: Sources) -> Estimate:
        if len(cell.good) < fewest:  # said before a network has looked at them
            return distance(torch.zeros(len(cell.good), 1), torch.zeros(len(cell.good), 1))
        originals, found = zip(*(sources.features(line) for _, line in cell.good), strict=True)
        return distance(torch.cat(found), torch.cat(originals))

    return whole


MEASURES: dict[str, Measure] = {
    **{name: _own(name) for name in METRICS if name != "residual"},  # which has its column among what a run costs
    "lpips": Measure(
        "LPIPS", "How different it looks from the original to AlexNet, version 0.1.", 3, each=_lpips,
        weights=("alexnet", "lpips"),
    ),
    "fid": Measure(
        "FID", "Distance of the restorations, as a set, from the originals of the photos, by Inception's features.",
        2, whole=_of_sets(fid, FEWEST), weights=("inception",),
    ),
    "kid": Measure(
        "KID", f"The same by another distance, the mean over {SUBSETS} subsets of {SUBSET} pictures.",
        4, whole=_of_sets(kid, 2 * SUBSET), weights=("inception",),
    ),
    "residual": _own("residual"),
    "calls": Measure(
        "Network calls", "Forward passes for each sample, a backward pass as 1.4 of them.", 0, each=recorded("cost")
    ),
    "seconds": Measure("Time", "Of the run, on the machine that made it.", 2, " s", each=recorded("seconds")),
}  # fmt: skip
"""By the names that `--metrics` takes, in the order of the columns."""


def usual(weights: Weights) -> list[str]:
    """The measures that can be taken with these weights."""
    return [name for name, measure in MEASURES.items() if all(each in weights.places for each in measure.weights)]
