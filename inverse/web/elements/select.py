"""One of several words, as `number` is one of many numbers."""

from __future__ import annotations

from collections.abc import Mapping

import gradio as gr

from inverse.parameters import Choice
from inverse.web.elements.element import element, literal


def select(spec: Choice, value: str, *, name: str, label: str, words: Mapping[str, str], elem_id: str) -> gr.HTML:
    """Fires `release`.

    Args:
        spec, value, name, label, elem_id: as for `number`.
        words: what people read for each option.
    """
    options = "".join(f'<option value="{literal(each)}">{literal(words[each])}</option>' for each in spec.options)
    markup = MARKUP.format(
        label=literal(label),
        name=literal(name),
        limits=literal(spec.limits),
        options=options,
        help=literal(" ".join(filter(None, [spec.help, spec.effect]))),
    )
    return element("select", value, markup, label=label, elem_id=elem_id, elem_classes=["inv-number", "inv-select"])


MARKUP = """
<div class="inv-number-row">
  <span class="inv-label" title="{name}: {limits}">{label}</span>
  <button type="button" class="inv-ask" aria-expanded="false" aria-label="About {label}">?</button>
</div>
<select aria-label="{label}" data-parameter="{name}">{options}</select>
<p class="inv-help" hidden>{help}</p>
"""
