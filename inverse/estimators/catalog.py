"""Estimators by prior: those that ship with the program, and files of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from inverse.denoisers.base import Denoiser
from inverse.denoisers.embedded import EDMDenoiser, load_network
from inverse.errors import PriorError, ProblemError
from inverse.estimators.estimator import ONE_PASS, ConditionalEstimator
from inverse.estimators.files import EstimatorCard, load_estimator, read_card
from inverse.resources import EMBEDDED, ESTIMATORS


def guided(
    prior: Denoiser, guidance_scale: float = 1.0, task: str = "", file: Path | None = None, one_pass: bool = True
) -> Denoiser:
    """A prior that looks at the measurement, D + w (D_y - D); for w = 0 the prior itself.

    Args:
        prior: one of `train prior`, the embedded one among them.
        guidance_scale: w; 1 is the estimator, more goes beyond it.
        task: name of the task, if known, to see that the estimator has learned it.
        file: an estimator that `train estimator` wrote; the one that ships with the program when None.
        one_pass: take the one-pass form for the first call, where one ships.

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
    found, card = _guided(prior, guidance_scale, file, one_pass)
    if task and task not in card.tasks:
        raise ProblemError(
            f"The conditional estimator has not learned the task {task}. Set its weight to 0, or choose one of "
            f"{', '.join(card.tasks)}."
        )
    return found


def load_embedded() -> EDMDenoiser:
    """The embedded prior, in float32 on the CPU."""
    return EDMDenoiser(load_network(EMBEDDED), precision="float32")


def cards(prior: EDMDenoiser) -> Iterable[tuple[Path, EstimatorCard]]:
    """The estimators that ship with the program and belong to a prior."""
    for path in sorted(ESTIMATORS.glob("*.safetensors")):
        card = read_card(path)
        if card.prior == prior.digest:
            yield path, card


@lru_cache(maxsize=8)
def _guided(
    prior: EDMDenoiser, guidance_scale: float, file: Path | None, one_pass: bool
) -> tuple[ConditionalEstimator, EstimatorCard]:
    if file is not None:
        network, card = load_estimator(file, prior)
        return ConditionalEstimator(prior, network, guidance_scale), card
    shipped = {card.form: path for path, card in cards(prior)}
    first = shipped.pop(ONE_PASS, None) if one_pass else None
    if not shipped:
        raise PriorError("No estimator ships for this prior. Train one: `train estimator`, and name its file.")
    network, card = load_estimator(next(iter(shipped.values())), prior)
    return ConditionalEstimator(prior, network, guidance_scale, first and load_estimator(first, prior)[0]), card
