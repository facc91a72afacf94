"""The parameters of training a conditional score estimator."""

from __future__ import annotations

from dataclasses import dataclass

from inverse.estimators.estimator import FORMS
from inverse.parameters import choice, integer, real, redeclared
from inverse.training.settings import Training


@dataclass(frozen=True)
class EstimatorTraining(Training):
    """How an estimator is trained: the denoising loss of EDM with the measurement given, tasks drawn at random."""

    name = "estimator"
    title = "Training of a conditional estimator"

    form: str = choice(
        "statistic", *FORMS,
        help="What is trained: a thin adapter beside the prior, which is fed what x and y say together; a whole copy "
        "of the prior, for a single call; or a ControlNet, as in the paper.",
    )  # fmt: skip
    photographs: int = integer(100, 2, 10_000_000, help="How many of the photographs are trained on.",
                               effect="25 are too few; 1000 gain a little.")  # fmt: skip
    batch: int = redeclared(Training, "batch", 8)
    iterations: int = redeclared(Training, "iterations", 6000)
    hours: float = redeclared(Training, "hours", 1.0)
    learning_rate: float = redeclared(Training, "learning_rate", 1e-3)
    warmup: int = redeclared(Training, "warmup", 30)
    average: float = redeclared(Training, "average", 0.998)
    whole: float = redeclared(Training, "whole", 0.5)
    held_out: float = redeclared(Training, "held_out", 0.2)
    validate_every: int = redeclared(Training, "validate_every", 500)
    least_noise: float = real(0.01, 1e-3, 2.0, log=True, help="The smallest sigma_y that is drawn.")
    most_noise: float = real(0.3, 1e-3, 2.0, log=True, help="The largest sigma_y that is drawn.")
    sigma_low: float = real(0.03, 1e-3, 5.0, log=True, advanced=True, help="The lowest noise level that is drawn.")
    at_highest: float = real(
        0.1, 0.0, 1.0, advanced=True, help="Share of the crops at the highest level, where sampling begins."
    )
    patience: int = integer(10, 1, 1_000_000, help="Validations without a better one after which it ends.")

    @property
    def noise(self) -> tuple[float, float]:
        """sigma_y, from and to."""
        return min(self.least_noise, self.most_noise), max(self.least_noise, self.most_noise)
