"""Jobs whose pages may be away: which may be come back to, and when somebody listened to each last."""

from __future__ import annotations

import time
from collections.abc import Container
from dataclasses import dataclass, field

from inverse.web.jobs.line import Ask


@dataclass
class Away:
    """The jobs of pages that hold a token of theirs.

    Attributes:
        heard: when somebody listened to a job last, by session and number of the function.
        pages: sessions of pages that were loaded anew and came back to it.
    """

    heard: dict[Ask, float] = field(default_factory=dict)
    pages: dict[Ask, set[str]] = field(default_factory=dict)

    def hear(self, job: Ask, page: str | None = None) -> None:
        """Somebody listens to it now: the page that asked for it, or one that came back."""
        self.heard[job] = time.monotonic()
        if page is not None and page != job[0]:
            self.pages.setdefault(job, set()).add(page)

    def __contains__(self, job: Ask) -> bool:
        """Whether a page may come back to it."""
        return job in self.heard

    def silence(self, job: Ask) -> float:
        """Seconds since somebody listened to it."""
        return time.monotonic() - self.heard[job]

    def watched(self, job: Ask, pages: Container[str]) -> bool:
        """Whether a page that came back to it is among those that are open."""
        return any(page in pages for page in self.pages.get(job, ()))

    def forget(self, job: Ask) -> None:
        """It is over, or will not come."""
        self.heard.pop(job, None)
        self.pages.pop(job, None)
