"""Where everything stands: a rail of cards (photo, damage, method) and the stage, with tabs to restore, sweep, compare.

On a phone the stage comes after the photo; `page.css` does that.
"""

from __future__ import annotations

import base64

import gradio as gr
from PIL import Image

from inverse.imaging import images
from inverse.operators.noise import DEFAULT_SIGMA_Y
from inverse.resources import EXAMPLES
from inverse.settings import CLEAN, Settings
from inverse.solvers.presets import DEFAULT_TASK
from inverse.web.base.files import FAVICON
from inverse.web.elements.buttons import start_and_stop
from inverse.web.elements.controls import setting
from inverse.web.elements.curves import curves
from inverse.web.elements.history import history
from inverse.web.elements.mask import mask, strokes
from inverse.web.elements.problem import problem
from inverse.web.elements.reason import reason
from inverse.web.elements.share import share
from inverse.web.elements.status import status
from inverse.web.elements.verdict import verdict
from inverse.web.elements.view import view
from inverse.web.elements.viewer import awaiting, viewer
from inverse.web.host import received
from inverse.web.jobs import offers, preview
from inverse.web.jobs.job import Job
from inverse.web.page import cards
from inverse.web.page.fullsize import FullSizeCard
from inverse.web.page.many import ManyCard
from inverse.web.page.page import Page
from inverse.web.page.starts import Starts
from inverse.web.page.tab import Tab
from inverse.web.page.tabs import TABS
from inverse.web.page.treating import TreatmentsCard

TITLE = "inverse: restore photos with diffusion models"
RUN = "Restore"
"""What the button says, before it says how long it takes."""
PULSE = 2
"""Seconds between two looks at the line, while something waits in it."""
KEYS = "<kbd>Ctrl</kbd> <kbd>Enter</kbd> run, <kbd>Esc</kbd> stop, hold <kbd>P</kbd> compare"


def build() -> Page:
    """The page with an example photo on it, and nothing wired yet."""
    start = offers.create(mode=CLEAN, size=offers.DEFAULT_SIZE, task=DEFAULT_TASK, sigma_y=DEFAULT_SIGMA_Y, seed=0)
    photo, page = images.load(EXAMPLES / f"{cards.EXAMPLE}.jpg"), Page()
    with received.Blocks(title=TITLE, fill_width=True, analytics_enabled=False, delete_cache=(600, 3600)) as blocks:
        page.blocks = blocks
        page.photo, page.photo_file, page.auxiliary = gr.State(None), gr.State(None), gr.State({})
        page.diagnosis = gr.State(None)
        page.latest, page.starts, page.solver_by_hand = gr.State(None), gr.State(Starts()), gr.State(False)
        page.pulse = gr.Timer(PULSE, active=False)
        with gr.Row(elem_id="top", equal_height=True):
            gr.HTML(_header(), elem_id="header", apply_default_css=False)
            page.prior_note = gr.HTML("", elem_id="prior-note", elem_classes="inv-words", apply_default_css=False)
            cards.prior(page)
            page.share = share()
            view()
        with gr.Row(elem_id="main", equal_height=False):
            with gr.Column(elem_id="rail", scale=0, min_width=320):
                cards.photo(page, photo)
                cards.damage(page, start)
                cards.method(page, start)
            # All are rendered from the start: what is updated while it is not there is lost.
            with (
                gr.Column(elem_id="stage", scale=1, min_width=320),
                gr.Tabs(elem_id="tabs", selected="restore") as page.switch,
            ):
                with gr.Tab("Restore", id="restore", render_children=True):
                    _stage(page, photo, start)
                page.tabs = tuple(_tab(kind, start) for kind in TABS)
    return page


def _tab(kind: type[Tab], start: Settings) -> Tab:
    with gr.Tab(kind.title, id=kind.name, render_children=True):
        return kind(start)


def _stage(page: Page, photo: Image.Image, start: Settings) -> None:
    with gr.Row(elem_id="actions", equal_height=True):
        page.run, page.stop = start_and_stop(RUN, "run", stop="stop", variant="primary", width=160)
        page.why = reason(KEYS, button="run", elem_id="keys")
        page.settings["samples"] = setting("samples", start.samples, spec=offers.SAMPLES, slider=False)
        page.settings["seed"] = setting("seed", start.seed, slider=False)
        page.dice = gr.Button("⚄", elem_id="dice", scale=0, min_width=40)
        page.status = status()
    page.many = ManyCard()
    with gr.Row(elem_id="pictures", equal_height=False):
        with gr.Column(elem_id="inputs", scale=0, min_width=0):
            with gr.Column(visible=start.task.auxiliary == "mask", elem_id="mask-panel") as page.mask_panel:
                page.mask = mask()
            with gr.Column(visible=start.task.auxiliary == "strokes", elem_id="strokes-panel") as page.strokes_panel:
                page.strokes = strokes()
            page.problem = problem(preview.show(Job(start, photo))[0])
        page.viewer = viewer(awaiting(photo))
    page.treat = TreatmentsCard()
    page.full = FullSizeCard()
    curves()
    page.verdict = verdict()
    page.history = history()


def _header() -> str:
    icon = base64.b64encode(FAVICON.read_bytes()).decode()
    return (
        f'<h1><img src="data:image/svg+xml;base64,{icon}" alt="" width="26" height="26">inverse</h1>'
        "<p>Repairs photos with a diffusion model, and lets you watch and tune how.</p>"
    )
