"""What the server keeps for a page: bounded in number and in bytes, and gone a while after the page is."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from datetime import datetime

from fastapi import HTTPException

from inverse.web.base import limits
from inverse.web.base.gradio_internals import Session, SessionState, StateHolder
from inverse.web.base.held import kept

LONGEST_NAME = 100
"""Characters of a session's name; Gradio's have 11, or 36."""
REMEMBERED = 10_000
"""Names of sessions that were let go, so that their pages can be told."""
WITHOUT_PAGE = 60
"""Seconds that a session is kept that never had a page, as that of a program."""
UNFIT = "This request does not name its page as pages do. Reload the page and try again."
GONE = "The server has let go of this page's photo, because the page was away for long or many came. Reload the page."


class Sessions(StateHolder):
    """Gradio's sessions. One that was let go is refused: it would silently go on with the example photo."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: Counter[str] = Counter()
        self.left: dict[str, float] = {}
        self.gone: OrderedDict[str, None] = OrderedDict()

    def __getitem__(self, session_id: str) -> SessionState:
        if len(session_id) > LONGEST_NAME:
            raise HTTPException(400, UNFIT)
        if session_id in self.gone:
            raise HTTPException(410, GONE)
        if session_id not in self.session_data:
            self.session_data[session_id] = Session(self.blocks)
        state = super().__getitem__(session_id)
        if len(self.session_data) > limits.current().sessions:
            self._make_room()
        return state

    def update(self, session_id: str) -> None:
        """Notes that it was used. Gradio would let the oldest go here, without a word to its page."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)

    def page_opened(self, session: str) -> None:
        """A page holds its heartbeat stream open."""
        self.pages[session] += 1
        self.left.pop(session, None)

    def page_closed(self, session: str) -> None:
        self.pages[session] -= 1
        if self.pages[session] <= 0:
            del self.pages[session]
            if session in self.session_data:
                self.left[session] = time.monotonic()

    def forget_idle(self, busy: set[str]) -> bool:
        """Lets go of sessions without a page, and of those that keep most where all together keep too much.

        Args:
            busy: sessions that have a job or a stream.

        Returns:
            whether there was one.
        """
        count = len(self.session_data)
        for name in list(self.session_data):
            if name in self.pages or name in busy:
                continue
            unused = (datetime.now() - self.time_last_used[name]).total_seconds()
            away = time.monotonic() - self.left[name] if name in self.left else None
            if unused > WITHOUT_PAGE if away is None else min(unused, away) > limits.current().idle:
                self.let_go(name, remember=away is not None)
        self._bound_bytes(busy)
        return len(self.session_data) < count

    def let_go(self, name: str, remember: bool) -> None:
        """Forgets a session; `remember` when a page may still come back to it."""
        self.session_data.pop(name, None)
        self.time_last_used.pop(name, None)
        self.left.pop(name, None)
        if remember:
            self.gone[name] = None
            while len(self.gone) > REMEMBERED:
                self.gone.popitem(last=False)

    def _make_room(self) -> None:
        """Lets the session go that was used longest ago, rather one without a page."""
        newest = next(reversed(self.session_data))
        others = [name for name in self.session_data if name != newest]
        without = [name for name in others if name not in self.pages]
        name = (without or others)[0]
        self.let_go(name, remember=True)

    def _bound_bytes(self, busy: set[str]) -> None:
        """Lets sessions go until the rest keeps no more than it may: those first that keep most, as no usual one does.

        One that has a job stays, since the job would keep what it needs all the same.
        """
        sizes = {name: kept(state.state_data) for name, state in [*self.session_data.items()]}
        total = sum(sizes.values())
        for name in sorted((name for name in sizes if name not in busy), key=lambda name: -sizes[name]):
            if total <= limits.current().kept * 2**20:
                return
            self.let_go(name, remember=True)
            total -= sizes[name]
