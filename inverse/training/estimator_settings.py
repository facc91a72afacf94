"""The parameters of training a conditional score estimator."""

from __future__ import annotations

from dataclasses import dataclass

from inverse.estimators.estimator import FORMS
from inverse.parameters import choice, flag, integer, real
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
    crop: int = integer(
        64, 16, 1024, unit="pixels", help="Side of the training crops.",
        effect="Too small teaches no large structures; large ones take longer.",
    )  # fmt: skip
    batch: int = integer(8, 1, 4096, help="Crops an update; they share one task.", effect="Too few are noisy.")
    iterations: int = integer(6000, 1, 100_000_000, help="Updates in all.", effect="Too few leave it near the prior.")
    hours: float = real(
        1.0, 0.0, 100_000.0, unit="hours, 0 for no limit",
        help="Training time in all, over every session, without pauses.",
    )  # fmt: skip
    learning_rate: float = real(
        1e-3, 1e-7, 0.1, log=True, help="Length of an update of AdamW.",
        effect="Too low learns slowly; too high diverges.",
    )  # fmt: skip
    warmup: int = integer(30, 0, 1_000_000, help="Updates over which the learning rate rises.", advanced=True)
    decay: float = real(
        1.0, 0.0, 1.0, help="Last share of the training, in which the learning rate falls, as a cosine.", advanced=True
    )
    average: float = real(
        0.998, 0.0, 0.99999, help="Decay of the moving average of the weights, which is what is kept.", advanced=True
    )
    shrink: float = real(4.0, 1.0, 32.0, help="Photographs are shrunk at random by up to this factor.")
    least_noise: float = real(0.01, 1e-3, 2.0, log=True, help="The smallest sigma_y that is drawn.")
    most_noise: float = real(0.3, 1e-3, 2.0, log=True, help="The largest sigma_y that is drawn.")
    sigma_low: float = real(0.03, 1e-3, 5.0, log=True, advanced=True, help="The lowest noise level that is drawn.")
    at_highest: float = real(
        0.1, 0.0, 1.0, advanced=True, help="Share of the crops at the highest level, where sampling begins."
    )
    patience: int = integer(10, 1, 1_000_000, help="Validations without a better one after which it ends.")
    precision: str = choice(
        "auto", "auto", "float32", "bfloat16", advanced=True,
        help="Precision of the network's inside; auto takes bfloat16 where the hardware computes in it.",
    )  # fmt: skip
    compile: bool = flag(False, help="Compile the network first (torch.compile).", advanced=True)
    seed: int = integer(0, 0, 2**32 - 1, help="Seed of everything random.")
    memory: float = real(3.0, 0.01, 10_000.0, unit="GB", help="Limit for decoded photographs.", advanced=True)
    held_out: float = real(0.2, 0.0, 0.5, help="Share of the photographs kept out for validation.", advanced=True)
    report_every: int = integer(20, 1, 1_000_000, unit="updates", help="Between two reports.", advanced=True)
    validate_every: int = integer(500, 1, 100_000_000, unit="updates", help="Between two validations.", advanced=True)
    checkpoint_minutes: float = real(5.0, 0.0, 10_000.0, unit="minutes", help="Between two checkpoints.", advanced=True)

    @property
    def noise(self) -> tuple[float, float]:
        """sigma_y, from and to."""
        return min(self.least_noise, self.most_noise), max(self.least_noise, self.most_noise)
