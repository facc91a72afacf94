"""Where everything stands: a rail of cards (photo, damage, method) and the stage, with tabs to restore, sweep, compare.

On a phone the stage comes after the photo; `page.css` does that.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

import gradio as gr
from PIL import Image

from inverse.denoisers.catalog import best_device
from inverse.imaging import images
from inverse.restoration import SEED
from inverse.solvers.presets import DEFAULT_TASK
from inverse.web.base.files import FAVICON
from inverse.web.elements.controls import Groups
from inverse.web.elements.curves import curves
from inverse.web.elements.history import history
from inverse.web.elements.mask import mask
from inverse.web.elements.number import number
from inverse.web.elements.picker import EXAMPLES
from inverse.web.elements.problem import problem
from inverse.web.elements.reason import reason
from inverse.web.elements.share import share
from inverse.web.elements.status import status
from inverse.web.elements.viewer import awaiting, viewer
from inverse.web.host import received
from inverse.web.jobs import preview
from inverse.web.jobs.settings import (
    CLEAN,
    DEFAULT_SIGMA_Y,
    DEFAULT_SIZE,
    SAMPLES,
    Settings,
)
from inverse.web.page import cards, tabs
from inverse.web.page.starts import Starts

TITLE = "inverse: restore photos with diffusion models"
RUN = "Restore"
"""What the button says, before it says how long it takes."""
PULSE = 2
"""Seconds between two looks at the line, while something waits in it."""
KEYS = "<kbd>Ctrl</kbd> <kbd>Enter</kbd> run, <kbd>Esc</kbd> stop, hold <kbd>P</kbd> compare"


@dataclass(frozen=True)
class Page:
    """Every component that an event reads or writes."""

    blocks: gr.Blocks
    # Kept per visitor: the photo as uploaded and its file, the auxiliary pictures by kind, what the last run showed.
    # The page brings the example itself when it opens: a server that was restarted knows no photo of it, rather than
    # a wrong one.
    photo: gr.State
    photo_file: gr.State
    auxiliary: gr.State
    latest: gr.State
    starts: gr.State
    # Asks now and then where a job stands that waits for the device.
    pulse: gr.Timer
    # The last sweep and comparison, and which parameters the texts of the axes were written for.
    swept: gr.State
    compared: gr.State
    axes_before: gr.State
    # Settings in and out
    share: gr.HTML
    # 1 Photo
    mode: gr.Radio
    mode_note: gr.HTML
    picker: gr.HTML
    size: gr.Radio
    # 2 Damage
    task: gr.HTML
    task_summary: gr.HTML
    tasks: Groups
    mask_panel: gr.Column
    mask: gr.HTML
    picture_panel: gr.Column
    picture_upload: gr.UploadButton
    picture_note: gr.HTML
    sigma_y: gr.HTML
    photons: gr.HTML
    sigma_y_note: gr.HTML
    # 3 Method
    solver: gr.HTML
    solver_summary: gr.HTML
    solver_advice: gr.HTML
    solver_source: gr.HTML
    solvers: Groups
    cost: gr.HTML
    reset: gr.Button
    # Whether the visitor chose the solver; otherwise it follows the task.
    solver_by_hand: gr.State
    # Stage
    run: gr.Button
    stop: gr.Button
    why: gr.HTML
    seed: gr.HTML
    dice: gr.Button
    samples: gr.HTML
    status: gr.HTML
    problem: gr.HTML
    viewer: gr.HTML
    history: gr.HTML
    tabs: gr.Tabs
    # Sweep
    x_name: gr.Dropdown
    x_values: gr.Textbox
    y_name: gr.Dropdown
    y_values: gr.Textbox
    sweep: gr.Button
    stop_sweep: gr.Button
    promise: gr.HTML
    grid: gr.HTML
    file: gr.HTML
    # Compare
    contenders: gr.CheckboxGroup
    budget: gr.Radio
    compare: gr.Button
    stop_compare: gr.Button
    compare_promise: gr.HTML
    rows: gr.HTML

    @property
    def choices(self) -> set[gr.Component]:
        """All that `Settings` are made of."""
        return {
            self.mode, self.size, self.task, self.sigma_y, self.photons, self.solver, self.seed, self.samples,
            *self.tasks.components, *self.solvers.components,
        }  # fmt: skip

    @property
    def held(self) -> list[gr.Component]:
        """What the server keeps of the page, and a browser does not send."""
        return [self.photo, self.photo_file, self.auxiliary]

    @property
    def asked(self) -> set[gr.Component]:
        """All that is asked for by pressing a button that starts something."""
        tabs = {self.x_name, self.x_values, self.y_name, self.y_values, self.contenders, self.budget}
        return {*self.choices, *self.held, self.mask, self.starts, *tabs}


def build() -> Page:
    """The page with an example photo on it, and nothing wired yet."""
    start = _start()
    photo = images.load(EXAMPLES / f"{cards.EXAMPLE}.jpg")
    parts: dict[str, object] = {}
    with received.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        parts |= {"photo": gr.State(None), "photo_file": gr.State(None), "auxiliary": gr.State({})}
        parts |= {"latest": gr.State(None)}
        parts |= {"starts": gr.State(Starts()), "pulse": gr.Timer(PULSE, active=False)}
        parts |= {"swept": gr.State(None), "compared": gr.State(None), "solver_by_hand": gr.State(False)}
        with gr.Row(elem_id="top", equal_height=True):
            gr.HTML(_header(), elem_id="header", apply_default_css=False)
            parts["share"] = share()
        with gr.Row(elem_id="main", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=320):
                parts |= cards.photo(photo) | cards.damage(start) | cards.method(start)
            with gr.Column(elem_id="stage", scale=1, min_width=320):
                parts |= _tabs(photo, start)
    return Page(blocks=blocks, **parts)


def _start() -> Settings:
    """What the page starts with."""
    return Settings.create(
        mode=CLEAN, size=DEFAULT_SIZE, task=DEFAULT_TASK, task_parameters={}, sigma_y=DEFAULT_SIGMA_Y,
        seed=0,
    )  # fmt: skip


def _tabs(photo: Image.Image, start: Settings) -> dict[str, object]:
    # All are rendered from the start: what is updated while it is not there is lost.
    with gr.Tabs(elem_id="tabs", selected="restore") as container:
        with gr.Tab("Restore", id="restore", render_children=True):
            parts = _stage(photo, start)
        with gr.Tab("Sweep", id="sweep", render_children=True):
            parts |= tabs.sweep(start)
        with gr.Tab("Compare", id="compare", render_children=True):
            parts |= tabs.compare(start)
    return {**parts, "tabs": container}


def _stage(photo: Image.Image, start: Settings) -> dict[str, object]:
    with gr.Row(elem_id="actions", equal_height=True):
        run = gr.Button(RUN, variant="primary", elem_id="run", elem_classes="inv-start", scale=0, min_width=160)
        stop = gr.Button("Stop", elem_id="stop", elem_classes="inv-stop", interactive=False, scale=0, min_width=90)
        why = reason(KEYS, button="run", elem_id="keys")
        samples = number(SAMPLES, 1, name="samples", label="Samples", slider=False, elem_id="samples")
        seed = number(SEED, 0, name="seed", label="Seed", slider=False, elem_id="seed")
        dice = gr.Button("⚄", elem_id="dice", scale=0, min_width=40)
        progress = status()
    with gr.Row(elem_id="pictures", equal_height=False):
        with gr.Column(elem_id="inputs", scale=0, min_width=0):
            with gr.Column(visible=start.task.auxiliary == "mask", elem_id="mask-panel") as mask_panel:
                pad = mask()
            shown = problem(preview.show(photo, start, None)[0])
        restored = viewer(awaiting(photo))
    curves()
    return {
        "run": run, "stop": stop, "seed": seed, "dice": dice, "samples": samples, "why": why,
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
