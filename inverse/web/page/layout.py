"""Where everything stands: a rail of cards (photo, damage, method) and the stage, with tabs to restore, sweep, compare.

On a phone the stage comes after the photo; `page.css` does that.
"""

from __future__ import annotations

import base64

import gradio as gr
from PIL import Image

from inverse.denoisers.catalog import best_device
from inverse.imaging import images
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.resources import EXAMPLES
from inverse.settings import CLEAN, Settings
from inverse.solvers.presets import DEFAULT_TASK
from inverse.web.base.files import FAVICON
from inverse.web.elements.controls import setting
from inverse.web.elements.curves import curves
from inverse.web.elements.history import history
from inverse.web.elements.mask import mask
from inverse.web.elements.problem import problem
from inverse.web.elements.reason import reason
from inverse.web.elements.share import share
from inverse.web.elements.status import status
from inverse.web.elements.viewer import awaiting, viewer
from inverse.web.host import received
from inverse.web.jobs import offers, preview
from inverse.web.jobs.job import Job
from inverse.web.page import cards
from inverse.web.page.page import Page
from inverse.web.page.starts import Starts
from inverse.web.page.tab import Tab
from inverse.web.page.tabs import TABS

TITLE = "inverse: restore photos with diffusion models"
RUN = "Restore"
"""What the button says, before it says how long it takes."""
PULSE = 2
"""Seconds between two looks at the line, while something waits in it."""
KEYS = "<kbd>Ctrl</kbd> <kbd>Enter</kbd> run, <kbd>Esc</kbd> stop, hold <kbd>P</kbd> compare"


def build() -> Page:
    """The page with an example photo on it, and nothing wired yet."""
    start = _start()
    photo = images.load(EXAMPLES / f"{cards.EXAMPLE}.jpg")
    parts: dict[str, object] = {}
    with received.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        parts |= {"photo": gr.State(None), "photo_file": gr.State(None), "auxiliary": gr.State({})}
        parts |= {"latest": gr.State(None)}
        parts |= {"starts": gr.State(Starts()), "pulse": gr.Timer(PULSE, active=False)}
        parts |= {"solver_by_hand": gr.State(False)}
        with gr.Row(elem_id="top", equal_height=True):
            gr.HTML(_header(), elem_id="header", apply_default_css=False)
            parts["share"] = share()
        with gr.Row(elem_id="main", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=320):
                rail = [cards.photo(photo), cards.damage(start), cards.method(start)]
            with gr.Column(elem_id="stage", scale=1, min_width=320):
                stage = _tabs(photo, start)
    settings = {name: component for part in (*rail, stage) for name, component in part.pop("settings", {}).items()}
    for part in (*rail, stage):
        parts |= part
    return Page(blocks=blocks, settings=settings, **parts)


def _start() -> Settings:
    """What the page starts with."""
    return offers.create(
        mode=CLEAN, size=offers.DEFAULT_SIZE, task=DEFAULT_TASK, task_parameters={}, sigma_y=DEFAULT_SIGMA_Y,
        seed=0,
    )  # fmt: skip


def _tabs(photo: Image.Image, start: Settings) -> dict[str, object]:
    # All are rendered from the start: what is updated while it is not there is lost.
    with gr.Tabs(elem_id="tabs", selected="restore") as container:
        with gr.Tab("Restore", id="restore", render_children=True):
            parts = _stage(photo, start)
        others = tuple(_tab(kind, start) for kind in TABS)
    return {**parts, "switch": container, "tabs": others}


def _tab(kind: type[Tab], start: Settings) -> Tab:
    with gr.Tab(kind.title, id=kind.name, render_children=True):
        return kind(start)


def _stage(photo: Image.Image, start: Settings) -> dict[str, object]:
    with gr.Row(elem_id="actions", equal_height=True):
        run = gr.Button(RUN, variant="primary", elem_id="run", elem_classes="inv-start", scale=0, min_width=160)
        stop = gr.Button("Stop", elem_id="stop", elem_classes="inv-stop", interactive=False, scale=0, min_width=90)
        why = reason(KEYS, button="run", elem_id="keys")
        samples = setting("samples", start.samples, spec=offers.SAMPLES, slider=False)
        seed = setting("seed", start.seed, slider=False)
        dice = gr.Button("⚄", elem_id="dice", scale=0, min_width=40)
        progress = status()
    with gr.Row(elem_id="pictures", equal_height=False):
        with gr.Column(elem_id="inputs", scale=0, min_width=0):
            with gr.Column(visible=start.task.auxiliary == "mask", elem_id="mask-panel") as mask_panel:
                pad = mask()
            shown = problem(preview.show(Job(start, photo))[0])
        restored = viewer(awaiting(photo))
    curves()
    return {
        "run": run, "stop": stop, "dice": dice, "settings": {"seed": seed, "samples": samples}, "why": why,
        "status": progress, "problem": shown,
        "viewer": restored, "history": history(), "mask_panel": mask_panel, "mask": pad,
    }  # fmt: skip


def _header() -> str:
    return (
        f'<h1><img src="{_icon()}" alt="" width="26" height="26">inverse</h1>'
        "<p>Repairs photos with a diffusion model, and lets you watch and tune how.</p>"
        f'<span class="inv-device" title="Where the model runs">on {best_device().upper()}</span>'
    )


def _icon() -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(FAVICON.read_bytes()).decode()
