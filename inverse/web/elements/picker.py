"""The photo picker: drop, paste, browse, or an example.

Gradio's own image field refuses damaged files without words, and leaves a file per frame.
"""

from __future__ import annotations

from functools import cache

import gradio as gr
from PIL import Image

from inverse.resources import EXAMPLES
from inverse.settings.carriers import KEY
from inverse.web.base import limits
from inverse.web.base.pictures import jpeg
from inverse.web.elements import damaged
from inverse.web.elements.element import element, literal, template

EXAMPLE_TITLES = {
    "chelsea": "Chelsea the cat",
    "astronaut": "Astronaut Eileen Collins",
    "coffee": "Cup of coffee",
    "rocket": "Rocket launch",
    "hubble": "Hubble deep field",
}
"""Good photos."""
DAMAGED = "damaged/"
"""What the name of an example begins with that is damaged already; the kind of damage follows."""


def picker(value: dict[str, str]) -> gr.HTML:
    """Fires `upload` with {"path"} or {"example"}; is given `picked`."""
    examples = "".join(
        EXAMPLE.format(name=name, title=literal(title), thumb=_thumbnail(name))
        for name, title in EXAMPLE_TITLES.items()
    )
    ill = "".join(
        EXAMPLE.format(name=f"{DAMAGED}{kind}", title=literal(title), thumb=damaged.whole(kind))
        for kind, title in damaged.examples().items()
    )
    given = {"megabytes": limits.current().body, "key": f"iTXt{KEY}\0"}  # by which a PNG is known that carries settings
    markup = template("picker").format(examples=examples, damaged=ill)
    return element("picker", value, markup, given, label="Photo", elem_id="photo")


def picked(photo: Image.Image, caption: str) -> dict[str, str]:
    """What the picker shows of the photo that is in use."""
    thumb = photo.copy()
    thumb.thumbnail((128, 128))
    return {"thumb": jpeg(thumb), "caption": caption}


@cache
def _thumbnail(name: str) -> str:
    with Image.open(EXAMPLES / f"{name}.jpg") as image:
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        return jpeg(image.crop((left, top, left + side, top + side)).resize((96, 96), Image.Resampling.LANCZOS), 82)


EXAMPLE = """<button type="button" data-example="{name}" title="{title}"
><img src="{thumb}" alt="Example: {title}"></button>"""
