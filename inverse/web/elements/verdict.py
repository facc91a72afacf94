"""What can honestly be said of a restoration, a line a finding, with a button where something may help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from inverse.web.elements.element import element

MARKS = {"good": ("✓", "Good"), "doubt": ("?", "Doubtful"), "bad": ("✕", "Bad")}
"""By level: a mark to look at, and a word for those who hear it."""


def verdict() -> gr.HTML:
    """Is given `said`. A press of a button sets "asked" in its value, and fires `release`."""
    return element("verdict", said(), given={"marks": MARKS}, elem_id="verdict")


def said(findings: Sequence[Mapping[str, Any]] | None = None) -> dict[str, Any]:
    """The value of the element: of a run that has ended its findings, as a view has them at "verdict"."""
    return {"findings": [*(findings or ())], "asked": None}


def asked(value: Any) -> dict[str, Any]:
    """The changes of the settings that were asked for, by name, as `Remedy` takes them; none where none was."""
    changes = value.get("asked") if isinstance(value, dict) else None
    return {str(name): change for name, change in changes.items()} if isinstance(changes, dict) else {}
