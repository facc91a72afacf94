"""The switch between the two views of the page: Simple, for a damaged photo, and Lab, with everything.

Nothing but what is shown differs: what is chosen in one holds in the other. What Simple leaves out stands in
`base/views.css`.
"""

from __future__ import annotations

import gradio as gr

from inverse.web.elements.element import element


def view() -> gr.HTML:
    """The switch. It works in the browser alone: the address, the tab and the browser remember it, in this order."""
    return element("view", None, label="View", elem_id="view")
