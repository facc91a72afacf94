"""Which of the buttons that start something can be pressed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import gradio as gr


@dataclass
class Starts:
    """Of one page. A button can be pressed while nothing of it is under way and what is chosen can be run.

    Handlers that run side by side change it: each writes what it knows before it reads what the others know.

    Attributes:
        under_way: ids of buttons whose job waits or runs, each with the token by which its page comes back to it.
        unfit: ids of buttons for which something that is chosen is missing or wrong.
    """

    under_way: dict[str | None, str] = field(default_factory=dict)
    unfit: set[str | None] = field(default_factory=set)

    @property
    def tokens(self) -> dict[str | None, str]:
        """Of the jobs that the page can come back to, by the ids of their buttons."""
        return {button: token for button, token in self.under_way.items() if token}

    def begin(self, button: gr.Button, token: str = "") -> Any:
        """The update of a button that was pressed."""
        self.under_way[button.elem_id] = token
        return self._update(button)

    def end(self, button: gr.Button, **changes: Any) -> Any:
        """The update of a button whose job is over, with other `changes` of it."""
        self.under_way.pop(button.elem_id, None)
        return self._update(button, **changes)

    def judge(self, button: gr.Button, fit: bool, **changes: Any) -> Any:
        """The update of a button after something was chosen, with other `changes` of it."""
        (self.unfit.discard if fit else self.unfit.add)(button.elem_id)
        return self._update(button, **changes)

    def _update(self, button: gr.Button, **changes: Any) -> Any:
        can = button.elem_id not in self.unfit and button.elem_id not in self.under_way
        return gr.update(interactive=can, **changes)
