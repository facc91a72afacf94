"""How settings use their prior, with its estimator and its pyramid, and what a run then costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import card_of
from inverse.denoisers.pyramid import coarse, scale
from inverse.estimators.catalog import guided
from inverse.estimators.estimator import told_cost
from inverse.operators import noise
from inverse.solvers import cost

if TYPE_CHECKING:
    from inverse.settings.settings import Settings

USUAL_SIZE = 256
"""Shorter side that a photo counts as, in pixels, where its own is used: for what a run will cost."""


def weight(settings: Settings) -> float:
    """Of the estimator; a solver that needs one has it at 1 unless it is set."""
    return settings.estimator_scale or float(settings.solver.needs_estimator)


def used(settings: Settings, prior: Denoiser, file: Path | None = None) -> Denoiser:
    """The prior as these settings use it; see `Settings.guided`."""
    found = guided(prior, weight(settings), settings.damage.name, file)
    return coarse(found) if settings.pyramid else found


def passes(settings: Settings) -> float:
    """What a run of one sample costs, in forward passes of the prior's network at full size."""
    own = weight(settings)
    told = settings.solver.told if own else 0.0
    return cost.passes(settings.solver) * (told * told_cost(own) + (1 - told) * _share(settings))


def _share(settings: Settings) -> float:
    """Of a pass at full size, what an estimate of the prior alone costs on the average over the noise levels."""
    card = card_of(settings.prior)
    if not settings.pyramid or card is None or not card.thresholds:
        return 1.0
    levels = settings.solver.levels(noise.DEFAULT_SIGMA_Y if settings.sigma_y is None else settings.sigma_y)
    shares = [scale(card.thresholds, level, settings.size or USUAL_SIZE) ** -2 for level in levels]
    return sum(shares) / len(shares)
