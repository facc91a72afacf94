"""Our own page elements: factories of `gr.HTML`, each with its markup here and its behaviour in static/<name>.js.

Why not Gradio's: its Slider has no logarithmic scale and refuses values without naming the field; its Image refuses
damaged files without words and leaves a file per frame; its ImageEditor uploads full-size layers on every event.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from functools import cache
from typing import Any

import gradio as gr
from PIL import Image

from inverse.parameters import Choice, Integer, Real
from inverse.resources import EXAMPLES
from inverse.web.base import limits
from inverse.web.base.pictures import jpeg
from inverse.web.base.theme import source

EXAMPLE_TITLES = {
    "chelsea": "Chelsea the cat",
    "astronaut": "Astronaut Eileen Collins",
    "coffee": "Cup of coffee",
    "rocket": "Rocket launch",
    "hubble": "Hubble deep field",
}


def number(
    spec: Real | Integer,
    value: float | None,
    *,
    name: str,
    label: str,
    help: str = "",
    slider: bool = True,
    also: tuple[float, str] | None = None,
    without: str = "",
    elem_id: str | None = None,
) -> gr.HTML:
    """A labelled number with a slider, a question mark that explains it, and a word when it is out of range.

    Fires `input` while it moves and `release` when it rests. Whatever it holds is checked again by the library.

    Args:
        spec: range, unit, scale and help.
        value: where it starts.
        name: what the library calls it.
        label: what people read.
        help: replaces the specification's own help and effect.
        slider: False for a bare number.
        also: (factor, words) to show the same value in another unit below.
        without: a word for no value, which is then allowed; the slider has it at its right end.
        elem_id: of the element.
    """
    data = {
        "low": spec.low,
        "high": spec.high,
        "whole": isinstance(spec, Integer),
        "log": getattr(spec, "log", False) or (isinstance(spec, Integer) and spec.high >= 100 * max(spec.low, 1)),
        "limits": spec.limits,
        "unit": spec.unit,
        "without": without,
        "also-factor": also[0] if also else 0,
        "also-words": also[1] if also else "",
    }
    # Baked into the markup: Gradio drops a component's own properties when it is updated while it is hidden.
    markup = NUMBER.format(
        data=" ".join(f'data-{key}="{_literal(entry)}"' for key, entry in data.items()),
        name=_literal(name),
        label=_literal(label),
        unit=f" <small>{_literal(spec.unit)}</small>" if spec.unit else "",
        limits=_literal(spec.limits),
        slider=f'<input type="range" aria-label="{_literal(label)}, slider">' if slider else "",
        help=_literal(help or " ".join(filter(None, [spec.help, spec.effect]))),
    )
    return gr.HTML(
        value,
        label=label,
        elem_id=elem_id,
        elem_classes=["inv-number"] + ([] if slider else ["inv-bare"]),
        html_template=markup,
        js_on_load=source("number.js"),
        apply_default_css=False,
    )


NUMBER = """
<div class="inv-number-row" {data}>
  <span class="inv-label" title="{name}: {limits}">{label}{unit}</span>
  <button type="button" class="inv-ask" aria-expanded="false" aria-label="About {label}">?</button>
  <span class="inv-also"></span>
  <input type="number" step="any" inputmode="decimal" autocomplete="off" aria-label="{label}" data-parameter="{name}">
</div>
{slider}
<p class="inv-fault" role="alert"></p>
<p class="inv-help" hidden>{help}</p>
"""


def select(spec: Choice, value: str, *, name: str, label: str, words: Mapping[str, str], elem_id: str) -> gr.HTML:
    """One of several words, as `number` is one of many numbers; fires `release`.

    Args:
        spec, value, name, label, elem_id: as for `number`.
        words: what people read for each option.
    """
    options = "".join(f'<option value="{_literal(each)}">{_literal(words[each])}</option>' for each in spec.options)
    markup = SELECT.format(
        label=_literal(label),
        name=_literal(name),
        limits=_literal(spec.limits),
        options=options,
        help=_literal(" ".join(filter(None, [spec.help, spec.effect]))),
    )
    return gr.HTML(
        value,
        label=label,
        elem_id=elem_id,
        elem_classes=["inv-number", "inv-select"],
        html_template=markup,
        js_on_load=source("select.js"),
        apply_default_css=False,
    )


SELECT = """
<div class="inv-number-row">
  <span class="inv-label" title="{name}: {limits}">{label}</span>
  <button type="button" class="inv-ask" aria-expanded="false" aria-label="About {label}">?</button>
</div>
<select aria-label="{label}" data-parameter="{name}">{options}</select>
<p class="inv-help" hidden>{help}</p>
"""


def _literal(value: Any) -> str:
    """Text that stands for itself in HTML, in Handlebars and in a JavaScript template literal, which a template is."""
    text = html.escape(str(value).lower() if isinstance(value, bool) else str(value))
    return "".join(f"&#{ord(c)};" if c in "\\`${}" else c for c in text)


def reason(text: str, *, button: str, elem_id: str) -> gr.HTML:
    """Words beside a button, which also explain it: while it cannot be pressed, they say why.

    Args:
        text: they start with.
        button: its id.
        elem_id: of the element.
    """
    return gr.HTML(
        text, elem_id=elem_id, html_template=REASON.format(button=button), js_on_load=source("reason.js"),
        apply_default_css=False,
    )  # fmt: skip


REASON = """<p data-button="{button}"></p>"""


def photo_picker(value: dict[str, str]) -> gr.HTML:
    """Drop, paste, browse, or an example. Fires `upload` with {"path"} or {"example"}; is given `picked`."""
    examples = "".join(
        EXAMPLE_BUTTON.format(name=name, title=_literal(title), thumb=_thumbnail(name))
        for name, title in EXAMPLE_TITLES.items()
    )
    return gr.HTML(
        value,
        label="Photo",
        elem_id="photo",
        html_template=PICKER.format(examples=examples, body=limits.current().body),
        js_on_load=source("picker.js"),
        apply_default_css=False,
    )


def picked(photo: Image.Image, caption: str) -> dict[str, str]:
    """What the picker shows of the photo that is in use."""
    thumb = photo.copy()
    thumb.thumbnail((128, 128))
    return {"thumb": jpeg(thumb), "caption": caption}


PICKER = """
<label class="inv-drop">
  <span class="inv-thumb"></span>
  <span class="inv-drop-words"><b>Choose a photo</b><small>or drop it here, or paste it</small></span>
  <input type="file" accept="image/png,image/jpeg,image/webp,image/bmp,image/tiff,image/gif,image/avif"
   aria-label="Choose a photo" data-megabytes="{body}">
</label>
<div class="inv-examples" role="group" aria-label="Example photos">
  {examples}
</div>
"""
EXAMPLE_BUTTON = """<button type="button" data-example="{name}" title="{title}"
><img src="{thumb}" alt="Example: {title}"></button>"""


def share_menu() -> gr.HTML:
    """Loads settings from a file (fires `upload` with {"path"}), and copies them; is given `share.copies`."""
    return gr.HTML(
        {}, label="Settings", elem_id="share", html_template=SHARE.format(body=limits.current().body),
        js_on_load=source("share.js"), apply_default_css=False,
    )  # fmt: skip


SHARE = """
<span class="inv-said" role="status" aria-live="polite"></span>
<label class="inv-small" title="A PNG that was saved here, or JSON. You can also drop it">Load settings
 <input type="file" accept=".png,.json,image/png,application/json"
  aria-label="Load settings from a PNG or JSON" data-megabytes="{body}"></label>
<div class="inv-copy">
 <button type="button" class="inv-small inv-menu-open" aria-haspopup="menu"
  aria-expanded="false">Copy as…</button>
 <div class="inv-menu" role="menu" aria-label="Copy this run as" hidden>
  <button type="button" role="menuitem" data-copy="command line">Command line</button>
  <button type="button" role="menuitem" data-copy="Python">Python</button>
  <button type="button" role="menuitem" data-copy="JSON">JSON</button>
  <button type="button" role="menuitem" data-copy="link">Link to these settings</button>
 </div>
</div>
"""


@cache
def _thumbnail(name: str) -> str:
    with Image.open(EXAMPLES / f"{name}.jpg") as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        return jpeg(image.crop((left, top, left + side, top + side)).resize((96, 96), Image.Resampling.LANCZOS), 82)


def icon() -> str:
    """The favicon as a data URI, for the page's head line."""
    return "data:image/svg+xml;base64," + base64.b64encode(source("favicon.svg").encode()).decode()
