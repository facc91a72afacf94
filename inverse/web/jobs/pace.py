"""How fast runs are here: learned from the runs that ended, and measured as long as there is none."""

from __future__ import annotations

import time
from collections.abc import Sequence

from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.catalog import load_prior
from inverse.settings import Settings
from inverse.solvers.cost import seconds_per_pixel
from inverse.web.jobs import priors

MEASURED_AGAIN = 5.0
"""Seconds after which a measurement is repeated: while the app starts or a browser opens, everything is slow."""
PASSES_THAT_TELL = 8.0
"""Passes of the network from which a run tells how fast the next one will be; shorter ones are mostly preparations."""


class Pace:
    """Seconds of a forward pass of each prior for each pixel; of those that never ran, guessed by their sizes."""

    def __init__(self) -> None:
        self._learned: dict[str, float] = {}
        self._measured = float("inf")
        self._measured_at = -float("inf")

    def seconds(self, runs: Sequence[Settings], image_shape: tuple[int, int]) -> float:
        """About how long all the runs take, for images of size (H, W)."""
        height, width = image_shape
        return height * width * sum(run.passes * self._of(run.prior) for run in runs)

    def learn(self, runs: Sequence[Settings], image_shape: tuple[int, int], seconds: float) -> None:
        """Runs have ended, after so many seconds: the next ones are expected to be as fast."""
        passes, names = sum(run.passes for run in runs), {run.prior for run in runs}
        if passes >= PASSES_THAT_TELL and len(names) == 1:
            self._learned[names.pop()] = seconds / (passes * image_shape[0] * image_shape[1])

    def _of(self, prior: str) -> float:
        if prior in self._learned:
            return self._learned[prior]
        own = self._learned.get(EMBEDDED) or self._fastest()
        return own if prior == EMBEDDED else own * priors.weight(prior)

    def _fastest(self) -> float:
        """The best of all measurements: what else the machine does makes it slower, and nothing makes it faster."""
        if time.monotonic() >= self._measured_at + MEASURED_AGAIN:
            self._measured = min(self._measured, seconds_per_pixel(load_prior()))
            self._measured_at = time.monotonic()
        return self._measured
