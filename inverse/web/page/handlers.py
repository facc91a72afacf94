"""How a handler of the page is called."""

from __future__ import annotations

from collections.abc import Callable

from inverse.web.base.guards import spoken_errors
from inverse.web.base.turns import heavy
from inverse.web.elements.controls import Values
from inverse.web.page.page import Page, Updates

LIGHT = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
"""For handlers that take milliseconds and refuse nothing: they neither wait nor are turned away."""
SPOKEN = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
"""For quick handlers that may refuse: without the queue, Gradio answers 500 and shows no words."""


def light(page: Page, handler: Callable[[Page, Values], Updates], newest: bool = False) -> Callable[[Values], Updates]:
    """A handler of the page that works in its turn, with its errors spoken; `newest` as in `turns.heavy`."""

    def spoken(values: Values) -> Updates:
        with spoken_errors():
            return handler(page, values)

    return heavy(spoken, newest)
