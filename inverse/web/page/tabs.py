"""The tabs beside Restore: elements and layout of Sweep and Compare."""

from __future__ import annotations

import gradio as gr

from inverse.batch.sweep import suggestion, sweepable, value_of
from inverse.solvers import SOLVERS
from inverse.solvers.presets import possible
from inverse.web.elements import batch
from inverse.web.elements.menu import boxes, buttons, menu
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
            x_name = menu(offered, value=first, label="Columns", elem_id="x-name", interactive=True)
            x_values = gr.Textbox(text, label="Values", elem_id="x-values", interactive=True, max_length=300)
            y_name = menu([("(none)", ""), *offered], value="", label="Rows", elem_id="y-name", interactive=True)
            y_values = gr.Textbox("", label="Values", elem_id="y-values", interactive=True, max_length=300)
        with gr.Row(elem_classes="inv-go", equal_height=True):
            run = gr.Button(
                "Sweep", variant="primary", elem_id="sweep", elem_classes="inv-start", scale=0, min_width=140
            )
            stop = gr.Button(
                "Stop", elem_id="stop-sweep", elem_classes="inv-stop", interactive=False, scale=0, min_width=90
            )
            promise = _promise("promise")
            gr.HTML(FORMS, elem_classes="inv-words inv-forms", apply_default_css=False)
        before = gr.State({"x-name": first, "y-name": ""})
    grid = batch.grid()
    return {
        "x_name": x_name, "x_values": x_values, "y_name": y_name, "y_values": y_values, "sweep": run,
        "stop_sweep": stop, "promise": promise, "axes_before": before, "grid": grid, "file": batch.file(),
    }  # fmt: skip


def compare(start: Settings) -> dict[str, object]:
    """The Compare tab, in the layout's current place."""
    offered = solver_choices(start.task.name)
    able = [name for name in SOLVERS if possible(start.task.name, name)]
    with gr.Column(elem_id="card-compare", elem_classes="inv-card"):
        contenders = boxes(
            offered, value=able[:SHOWN], label="Solvers, on the same measurement and seed",
            elem_id="contenders", interactive=True,
        )  # fmt: skip
        budget = buttons(
            [("Each at its preset", PRESET), ("Each with about as much network time as the one under Method", EQUAL)],
            value=PRESET, label="Settings", elem_id="budget", elem_classes="inv-unlabelled", interactive=True,
        )  # fmt: skip
        with gr.Row(elem_classes="inv-go", equal_height=True):
            run = gr.Button(
                "Compare", variant="primary", elem_id="compare", elem_classes="inv-start", scale=0, min_width=140
            )
            stop = gr.Button(
                "Stop", elem_id="stop-compare", elem_classes="inv-stop", interactive=False, scale=0, min_width=90
            )
            promise = _promise("compare-promise")
    rows = batch.rows()
    return {
        "contenders": contenders, "budget": budget, "compare": run, "stop_compare": stop,
        "compare_promise": promise, "rows": rows,
    }  # fmt: skip


def _promise(name: str) -> gr.HTML:
    return gr.HTML("", elem_id=name, elem_classes="inv-words inv-promise", apply_default_css=False)
