"""The results of this visit, as cards under the player. The browser keeps them; the server only says what they are.

A result comes to the page once, in the viewer's last value, and the page does the rest: it shows an earlier result,
names the settings in which it differs from the present ones, and lays two over each other. "Use these settings" hands
the result's own PNG to "Load settings", so that nothing on the server remembers what a visitor once ran.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from inverse.denoisers.cards import EMBEDDED, short
from inverse.results.record import Record
from inverse.settings import Settings
from inverse.web.base.pictures import jpeg
from inverse.web.elements.curves import tidy
from inverse.web.elements.element import element

THUMB = 128
"""Longer side of a card's picture, in pixels."""


def card(settings: Settings, origin: dict[str, str], record: Record) -> dict[str, Any]:
    """What a card says of a run, and what it is compared by.

    Args:
        settings: of the run.
        origin: of its pictures, as `Job.origin` tells them apart.
        record: of how it ended.
    """
    assert record.image is not None
    thumb = record.image.copy()
    thumb.thumbnail((THUMB, THUMB), Image.Resampling.LANCZOS)
    residual = record.quality["residual"] if settings.sigma_y else record.residual
    return {
        **now(settings, origin),
        "task": settings.damage.title,
        "solver": settings.solver.title + ("" if settings.prior == EMBEDDED else f", {short(settings.prior)}"),
        "psnr": tidy(record.quality["psnr"]),
        "residual": tidy(residual),
        "seconds": round(record.seconds, 2),
        "step": record.step,
        "total": record.total,
        "thumb": jpeg(thumb, 85),
    }


def now(settings: Settings, origin: dict[str, str]) -> dict[str, Any]:
    """What stands on the page, for the cards to differ from."""
    return {"settings": plain(settings), "origin": origin}


def plain(settings: Settings) -> dict[str, Any]:
    """The settings without the picture that a task may need, which `origin` stands for."""
    return replace(settings, auxiliary="").to_dict()


def history() -> gr.HTML:
    """The cards; is given {"settings", "origin"} of what stands on the page now."""
    return element("history", None, elem_id="history")
