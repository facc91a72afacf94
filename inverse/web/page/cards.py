"""The cards of the rail: photo, damage, method."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from inverse.denoisers.cards import EMBEDDED
from inverse.denoisers.catalog import best_device
from inverse.operators import TASKS
from inverse.settings import CLEAN, DEGRADED, Settings
from inverse.solvers import SOLVERS
from inverse.solvers.advice import advice
from inverse.solvers.presets import solvers_for
from inverse.solvers.qualities import QUALITIES
from inverse.web.base.gradio_internals import unchecked
from inverse.web.elements.chooser import chooser, entries
from inverse.web.elements.controls import Groups, setting
from inverse.web.elements.faults import faults
from inverse.web.elements.further import further
from inverse.web.elements.method import method as method_of
from inverse.web.elements.picker import EXAMPLE_TITLES, picked, picker
from inverse.web.jobs import priors
from inverse.web.jobs.offers import DEFAULT_SIZE, SIZES, tasks_for
from inverse.web.page.page import Page

EXAMPLE = "chelsea"
"""The photo on the page when it opens."""
MODE_WORDS = {
    CLEAN: "Damaged here, restored, compared with the original.",
    DEGRADED: "Taken as it is: say below what happened to it.",
}
NOT_DAMAGED_HERE = (
    "Your photo is taken as it is: say below what happened to it. Is it a good one, to be damaged here and tried on? "
    "Then choose <b>Clean, to try</b>."
)
"""Said when a visitor's own photo came, and nobody had said yet what kind it is."""


def prior(page: Page) -> None:
    """What knows how photos look."""
    device = f'<span title="Where the model runs">Prior, on {best_device().upper()}</span>'
    gr.HTML(device, elem_id="device", apply_default_css=False)
    page.prior = chooser(priors.menu(), EMBEDDED, label="Prior", elem_id="prior")


def photo(page: Page, picture: Image.Image) -> None:
    """What is restored."""
    with gr.Column(elem_id="card-photo", elem_classes="inv-card"):
        with gr.Row(elem_classes="inv-head", equal_height=True):
            _title(1, "Photo")
            page.mode = unchecked(gr.Radio(
                [("Clean, to try", CLEAN), ("Damaged", DEGRADED)], value=CLEAN, label="What kind of photo",
                elem_id="mode", elem_classes="inv-choice inv-unlabelled", interactive=True,
            ))  # fmt: skip
        page.mode_note = _words(MODE_WORDS[CLEAN])
        page.picker = picker(picked(picture, f"{EXAMPLE_TITLES[EXAMPLE]}, {picture.width} × {picture.height}"))
        page.settings["size"] = unchecked(gr.Radio(
            [(str(n), n) for n in SIZES], value=DEFAULT_SIZE, label="Shorter side, pixels",
            elem_id="size", elem_classes="inv-choice inv-inline", interactive=True,
        ))  # fmt: skip


def damage(page: Page, start: Settings) -> None:
    """What happened to it."""
    kind = type(start.task)
    with gr.Column(elem_id="card-damage", elem_classes="inv-card"):
        with gr.Row(elem_classes="inv-head", equal_height=True):
            _title(2, "Damage", "What is wrong?")
            page.task = chooser(entries(TASKS, tasks_for(CLEAN)), kind.name, label="Task", elem_id="task")
        with gr.Column(visible=start.degraded) as page.faults_panel:
            page.faults = faults()
        page.task_summary = _words(kind.summary)
        page.tasks = Groups.create("task", TASKS, start.task)
        page.settings["then"] = further([], tasks_for(CLEAN))
        with gr.Column(visible=kind.auxiliary == "kernel", elem_classes="inv-group") as page.picture_panel:
            page.picture_upload = gr.UploadButton("Upload the picture it needs", size="sm", elem_id="picture-upload")
            page.estimate = gr.Button("Estimate the blur from the photo", size="sm", elem_id="estimate-kernel")
            page.picture_note = _words("")
        with gr.Column(elem_classes="inv-group"):
            page.settings["sigma_y"] = setting("sigma_y", start.sigma_y, also=(127.5, "of 255"))
            page.settings["photons"] = setting("photons", start.photons, without="off")
        page.sigma_y_note = _words("")


def method(page: Page, start: Settings) -> None:
    """How it is restored."""
    with gr.Column(elem_id="card-method", elem_classes="inv-card"):
        with gr.Row(elem_classes="inv-head", equal_height=True):
            _title(3, "Method", "How it is restored")
            offered = entries(SOLVERS, solvers_for(start.task.name))
            page.solver = chooser(offered, start.solver.name, label="Solver", elem_id="solver")
        page.quality = unchecked(gr.Radio(
            [(each.title, name) for name, each in QUALITIES.items()], value=start.quality, label="Quality",
            elem_id="quality", elem_classes="inv-choice inv-inline", interactive=True,
        ))  # fmt: skip
        page.solver_summary = _words(start.solver.summary)
        page.solver_advice = _words(advice(start.task.name, start.solver.name))
        page.solvers = Groups.create("solver", SOLVERS, start.solver)
        with gr.Column(elem_classes="inv-group"):
            page.settings["strength"] = setting("strength", start.strength)
            page.settings["estimator_scale"] = setting("estimator_scale", start.estimator_scale, slider=False)
        with gr.Row(elem_classes="inv-foot", equal_height=True):
            page.solver_source = _words(method_of(type(start.solver)))
            page.settings["pyramid"] = gr.Checkbox(
                start.pyramid, label="Pyramid", elem_id="pyramid", container=False, scale=0, min_width=96,
                interactive=True,
            )  # fmt: skip
        with gr.Row(elem_classes="inv-foot", equal_height=True):
            page.cost = _words("")
            page.reset = gr.Button("Reset to preset", size="sm", elem_id="reset", scale=0, min_width=96)


def _title(step: int, words: str, plain: str = "") -> gr.HTML:
    """The head of a card; `plain` is what Simple calls it."""
    if plain:
        words = f'<b class="inv-lab">{words}</b><b class="inv-simple">{plain}</b>'
    return gr.HTML(f"<h2><span>{step}</span>{words}</h2>", elem_classes="inv-title", apply_default_css=False)


def _words(text: str) -> gr.HTML:
    return gr.HTML(text, elem_classes="inv-words", apply_default_css=False)
