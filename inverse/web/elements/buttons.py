"""The two buttons of whatever takes a while: one starts it, one stops it, by pointer or by keys (`base/page.js`)."""

from __future__ import annotations

from typing import Literal

import gradio as gr


def start_and_stop(
    words: str, name: str, *, stop: str = "", variant: Literal["primary", "secondary"] = "secondary", width: int = 140
) -> tuple[gr.Button, gr.Button]:
    """Both, the second not to be pressed yet.

    Args:
        words: what the first says.
        name: its element id.
        stop: that of the second; "stop-" and the first one's when empty.
        variant: of the first.
        width: least of the first, in pixels.
    """
    return (
        gr.Button(words, variant=variant, elem_id=name, elem_classes="inv-start", scale=0, min_width=width),
        gr.Button(
            "Stop", elem_id=stop or f"stop-{name}", elem_classes="inv-stop", interactive=False, scale=0, min_width=90
        ),
    )
