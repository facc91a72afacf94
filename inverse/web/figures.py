"""The figures of a run in words: what the status line says."""

from __future__ import annotations

import math
from typing import Any

from inverse import metrics
from inverse.restoration import Problem
from inverse.solvers import Step

RESIDUAL_HELP = (
    "How far the estimate is from the measurement, in units of its noise: about 1 fits it just well enough, "
    "much more ignores it, much less copies its noise."
)


def running(problem: Problem, step: Step, seconds: float) -> dict[str, Any]:
    """Progress and figures after a step, `seconds` after the start of the run."""
    rate = step.index / max(seconds, 1e-6)
    figures = [
        ["Step", f"{step.index} / {step.total}", "Of all updates of this run."],
        ["Speed", f"{rate:.1f} / s" if rate >= 1 else f"{1 / rate:.1f} s each", "Steps per second."],
        ["Time left", _time((step.total - step.index) / rate), "At the present speed."],
        ["Network calls", str(step.nfe), "Forward passes of the network so far (NFE)."],
        ["Data residual", residual(float(step.residual[0]), problem.sigma_y), RESIDUAL_HELP],
    ]
    if problem.truth is not None:
        psnr = metrics.psnr(step.x0_hat[0], problem.truth[0])
        figures.append(["PSNR", f"{psnr:.1f} dB", "Closeness to the original; higher is better."])
    return {
        "phase": "running",
        "message": "Restoring…",
        "progress": round(100 * step.index / step.total, 1),
        "figures": figures,
    }


def verdict(problem: Problem, step: Step, seconds: float) -> str:
    """What to say at the end."""
    said = f"Done in {seconds:.1f} s"
    if problem.truth is None:
        return f"{said}."
    psnr, ssim = metrics.psnr(step.x0_hat[0], problem.truth[0]), metrics.ssim(step.x0_hat[0], problem.truth[0])
    return f"{said}: PSNR {psnr:.2f} dB" + ("." if math.isnan(ssim) else f", SSIM {ssim:.3f}.")


def residual(value: float, sigma_y: float) -> str:
    return f"{value / sigma_y:.2f} σ_y" if sigma_y > 0 else f"{value:.4f}"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
