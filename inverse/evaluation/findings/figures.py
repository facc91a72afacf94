"""The figures of a study: which charts show its findings."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from inverse.denoisers.exact import GaussianMixture
from inverse.evaluation.findings.charts import COLOURS, DASHES, Chart, Column, Curve, Curves, Plane, Rows
from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, UNCONDITIONAL
from inverse.evaluation.findings.measuring import Findings, Live
from inverse.evaluation.findings.samples import BINS
from inverse.evaluation.findings.truths import Truth
from inverse.imaging.canvas import INK

LEVEL = "noise level sigma: a run goes from left to right"
SEEN = 0.005
"""Modes of less weight have no column."""
EXTENT = 1.15
"""Half the side of the plane that is drawn."""
WIDE, NARROW = 680, 340
"""Width of charts with a row for each solver, and of the one that moves."""
GRAIN = 96
"""Pixels a side of its density."""


def figures(found: Findings) -> dict[str, Chart]:
    """Charts by name, in their order; those of what is not measured yet are empty."""
    charts: dict[str, Chart] = {
        "score": _curves(
            found, "error", "How far the conditional score is from the reference", "(1 - abar) mean (eps - eps_ref)^2"
        ),
        "relative": _curves(found, "relative", "The same beside the reference's length", "relative error"),
        "mean": _means(found),
        "scale": _scales(found),
        "diversity": diversity(found),
    }
    if len(found.truth.posterior.modes if found.truth.posterior else ()) > 1:
        charts["modes"] = modes(found)
    if found.truth.plane:
        charts["plane"] = plane(found)
    if found.live is not None:
        charts["moving"] = moving(found, found.live)
    return charts


def _curves(found: Findings, what: str, title: str, y_label: str) -> Curves:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in found.errors:
        points.setdefault(row.label, []).append((row.sigma, getattr(row, what)))
    return Curves(title, LEVEL, y_label, _styled(points))


def _means(found: Findings) -> Curves:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in found.means:
        points.setdefault(row.label, []).append((row.sigma, row.mean))
    null = [(found.means[0].null, "chance: sqrt(2 / (pi N))")] if found.means else []
    return Curves(
        "Mean of the score over p(x_t | y): 0 for every score", LEVEL, "mean |mean eps|", _styled(points), null
    )


def _scales(found: Findings) -> Curves:
    points: dict[str, list[tuple[float, float]]] = {}
    for row in found.means:
        points.setdefault(row.label, []).append((row.sigma, row.scale))
    return Curves(
        "Length of the score: <eps, n> / <eps, eps>, 1 if right", LEVEL, "right length over its own", _styled(points),
        levels=[(1.0, "")], log=False, y_range=(0.0, 2.0),
    )  # fmt: skip


def _styled(points: dict[str, list[tuple[float, float]]]) -> list[Curve]:
    """Every label has its look: those of one solver a colour, its settings their dashes."""
    families: dict[str, int] = {}
    curves = []
    for label, own in points.items():
        if label == CONDITIONAL:
            curves.append(Curve(label, own, INK, "", wide=True))
        elif label == UNCONDITIONAL:
            curves.append(Curve(label, own, COLOURS[9], "", wide=True))
        elif label == BEST:
            curves.append(Curve(label, own, INK, DASHES[1]))
        else:
            family = label.split(",")[0] + label[-3:] * label.startswith("DPS, zeta")
            place = families.setdefault(family, len(set(families)))
            dash = sum(1 for each in curves if each.colour == COLOURS[place % 9])
            curves.append(Curve(label, own, COLOURS[place % 9], DASHES[dash % len(DASHES)]))
    return curves


def diversity(found: Findings) -> Rows:
    """Spread, coverage, ranks and distance to a mode of every solver's samples."""
    rows = found.samples
    columns = [
        Column("spread (1)", [row.std_ratio for row in rows], 1.5, 1.0),
        Column("90 % holds (0.9)", [row.coverage(0.9) for row in rows], 1.0, 0.9),
        Column("ranks (flat)", [row.ranks for row in rows], 3 / BINS, 1 / BINS),
        Column("to mode (1)", [row.to_mode for row in rows], 1.5, 1.0),
    ]
    title = "How samples vary, and in brackets what exact samples show"
    return Rows(title, [row.label for row in rows], columns, width=WIDE)


def modes(found: Findings) -> Rows:
    """The share of samples in each mode against its weight."""
    rows, known = found.samples, found.truth.posterior
    assert known is not None
    seen = [k for k, weight in enumerate(known.weights.tolist()) if weight > SEEN]
    columns = []
    for count, k in enumerate(sorted(seen, key=lambda k: -float(known.weights[k])), 1):
        weight = float(known.weights[k])
        values = [row.shares[k] if row.shares else math.nan for row in rows]
        columns.append(Column(f"mode {count} ({weight:.2f})", values, 1.0, weight))
    columns.append(Column("astray (0)", [row.strays for row in rows], 1.0, 0.0))
    title = "Share of the samples in each mode, and in brackets its weight"
    return Rows(title, [row.label for row in rows], columns, width=WIDE)


def plane(found: Findings) -> Plane:
    """Each solver's samples on the posterior's density, side by side."""
    groups = [(row.label, _points(row.kept)) for row in found.samples if row.kept is not None]
    title = "Samples on the posterior's density"
    return Plane(title, density(found.truth), (-EXTENT, EXTENT, -EXTENT, EXTENT), groups, columns=4, width=WIDE)


def moving(found: Findings, live: Live) -> Plane:
    """The sampler at work: where its samples are at the present noise level, off the picture while that is high."""
    groups = [(f"noise level {live.sigma:.3g}", _points(live.points))]
    extent = (-EXTENT, EXTENT, -EXTENT, EXTENT)
    return Plane(f"At work: {live.label}", density(found.truth), extent, groups, columns=1, width=NARROW)


def _points(points: Tensor) -> list[tuple[float, float]]:
    return [(x, y) for x, y in points.tolist()]


def density(known: Truth) -> Image.Image:
    """The posterior's density as a picture whose opacity is its square root, the prior's faintly behind it."""
    assert known.posterior is not None and isinstance(known.prior, GaussianMixture)
    places = torch.linspace(-EXTENT, EXTENT, GRAIN, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(places, places.flip(0), indexing="xy"), -1).reshape(-1, 1, 1, 2)
    posterior, prior = (
        each.log_density(grid, 0.01).exp().reshape(GRAIN, GRAIN) for each in (known.posterior.mixture, known.prior)
    )
    opacity = 0.85 * (posterior / posterior.max()).sqrt() + 0.15 * (prior / prior.max()).sqrt()
    pixels = np.zeros((GRAIN, GRAIN, 4), np.uint8)
    pixels[..., :3] = [int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5)]
    pixels[..., 3] = (230 * opacity.numpy()).astype(np.uint8)
    return Image.fromarray(pixels)
