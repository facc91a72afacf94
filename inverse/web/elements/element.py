"""What every element of our own is made of: constants, and the markup, the script and the style beside it."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import gradio as gr

from inverse.web.base.files import source


def element(
    script: str, value: Any, markup: str | None = None, given: Mapping[str, Any] | None = None, **settings: Any
) -> gr.HTML:
    """A page element, brought to life by the default export of `script`.js.

    Args:
        script: name of the module.
        value: it starts with.
        markup: a template of Gradio's; that of `script`.html when None.
        given: constants for the script. Gradio drops properties of a component that is updated while it is hidden.
        settings: of `gr.HTML`.
    """
    tools = "{ element, props, trigger, watch, upload }"
    return gr.HTML(
        value,
        html_template=template(script) if markup is None else markup,
        js_on_load=f"inverse.mount({json.dumps(script)}, {tools}, {json.dumps(given or {})})",
        apply_default_css=False,
        **settings,
    )


@cache
def template(name: str) -> str:
    """The markup of an element."""
    return source(f"elements/{name}.html")


def literal(value: Any) -> str:
    """Text that stands for itself in HTML, in Handlebars and in a JavaScript template literal, which markup is."""
    return "".join(f"&#{ord(c)};" if c in "\\`${}" else c for c in html.escape(str(value)))
