"""Settings in and out of the page: a file, a link, what the browser kept, and the run in other words to copy."""

from __future__ import annotations

import html
from contextlib import suppress
from dataclasses import replace
from typing import Any

import gradio as gr

from inverse.errors import ImageError, InverseError
from inverse.imaging import strokes
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.settings import CLEAN, Settings, snippets
from inverse.settings.carriers import read, unpack
from inverse.web.base.guards import decoded, uploaded, uploaded_bytes
from inverse.web.base.pictures import from_uri
from inverse.web.elements import damaged, faults, photos
from inverse.web.elements.controls import Values
from inverse.web.elements.picker import DAMAGED
from inverse.web.jobs import offers
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.page import choices
from inverse.web.page.adopting import adopt
from inverse.web.page.choices import OWN, shown_photo
from inverse.web.page.page import Page, Updates

NOTHING = {"code": ""}
"""The value of the menu while what is chosen cannot be run."""


def arrived(page: Page, values: Values) -> Updates:
    """A settings file was chosen or dropped, or the page was opened with a link or with settings that were kept.

    Raises:
        ParameterError: there are no settings in it, or they are not allowed.
    """
    value = values[page.share] if isinstance(values[page.share], dict) else {}
    if "path" in value:
        data = read(uploaded_bytes(value["path"]))
    elif "link" in value:
        data = unpack(value["link"])
    elif "example" in value and "kept" not in value:
        return choices.damaged_example(page, values, str(value["example"]))
    elif "kept" in value:
        try:
            return _again(page, values, offers.understood(unpack(value["kept"]))[0], value)
        except InverseError:  # of an older program, say; the visitor did not ask for it just now
            return {page.share: gr.skip()}
    else:
        return {page.share: gr.skip()}
    settings, notes = offers.understood(data)
    for note in notes:
        gr.Warning(html.escape(note, quote=False), duration=12)
    return _adopted(page, values, settings)


def _again(page: Page, values: Values, settings: Settings, value: dict[str, Any]) -> Updates:
    """What the browser kept: settings and, of a tab that was reloaded, the photo and what was drawn on it."""
    name = str(value.get("example") or "")
    try:
        if name:
            (photo, file), caption = photos.example(name), choices.caption_of(name)
        else:
            (photo, file), caption = photos.received(value.get("photo")), OWN
    except ImageError:  # none of one's own; or the server has it no more
        return _adopted(page, values, _without_photo(settings))
    changes = shown_photo(page, photo, file, caption) | adopt(page, settings, photo, values[page.auxiliary])
    if settings.degraded:
        example = name.startswith(DAMAGED)
        seen = diagnosed(damaged.file(file.name) if example else uploaded(value["photo"]) if file.own else photo)
        changes |= {page.diagnosis: seen, page.faults: faults.found(seen, faults.ticked(value))}
    for pad, name, load in ((page.mask, "mask", decoded), (page.strokes, "strokes", strokes.load)):
        with suppress(ImageError):
            if value.get(name) and from_uri(value[name], load) is not None:
                changes[pad] = {"mask": value[name], "load": True}
    return changes


def _without_photo(settings: Settings) -> Settings:
    """Settings that the browser kept, for the example: it did not keep the photo, nor how noisy that was."""
    if not settings.degraded:
        return settings
    gr.Info("Your photo was not kept. Choose it again.", duration=8)
    return replace(settings, mode=CLEAN, sigma_y=DEFAULT_SIGMA_Y, size=offers.DEFAULT_SIZE)


def _adopted(page: Page, values: Values, settings: Settings) -> Updates:
    return adopt(page, settings, values[page.photo], values[page.auxiliary])


def copies(used: Settings, keep: bool = True) -> dict[str, Any]:
    """The value of the menu: a run with these settings in other words; `keep` lets the browser keep them."""
    return {
        "command line": snippets.command_line(used),
        "Python": snippets.python(used),
        "JSON": used.to_json(indent=1) + "\n",
        "code": used.link,
        "keep": keep,
    }
