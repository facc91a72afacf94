"""A page that was loaded anew, by its visitor or because the connection was lost, comes back to what it had begun.

The job goes on under the page that began it; this one asks now and then what is new, which needs no place in the queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from inverse.web.elements.controls import Values
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.trail import found
from inverse.web.jobs.turn import WAITING, follow
from inverse.web.page.handlers import LIGHT
from inverse.web.page.page import Page, Updates

if TYPE_CHECKING:
    from inverse.web.page.jobs import Place

EVERY = 0.5
"""Seconds between two questions."""
GONE = (
    "What this page had begun is not here any more: it was away for too long, or the server was started again. "
    "Start it once more."
)

Told = dict[str, dict[Any, Any] | None]
"""What the page was told of each job that it came back to, by element; None once it was told all of it."""


def wire(page: Page, places: Sequence[Place]) -> None:
    """Has a page that opens come back to the jobs of those places."""
    named = {place.start.elem_id or "": place for place in places}
    asking, told = gr.Timer(EVERY, active=False), gr.State({})

    def back(values: Values) -> Updates:
        value, starts = values[page.again], values[page.starts]
        tokens = value.get("back") if isinstance(value, dict) else None
        changes, followed = Updates(), Told()
        for name, token in tokens.items() if isinstance(tokens, dict) else ():
            place = named.get(name)
            if place is None or name in starts.under_way:
                continue
            job = found(token, name)
            if job is None:
                changes[place.seen[0]] = {"phase": "failed", "message": GONE}
                continue
            followed[name] = {}
            changes |= {
                place.start: starts.begin(place.start, token), place.stop: gr.update(interactive=True),
                place.state: job,
            }  # fmt: skip
        return {
            **changes,
            told: followed,
            asking: gr.Timer(active=bool(followed)),
            page.again: {"tokens": starts.tokens},
        }

    def ask(values: Values) -> Updates:
        followed: Told = values[told]
        changes = Updates()
        for name, sent in [*followed.items()]:
            place = named[name]
            job: Lifecycle = values[place.state]
            if sent is None:  # the page has it, since it asks again
                job.trail.taken()
                del followed[name]
                continue
            news, ended = _news(place, job, sent)
            changes |= news
            if ended:
                changes |= place.idle(page, values[page.starts])
                followed[name] = None
        return {**changes, asking: gr.skip() if followed else gr.Timer(active=False)}

    seen = [element for place in places for element in place.seen]
    states = [place.state for place in places]
    buttons = [button for place in places for button in (place.start, place.stop)]
    outputs = [*seen, *buttons, page.again, asking]
    page.again.play(back, {page.again, page.starts}, [*outputs, *states, told], **LIGHT)
    asking.tick(ask, {told, page.starts, *states}, outputs, **LIGHT)


def _news(place: Place, job: Lifecycle, sent: dict[Any, Any]) -> tuple[Updates, bool]:
    """What was not told yet of a job, and whether that is all."""
    ended, waits = job.trail.over, None
    if not ended:
        try:
            waits = follow(job.trail)
        except LookupError:
            ended = True
    news = job.trail.news(sent)
    if job.begun:
        if ended and not job.trail.over:  # it was broken off
            news |= place.shown(job.stop())
    elif ended:
        phase, words = ("stopped", "Stopped before it began.") if job.stopping else ("failed", place.refused)
        news[place.seen[0]] = job.told(phase, words)
    else:
        news[place.seen[0]] = job.told("waiting", waits.words if waits else WAITING)
    return news, ended
