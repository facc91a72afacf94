"""All that the figures show, as CSV: a row for every number."""

from __future__ import annotations

import csv
import io
import math

from inverse.evaluation.findings.measuring import Findings

COLUMNS = ("panel", "label", "sigma", "measure", "value")


def table(found: Findings) -> str:
    """Panel (score, mean or samples), whose it is, the noise level (empty for samples), what is measured, its value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for error in found.errors:
        for measure in ("error", "relative", "zeta"):
            _write(writer, "score", error.label, f"{error.sigma:.6g}", measure, getattr(error, measure))
    for mean in found.means:
        for measure in ("mean", "null", "high", "scale", "scale_low", "scale_high"):
            _write(writer, "mean", mean.label, f"{mean.sigma:.6g}", measure, getattr(mean, measure))
    for row in found.samples:
        figures = {
            "count": row.count, "bias": row.bias, "std_ratio": row.std_ratio, "coverage_50": row.coverage(0.5),
            "coverage_90": row.coverage(0.9), "to_mode": row.to_mode, "strays": row.strays, "residual": row.residual,
            "nfe": row.nfe, "vjp": row.vjp,
        }  # fmt: skip
        figures |= {f"rank_{place}": share for place, share in enumerate(row.ranks, 1)}
        for place, (share, weight) in enumerate(zip(row.shares, row.weights, strict=True), 1):
            figures |= {f"share_{place}": share, f"weight_{place}": weight}
        for measure, value in figures.items():
            _write(writer, "samples", row.label, "", measure, value)
    return text.getvalue()


def _write(writer: object, panel: str, label: str, sigma: str, measure: str, value: float) -> None:
    if not math.isnan(value):
        writer.writerow((panel, label, sigma, measure, f"{value:.6g}"))  # pyright: ignore[reportAttributeAccessIssue]
