"""Estimators by prior: those that ship with the program, and files of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import torch

from inverse.denoisers.base import Denoiser
from inverse.denoisers.embedded import EDMDenoiser
from inverse.errors import PriorError, ProblemError
from inverse.estimators.estimator import ONE_PASS, STATISTIC, ConditionalEstimator, EstimatorNetwork
from inverse.estimators.files import EstimatorCard, load_estimator, read_card
from inverse.resources import ESTIMATORS


def guided(prior: Denoiser, guidance_scale: float = 1.0, task: str = "", file: Path | None = None) -> Denoiser:
    """A prior that looks at the measurement, D + w (D_y - D); for w = 0 the prior itself.

    Args:
        prior: one of `train prior`, the embedded one among them.
        guidance_scale: w; 1 is the estimator, more goes beyond it.
        task: name of the task, if known, to see that the estimator has learned it.
        file: an estimator that `train estimator` wrote; the one that ships with the program when None.

    Raises:
        PriorError: the prior has no estimator, or the file is damaged or another prior's.
        ProblemError: the estimator has not learned this task.
    """
    if not guidance_scale:
        return prior
    if not isinstance(prior, EDMDenoiser):
        raise PriorError(
            "This prior has no conditional estimator. Set its weight to 0, choose the embedded prior, or train one for "
            "a prior that `train prior` wrote."
        )
    if file is None:
        found, card = _shipped(prior, guidance_scale)
    else:  # which may change
        network, card = load_estimator(file, prior)
        found = ConditionalEstimator(prior, network, guidance_scale)
    if task and task not in card.tasks:
        raise ProblemError(
            f"The conditional estimator has not learned the task {task}. Set its weight to 0, or choose one of "
            f"{', '.join(card.tasks)}."
        )
    return found


def estimated(prior: Denoiser) -> bool:
    """Whether an estimator for this prior ships with the program."""
    return isinstance(prior, EDMDenoiser) and any(cards(prior))


def cards(prior: EDMDenoiser) -> Iterable[tuple[Path, EstimatorCard]]:
    """The estimators that ship with the program and belong to a prior."""
    for path in sorted(ESTIMATORS.glob("*.safetensors")):
        card = read_card(path)
        if card.prior == prior.digest:
            yield path, card


@lru_cache(maxsize=64)
def _shipped(prior: EDMDenoiser, guidance_scale: float) -> tuple[ConditionalEstimator, EstimatorCard]:
    """One for each weight, so that runs with the same one share passes; their networks are the same."""
    network, one_pass, card = _networks(prior)
    return ConditionalEstimator(prior, network, guidance_scale, one_pass), card


@lru_cache(maxsize=2)
@torch.inference_mode(False)  # what is kept must not depend on who asked first
def _networks(prior: EDMDenoiser) -> tuple[EstimatorNetwork, EstimatorNetwork | None, EstimatorCard]:
    shipped = {card.form: path for path, card in cards(prior)}
    if STATISTIC not in shipped:
        raise PriorError("No estimator ships for this prior. Train one: `train estimator`, and name its file.")
    network, card = load_estimator(shipped[STATISTIC], prior)
    return network, load_estimator(shipped[ONE_PASS], prior)[0] if ONE_PASS in shipped else None, card
