"""Hyper-parameters that several solvers share, declared and explained once."""

from __future__ import annotations

from typing import Any

from inverse.parameters import choice, flag, integer, real
from inverse.solvers.schedule import SCHEDULES


def steps_field(default: int, low: int = 2) -> Any:
    return integer(
        default, low, 1000, symbol="N", help="Noise levels of the reverse process.",
        effect="Too few leave noise or artefacts; more take longer.",
    )  # fmt: skip


def schedule_field(default: str) -> Any:
    return choice(
        default, *SCHEDULES, advanced=True,
        help="How the noise levels are spaced: log-linear by equal factors; karras and, more so, vp with more of them "
        "where the noise is high.",
        effect="Too few at high noise fill large holes badly; too few at low noise leave fine detail rough.",
    )  # fmt: skip


def sigma_max_field(default: float) -> Any:
    return real(
        default, 0.5, 200.0, log=True, advanced=True,
        help="Noise level of the first step, or the largest that the prior knows.",
        effect="Too low cannot fill large holes; too high wastes steps.",
    )  # fmt: skip


def sigma_min_field(default: float) -> Any:
    return real(
        default, 0.001, 0.5, log=True, advanced=True,
        help="Noise level of the last step: at most twice the measurement's noise (half of it for DDRM, DDNM+ "
        "and PiGDM), at least what the prior knows.",
        effect="Too high leaves the result soft.",
    )  # fmt: skip


def jacobian_field() -> Any:
    return choice(
        "exact", "exact", "finite-difference", advanced=True,
        help="How the gradient goes through the prior: exactly, by a backward pass, or approximately, by comparing two "
        "forward passes, which needs far less memory.",
        effect="The approximation costs some quality with a trained prior.",
    )  # fmt: skip


def coordinates_field() -> Any:
    return choice(
        "ve", "ve", "vp", advanced=True, help="Coordinates in which the step size is constant over the run.",
        effect="In vp, steps are longer where the noise is high: lower the step size with it.",
    )  # fmt: skip


def stop_at_noise_field() -> Any:
    return flag(
        True, advanced=True,
        help="Follow the measurement only as closely as its noise leaves the truth: the discrepancy principle. Off, as "
        "in the paper, nothing knows the noise level.",
        effect="Off, strong noise is copied into the image, and few steps leave artefacts.",
    )  # fmt: skip


def guidance_scale_field(default: float = 1.0) -> Any:
    return real(
        default, 0.01, 100.0, log=True, symbol="w",
        help="Weight of the measurement against the prior; 1 is Bayes' rule.",
        effect="Too low smooths details away; too high brings the measurement's noise back.",
    )  # fmt: skip


def gradient_steps_field(default: int, kind: str) -> Any:
    """Steps of a kind ("Langevin") that take the place of a closed form where A is not linear."""
    return integer(
        default, 1, 500, advanced=True, symbol="K",
        help=f"{kind} steps towards the measurement at every noise level, for non-linear tasks only.",
        effect="Too few follow the measurement loosely.",
    )  # fmt: skip


def stochasticity_field(default: float, symbol: str) -> Any:
    return real(
        default, 0.0, 1.0, symbol=symbol,
        help=f"Share of the noise that is drawn anew at every step: {symbol} of the paper.",
        effect="At 0 all samples of a run look alike and keep early mistakes; at 1 they vary most.",
    )  # fmt: skip


def cut_field(default: float) -> Any:
    return real(
        default, 0.0001, 0.5, log=True, advanced=True,
        help="Singular values of the operator below this share of the largest count as zero: not measured.",
        effect="Too low lets a blur's weakest frequencies bring noise back; too high leaves the image soft.",
    )  # fmt: skip
