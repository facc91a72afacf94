"""The figures of a run in words: what the status line says."""

from __future__ import annotations

import math
from typing import Any

from inverse.imaging import metrics
from inverse.results.problem import Problem
from inverse.results.record import Record
from inverse.results.spread import Spread
from inverse.solvers import Step

RESIDUAL_HELP = (
    "How far the estimate is from the measurement, in units of its noise: about 1 fits it just well enough, "
    "much more ignores it, much less copies its noise."
)

TIME_LEFT = "Time left"
IDLE = ["Update", "Speed", TIME_LEFT, "Network calls", "Data residual", "PSNR"]
"""Labels of the figures that stand there before a run."""

UPDATE_HELP = "Of all updates of this run; many solvers make several at each noise level."

OPERATOR_HELP = "Inner steps so far that ask what the task does to a photo, and not the network."


def running(problem: Problem, step: Step, seconds: float) -> dict[str, Any]:
    """Progress and figures after a step, `seconds` after the start of the run."""
    rate, far = step.index / max(seconds, 1e-6), distance(problem, step)
    figures = [
        ["Update", f"{step.index} / {step.total}", UPDATE_HELP],
        ["Speed", f"{rate:.1f} / s" if rate >= 1 else f"{1 / rate:.1f} s each", "Updates per second."],
        [TIME_LEFT, duration((step.total - step.index) / rate), "At the present speed."],
        ["Network calls", str(step.nfe), "Forward passes of the network so far (NFE)."],
        *([["Operator calls", str(step.operator_calls), OPERATOR_HELP]] if step.operator_calls else []),
        ["Data residual", f"{far:.2f} × noise" if problem.sigma_y else f"{far:.4f}", RESIDUAL_HELP],
    ]
    if problem.truth is not None:
        several = "" if len(step.x0_hat) == 1 else " The mean over the samples."
        psnr = metrics.mean_psnr(step.x0_hat, problem.truth)
        figures.append(["PSNR", f"{psnr:.1f} dB", f"Closeness to the original; higher is better.{several}"])
    return {
        "phase": "running",
        "message": "Restoring…",
        "progress": round(100 * step.index / step.total, 1),
        "figures": figures,
    }


def verdict(problem: Problem, step: Step, record: Record) -> str:
    """What to say at the end."""
    said, samples = f"Done in {record.seconds:.1f} s", len(step.x0_hat)
    psnr, ssim = record.quality["psnr"], record.quality["ssim"]
    if problem.truth is None or psnr is None or ssim is None:
        return f"{said}." if samples == 1 else f"{said}: {samples} samples."
    if samples > 1:
        together = metrics.psnr(Spread.of(step.x0_hat).mean, problem.truth[0])
        return f"{said}: PSNR {psnr:.2f} dB a sample, {together:.2f} dB for the mean of {samples}."
    return f"{said}: PSNR {psnr:.2f} dB" + ("." if math.isnan(ssim) else f", SSIM {ssim:.3f}.")


def distance(problem: Problem, step: Step) -> float:
    """The residual in units of the noise, or in those of y where there is none."""
    return problem.relative_residual(step) if problem.sigma_y else float(step.residual.mean())


def duration(seconds: float) -> str:
    """Seconds that are left, in words."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
