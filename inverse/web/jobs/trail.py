"""What a job leaves for a page that comes back to it: what was shown last, by a token that only its page was told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from inverse.web.jobs.line import Ask

if TYPE_CHECKING:
    from inverse.web.jobs.lifecycle import Lifecycle

LONGEST_TOKEN = 100
"""Characters of what a client may send as one."""
_jobs: WeakValueDictionary[str, Lifecycle] = WeakValueDictionary()
"""Jobs by token. They last as long as a session or a handler has them, so nothing is kept for this alone."""


@dataclass
class Trail:
    """Of one job. Its handler writes it, and those of pages that come back read it.

    Attributes:
        name: the kind of job, by which the page knows where it belongs.
        token: what a page finds the job by; empty until `known` gives one.
        ask: its place in the queue; None outside a server.
        newest: what was shown last, by element; empty once a page has all of it.
        over: whether the job's handler has ended.
        deserted: whether it ended because nobody listened any more.
    """

    name: str = ""
    token: str = ""
    ask: Ask | None = None
    newest: dict[Any, Any] = field(default_factory=dict)
    over: bool = False
    deserted: bool = False

    def show(self, values: Mapping[Any, Any]) -> None:
        """These values, by element, were sent to the page; kept where a page may come back."""
        if self.token:
            self.newest = {**self.newest, **values}  # a new one: others read it meanwhile

    def taken(self) -> None:
        """A page has all of it, so it is not kept any more."""
        self.newest = {}

    def news(self, sent: dict[Any, Any]) -> dict[Any, Any]:
        """What was shown since a page was told; `sent` is what it was told until now, and is brought up to date."""
        newest = self.newest
        found = {element: value for element, value in newest.items() if sent.get(element) is not value}
        sent.update(found)
        return found


def known(job: Lifecycle, name: str) -> str:
    """Has a job found by its name and its token from now on, which is returned; nobody can guess it."""
    job.trail.name = name
    job.trail.token = secrets.token_urlsafe(24)
    _jobs[job.trail.token] = job
    return job.trail.token


def found(token: Any, name: str) -> Lifecycle | None:
    """The job of a token and of that name; None where there is none, or no longer."""
    job = _jobs.get(token) if isinstance(token, str) and 0 < len(token) <= LONGEST_TOKEN else None
    return job if job is not None and job.trail.name == name else None
