"""The tabs beside Restore: elements and layout of Sweep and Compare."""

from __future__ import annotations

import gradio as gr

from inverse.batch.sweep import suggestion, sweepable, value_of
from inverse.solvers import SOLVERS
from inverse.solvers.presets import possible
from inverse.web.base.theme import source
from inverse.web.elements.menu import Boxes, Buttons, Menu
from inverse.web.jobs.settings import Settings, axis_choices, solver_choices

PRESET, EQUAL = "preset", "equal"
FORMS = "Values: <b>10,20,40</b>, a range <b>1:10:4</b>, or one by factors <b>0.1:10:log 5</b>"
SHOWN = 4
"""Solvers that are chosen for comparison when the page opens."""


def sweep(start: Settings) -> dict[str, object]:
    """The Sweep tab, in the layout's current place."""
    offered = axis_choices(start)
    first = offered[0][1]
    text = suggestion(sweepable(start)[first], value_of(start, first))
    with gr.Column(elem_id="card-sweep", elem_classes="inv-card"):
        with gr.Row(elem_classes="inv-axes"):
            x_name = Menu(offered, value=first, label="Columns", elem_id="x-name", interactive=True)
            x_values = gr.Textbox(text, label="Values", elem_id="x-values", interactive=True, max_length=300)
            y_name = Menu([("(none)", ""), *offered], value="", label="Rows", elem_id="y-name", interactive=True)
            y_values = gr.Textbox("", label="Values", elem_id="y-values", interactive=True, max_length=300)
        with gr.Row(elem_classes="inv-go", equal_height=True):
            run = gr.Button("Sweep", variant="primary", elem_id="sweep", scale=0, min_width=140)
            stop = gr.Button("Stop", elem_id="stop-sweep", interactive=False, scale=0, min_width=90)
            promise = _promise("promise")
            gr.HTML(FORMS, elem_classes="inv-words inv-forms", apply_default_css=False)
        before = gr.State({"x-name": first, "y-name": ""})
    grid = _element("grid", GRID)
    return {
        "x_name": x_name, "x_values": x_values, "y_name": y_name, "y_values": y_values, "sweep": run,
        "stop_sweep": stop, "promise": promise, "axes_before": before, "grid": grid, "file": _element("file", ""),
    }  # fmt: skip


def compare(start: Settings) -> dict[str, object]:
    """The Compare tab, in the layout's current place."""
    offered = solver_choices(start.task.name)
    able = [name for name in SOLVERS if possible(start.task.name, name)]
    with gr.Column(elem_id="card-compare", elem_classes="inv-card"):
        contenders = Boxes(
            offered, value=able[:SHOWN], label="Solvers, on the same measurement and seed",
            elem_id="contenders", interactive=True,
        )  # fmt: skip
        budget = Buttons(
            [("Each at its preset", PRESET), ("Each with about as much network time as the one under Method", EQUAL)],
            value=PRESET, label="Settings", elem_id="budget", elem_classes="inv-unlabelled", interactive=True,
        )  # fmt: skip
        with gr.Row(elem_classes="inv-go", equal_height=True):
            run = gr.Button("Compare", variant="primary", elem_id="compare", scale=0, min_width=140)
            stop = gr.Button("Stop", elem_id="stop-compare", interactive=False, scale=0, min_width=90)
            promise = _promise("compare-promise")
    rows = _element("rows", ROWS)
    return {
        "contenders": contenders, "budget": budget, "compare": run, "stop_compare": stop,
        "compare_promise": promise, "rows": rows,
    }  # fmt: skip


def _promise(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, elem_classes="inv-words inv-promise", apply_default_css=False)


def _element(name: str, template: str) -> gr.HTML:
    script = source(f"{name}.js")
    if template:
        script = source("batch.js") + script
    return gr.HTML({}, elem_id=name, html_template=template, js_on_load=script, apply_default_css=False)


def _batch(words: str, label: str, kind: str, tools: str = "") -> str:
    """Page element of several runs: how far they are, a table, what to expect before, and two cells side by side."""
    return f"""
<div class="inv-batch-head">
  <p class="inv-message" role="status" aria-live="polite"></p>
  {tools}
</div>
<div class="inv-progress" role="progressbar" aria-label="Progress" aria-valuemin="0" aria-valuemax="100"><i></i></div>
<p class="inv-empty">{words}</p>
<div class="inv-scroll" tabindex="0" aria-label="{label}"><table class="{kind}"></table></div>
<dialog class="inv-look" tabindex="-1" aria-label="Two results side by side">
  <div class="inv-pair"></div>
  <p>
    <button type="button" class="inv-small" name="turn" value="-1" aria-label="Previous">←</button>
    <button type="button" class="inv-small" name="turn" value="1" aria-label="Next">→</button>
    <button type="button" class="inv-small" name="keep">Keep this one on the left</button>
    <button type="button" class="inv-small" name="close">Close</button>
  </p>
</dialog>"""


GRID = _batch(
    "<b>Which value is best for this photo?</b> Choose a parameter and its values above. Every combination is run on "
    "the same damaged photo, the best one is marked, and a click takes over its settings.",
    "Results of the sweep",
    "inv-grid",
    """
  <span class="inv-segments" role="radiogroup" aria-label="Judge cells by"></span>
  <button type="button" class="inv-small" data-download="png" disabled>Save PNG</button>
  <button type="button" class="inv-small" data-download="csv" disabled>Save CSV</button>
""",
)
ROWS = _batch(
    "<b>Which solver is best for this photo?</b> Choose some above. All of them restore the same damaged photo with "
    "the same seed; a click on a picture takes over its settings.",
    "Results of the comparison",
    "inv-rows",
)
