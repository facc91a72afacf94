"""Several photos, one after another: names that are kept apart, one that fails without ending the rest, and the sum."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

NAMED = 5
"""Photos that failed which a sum names, at most."""
DONE, FAILED, SKIPPED = "restored", "failed", "skipped"
WORDS = {DONE: "restored", SKIPPED: "there already"}
log = logging.getLogger(__name__)


@dataclass
class Tally:
    """What has come of how many photos.

    Attributes:
        total: photos.
        counts: of those that are over, by what came of them.
        failed: names of those that failed.
    """

    total: int
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def add(self, status: str, name: str) -> None:
        """One is over."""
        self.counts[status] += 1
        if status == FAILED:
            self.failed.append(name)

    @property
    def words(self) -> str:
        """The sum, a sentence: "20 photos: 17 restored; 1 failed: scan_07.jpg; 2 not begun." """
        parts = [f"{self.counts[status]} {said}" for status, said in WORDS.items() if self.counts[status]]
        if self.failed:
            names = ", ".join(self.failed[:NAMED]) + (", ..." if len(self.failed) > NAMED else "")
            parts.append(f"{len(self.failed)} failed: {names}")
        left = self.total - self.counts.total()
        parts += [f"{left} not begun"] if left else []
        return f"{self.total} photos: {'; '.join(parts or ['none restored'])}."


def free(name: str, taken: Collection[str]) -> str:
    """The name of a file, or with -2, -3, ... before its ending where it is taken."""
    number, whole = 2, Path(name)
    while name in taken:
        name, number = f"{whole.stem}-{number}{whole.suffix}", number + 1
    return name


def fault(error: Exception) -> str:
    """The sentence for a fault of the program, from which the other photos need not suffer."""
    log.error("unexpected error", exc_info=error)
    return f"It failed inside the program ({type(error).__name__}). Report it, with the photo."
