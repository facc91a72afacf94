"""The app's page without a browser: what it calls when a visitor does something, as the page itself is told it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import gradio as gr

from inverse.web.base.gradio_internals import functions
from inverse.web.elements import photos
from inverse.web.page import events, layout
from inverse.web.page.page import Page, Updates
from inverse.web.page.starts import Starts
from inverse.web.page.tab import Tab


def built() -> Page:
    """The whole page, as nobody touched it."""
    page = layout.build()
    events.wire(page)
    return page


def values_of(page: Page) -> dict[gr.Component, Any]:
    """What Gradio would send for an untouched page."""
    return {component: component.value for component in {*page.choices, page.mask, page.strokes, page.solver_by_hand}}


def sent(page: Page, **changes: Any) -> dict[gr.Component, Any]:
    """The same with the example photo and with the tabs, before anything ran; with changes by the names of `part`."""
    photo, file = photos.example("chelsea")
    values = {**values_of(page), page.photo: photo, page.photo_file: file, page.auxiliary: {}, page.mask: None}
    values[page.strokes] = None
    values |= {
        page.starts: Starts(),
        page.latest: None,
        page.full.state: None,
        page.many.state: None,
        page.treat.state: None,
        page.treat.place: None,
        page.diagnosis: None,
        page.full.keep: False,
        page.many.full: True,
        page.many.keep: False,
        page.many.mask: page.many.mask.value,
        **{tab.batch: None for tab in page.tabs},
    }
    tabs = [part for tab in page.tabs for part in tab.inputs]
    values |= {component: component.value for component in tabs}
    values[page.settings["size"]] = 128
    return {**values, **{part(page, name): value for name, value in changes.items()}}


def changed(values: dict[gr.Component, Any], changes: Updates) -> dict[gr.Component, Any]:
    """The values with what was changed; updates that are no values change none."""
    plain = {each: value for each, value in changes.items() if not isinstance(value, dict) or "__type__" not in value}
    updates = {each: update["value"] for each, update in changes.items() if each not in plain and "value" in update}
    return {**values, **plain, **updates}


def part(page: Page, name: str) -> gr.Component:
    """A component of the page or of one of its tabs."""
    return next(parts[name] for parts in (page.settings, *map(vars, (page, *page.tabs))) if name in parts)


def sweep_of(page: Page) -> Tab:
    return page.tabs[0]


def compare_of(page: Page) -> Tab:
    return page.tabs[1]


def preview(page: Page, values: dict[gr.Component, Any]) -> Updates:
    """What follows from all that is chosen, as after a change of the seed."""
    return behind(page, page.settings["seed"], "release")(values)


def behind(page: Page, component: gr.Component, event: str) -> Callable[..., Any]:
    """What is called when this happens to a component that has a name."""
    return functions(page.blocks)[_first(page, component, event)].fn


def outputs(page: Page, component: gr.Component, event: str) -> list[gr.Component]:
    """What may be changed then."""
    return list(functions(page.blocks)[_first(page, component, event)].outputs)


def after(page: Page, component: gr.Component, event: str) -> Callable[..., Any]:
    """What is called once that was done."""
    first = _first(page, component, event)
    (found,) = [each["id"] for each in _config(page.blocks)["dependencies"] if each["trigger_after"] == first]
    return functions(page.blocks)[found].fn


def _first(page: Page, component: gr.Component, event: str) -> int:
    """The number of a handler; what Gradio keeps under the same button for jobs to be cancelled is none."""
    config = _config(page.blocks)
    (number,) = [part["id"] for part in config["components"] if part["props"].get("elem_id") == component.elem_id]
    (found,) = [
        each["id"] for each in config["dependencies"]
        if (number, event) in map(tuple, each["targets"]) and not each["cancels"]
    ]  # fmt: skip
    return found


@lru_cache(maxsize=1)
def _config(blocks: gr.Blocks) -> dict[str, Any]:
    return blocks.get_config_file()
