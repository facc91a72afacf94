"""What is wrong with the photo, in plain words to be ticked, and what may be expected of a restoration."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import gradio as gr

from inverse.diagnosis import Diagnosis
from inverse.diagnosis.kinds import EXPECTED, TITLES
from inverse.web.elements import damaged
from inverse.web.elements.element import element


def faults() -> gr.HTML:
    """Is given `found`; its value has the kinds that are ticked, too. Fires `release` when they have changed."""
    kinds = [
        {"kind": kind, "title": title, "expected": EXPECTED[kind], "close": damaged.close(kind)}
        for kind, title in TITLES.items()
    ]
    return element("faults", None, given={"kinds": kinds}, label="What is wrong", elem_id="faults")


def found(diagnosis: Diagnosis | None, ticked: Collection[str] = ()) -> dict[str, Any]:
    """The value of the element."""
    seen = {} if diagnosis is None else {each.kind: each.words for each in diagnosis.findings}
    return {"found": seen, "suggested": [] if diagnosis is None else diagnosis.suggested, "ticked": [*ticked]}


def ticked(value: Any) -> list[str]:
    """The kinds that are ticked, of those that there are."""
    named = value.get("ticked") if isinstance(value, dict) else None
    return [kind for kind in TITLES if isinstance(named, list) and kind in named]
