"""How far a restoration at full size is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Between two passes of the network.

    Attributes:
        share: of the work that is done, on [0, 1].
        words: the same, in windows or blocks.
        finished, count: of these.
    """

    share: float
    words: str
    finished: int
    count: int
