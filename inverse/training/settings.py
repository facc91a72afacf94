"""The parameters of every training, those of a prior, and sets of them that work."""

from __future__ import annotations

import math
from dataclasses import dataclass

from inverse.denoisers.network import NetworkConfig
from inverse.errors import ParameterError
from inverse.parameters import Parameters, choice, flag, integer, real

# oneDNN 3.12 computes the weight gradient of bfloat16 convolutions about thirty times slower where the channels are a
# multiple of 64 (x86 with AMX, 2 cores): the network for CPUs stays off those.
NETWORKS = {
    "v0": NetworkConfig(),
    "small": NetworkConfig(widths=(96, 112, 144), depths=(3, 3, 4)),
    "large": NetworkConfig(widths=(128, 192, 320, 512), depths=(3, 3, 3, 4), embedding=256),
}
"""Shapes of the network. "v0" is that of the first prior."""


@dataclass(frozen=True)
class Training(Parameters):
    """What every training has, whatever is trained.

    Whichever of `iterations` and `hours` is reached first ends it, and the learning rate falls towards that.
    """

    crop: int = integer(
        64, 16, 1024, unit="pixels", help="Side of the training crops.",
        effect="Too small teaches no large structures; large ones take longer.",
    )  # fmt: skip
    batch: int = integer(32, 1, 4096, help="Crops an update, on each device.", effect="Too few are noisy.")
    iterations: int = integer(30_000, 1, 100_000_000, help="Updates in all.", effect="Too few learn too little.")
    hours: float = real(
        0.0, 0.0, 100_000.0, unit="hours, 0 for no limit",
        help="Training time in all, over every session, without pauses.",
    )  # fmt: skip
    learning_rate: float = real(
        6e-4, 1e-7, 0.1, log=True, help="Length of an update of AdamW.",
        effect="Too low learns slowly; too high diverges.",
    )  # fmt: skip
    warmup: int = integer(200, 0, 1_000_000, help="Updates over which the learning rate rises.", advanced=True)
    decay: float = real(
        1.0, 0.0, 1.0, help="Last share of the training, in which the learning rate falls, as a cosine.",
        effect="1 is a plain cosine; less makes intermediate results better and the total easier to extend.",
    )  # fmt: skip
    average: float = real(
        0.999, 0.0, 0.99999, help="Decay of the moving average of the weights, which is what is kept in the end.",
        effect="Too low keeps the noise of single updates; too high lags behind.", advanced=True,
    )  # fmt: skip
    shrink: float = real(
        4.0, 1.0, 32.0, help="Photographs are shrunk at random by up to this factor.",
        effect="1 shows details only; large shows whole scenes, small.",
    )  # fmt: skip
    whole: float = real(
        0.0, 0.0, 1.0, help="Share of the crops that show the largest square of a photograph, shrunk to a crop.",
        effect="0 never shows how a picture goes on from one side to the other.", advanced=True,
    )  # fmt: skip
    precision: str = choice(
        "auto", "auto", "float32", "bfloat16", advanced=True,
        help="Precision of the network's inside; auto takes bfloat16 where the hardware computes in it.",
    )  # fmt: skip
    compile: bool = flag(False, help="Compile the network first (torch.compile): a minute, then faster.", advanced=True)
    seed: int = integer(0, 0, 2**32 - 1, help="Seed of everything random.")
    memory: float = real(3.0, 0.01, 10_000.0, unit="GB", help="Limit for decoded photographs.", advanced=True)
    held_out: float = real(0.05, 0.0, 0.5, help="Share of the photographs kept out for validation.", advanced=True)
    report_every: int = integer(20, 1, 1_000_000, unit="updates", help="Between two reports.", advanced=True)
    validate_every: int = integer(1000, 1, 100_000_000, unit="updates", help="Between two validations.", advanced=True)
    checkpoint_minutes: float = real(5.0, 0.0, 10_000.0, unit="minutes", help="Between two checkpoints.", advanced=True)

    def progress(self, iteration: int, seconds: float) -> float:
        """Which share of the training is done, 0 to 1, after that many updates and that much time."""
        share = iteration / self.iterations
        if self.hours:
            share = max(share, seconds / (3600 * self.hours))
        return min(1.0, share)

    def rate(self, iteration: int, progress: float) -> float:
        """Learning rate of the update that follows `iteration` others, at that share of the training."""
        rising = min(1.0, (iteration + 1) / (self.warmup + 1))
        fallen = max(0.0, 1 - (1 - progress) / self.decay) if self.decay else 0.0
        return self.learning_rate * rising * (0.5 + 0.5 * math.cos(math.pi * fallen))


@dataclass(frozen=True)
class PriorTraining(Training):
    """How a prior is trained: EDM (Karras et al. 2022, arXiv 2206.00364), on random crops of photographs."""

    name = "prior"
    title = "Training of a prior"

    network: str = choice(
        "small", *NETWORKS, help="Shape of the network; the shipped prior's is small.",
        effect="Large needs a GPU; small also learns on a CPU.",
    )  # fmt: skip
    log_sigma_mean: float = real(
        -1.4, -6.0, 4.0, advanced=True, help="Mean of ln sigma of the noise, for pixels on [-1, 1].",
        effect="Lower learns fine details, higher learns large shapes.",
    )  # fmt: skip
    log_sigma_std: float = real(1.3, 0.1, 4.0, advanced=True, help="Standard deviation of ln sigma.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.crop % self.config.multiple:
            raise ParameterError(
                f"crop must be a multiple of {self.config.multiple} for the network {self.network!r}, "
                f"and {self.crop} is not. Choose a multiple."
            )

    @property
    def config(self) -> NetworkConfig:
        """Shape of the network."""
        return NETWORKS[self.network]


PRESETS = {
    "cpu": PriorTraining(),
    "gpu": PriorTraining(
        crop=128, batch=128, iterations=19_000, learning_rate=1e-3, decay=0.5, log_sigma_mean=-1.3, log_sigma_std=1.45
    ),
    "gpu-128": PriorTraining(
        network="large", crop=128, batch=64, iterations=200_000, learning_rate=3e-4, average=0.9995
    ),
    "gpu-256": PriorTraining(
        network="large", crop=256, batch=16, iterations=400_000, learning_rate=2e-4, average=0.9998
    ),
}
"""Starting points. "cpu" and "gpu" have been tried: the shipped prior is of the latter, 18 minutes on an H100."""
