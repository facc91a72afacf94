"""Work on the CPU beside the device: previews and photos, a few at a time, one a session, the newest of what is alike.

Whoever waits does so without a thread: those are few, and everything else needs them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from inverse.errors import ProblemError

AT_ONCE = 2
MOST_WAITING = 64
CROWDED = "Many visitors choose photos and settings just now. Try again in a minute."


class Superseded(Exception):
    """A newer one has come, and nobody wants this one's result."""


@dataclass(eq=False)
class Waiter:
    """Who waits for a turn: of which session, whether a newer one takes its place, and how it is called."""

    session: str
    newest: bool
    called: asyncio.Future


def heavy(function: Callable, newest: bool = False) -> Callable:
    """Marks a handler as work that waits for its turn; `newest` if a newer one makes it superfluous."""
    function.turn = newest
    return function


class Turns:
    """Who works, and who waits."""

    def __init__(self) -> None:
        self.working: set[str] = set()
        self.waiting: list[Waiter] = []

    @asynccontextmanager
    async def turn(self, session: str, newest: bool) -> AsyncIterator[None]:
        """Waits for a turn, which lasts as long as the context.

        Raises:
            Superseded: it is no longer wanted.
            ProblemError: too many wait.
        """
        for each in [each for each in self.waiting if newest and each.newest and each.session == session]:
            self.waiting.remove(each)
            each.called.set_exception(Superseded())
        if len(self.waiting) >= MOST_WAITING:
            raise ProblemError(CROWDED)
        waiter = Waiter(session, newest, asyncio.get_running_loop().create_future())
        self.waiting.append(waiter)
        self._call()
        try:
            await waiter.called
            yield
        finally:
            if waiter in self.waiting:
                self.waiting.remove(waiter)
            elif not waiter.called.cancelled() and waiter.called.exception() is None:
                self.working.remove(session)
                self._call()

    def _call(self) -> None:
        for each in [*self.waiting]:
            if len(self.working) >= AT_ONCE:
                return
            if each.session not in self.working and not each.called.done():
                self.waiting.remove(each)
                self.working.add(each.session)
                each.called.set_result(None)


def turn_of(function: Any) -> bool | None:
    """What `heavy` said of a handler; None for one that it was not said of."""
    return getattr(function, "turn", None)
