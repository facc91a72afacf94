"""The terminal: sentences are printed as they are, however they look like markup or like commands to it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.progress import ProgressColumn, Task
from rich.text import Text

from inverse.text import visible


class Terminal(Console):
    """A console for which a string is text and nothing else; colours come from rich's tables and bars."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(markup=False, emoji=False, **settings)

    def render_str(self, text: str, **style: Any) -> Text:
        return super().render_str(visible(text, lines=True), **style)


class Description(ProgressColumn):
    """What a progress bar is about."""

    def render(self, task: Task) -> Text:
        return Text(visible(task.description))
