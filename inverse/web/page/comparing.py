"""The Compare tab: solvers on the same measurement and seed, one after another, a row each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from inverse.errors import InverseError, ParameterError
from inverse.settings import Settings
from inverse.solvers import SOLVERS
from inverse.solvers.cost import at_cost, misses, passes
from inverse.solvers.presets import possible, preset, solvers_for
from inverse.web.base.gradio_internals import unchecked
from inverse.web.elements import batch
from inverse.web.elements.controls import Values
from inverse.web.elements.reason import refused
from inverse.web.jobs.job import Job
from inverse.web.jobs.offers import solver_choices
from inverse.web.page.page import Page, Updates
from inverse.web.page.tab import Plan, Tab, metrics

PRESET, EQUAL = "preset", "equal"
EXPECTED = (
    "<b>Which solver is best for this photo?</b> Choose some above. All of them restore the same damaged photo with "
    "the same seed; a click on a picture takes over its settings."
)
SHOWN = 4
"""Solvers that are chosen when the page opens."""


class CompareTab(Tab):
    """Each solver at its preset, or with steps for the same cost."""

    name, title = "compare", "Compare"

    def __init__(self, start: Settings) -> None:
        able = [name for name in SOLVERS if possible(start.task.name, name)]
        with gr.Column(elem_id="card-compare", elem_classes="inv-card"):
            self.contenders = unchecked(gr.CheckboxGroup(
                solver_choices(start.task.name), value=able[:SHOWN], label="Solvers, on the same measurement and seed",
                elem_id="contenders", interactive=True,
            ))  # fmt: skip
            self.budget = unchecked(gr.Radio(
                [
                    ("Each at its preset", PRESET),
                    ("Each with about as much network time as the one under Method", EQUAL),
                ],
                value=PRESET, label="Settings", elem_id="budget", elem_classes="inv-unlabelled", interactive=True,
            ))  # fmt: skip
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self._go("compare-promise")
            self.batch = gr.State(None)
        self.table = batch.rows("rows", EXPECTED, "Results of the comparison")
        self.inputs, self.planned = [self.contenders, self.budget], [self.contenders]
        self.triggers = [self.contenders.input, self.budget.input]

    def plan(self, page: Page, values: Values, job: Job) -> Updates:
        """Which solvers can deal with the task, and what they would cost."""
        task = job.settings.task.name
        able = solvers_for(task)
        try:
            picked = [name for name in self._contenders(values) if name in able]
        except ParameterError as error:
            return {self.promise: refused(error)}
        try:
            runs, notes = _runs(job.used, picked, values[self.budget])
            words = job.several(runs).promise
            strays = [run.solver.title for run, note in zip(runs, notes, strict=True) if note]
            if strays:
                words += f" Not equal: {', '.join(strays)}, which cannot take so few steps, or so many."
        except InverseError as error:
            words = refused(error)
        # What may stay is not sent: the visitor may have changed it meanwhile.
        gone: dict[str, Any] = {} if picked == values[self.contenders] else {"value": picked}
        return {self.contenders: gr.update(choices=solver_choices(task), **gone), self.promise: words}

    def runs(self, page: Page, values: Values, settings: Settings) -> Plan:
        runs, notes = _runs(settings, self._contenders(values), values[self.budget])
        titles = [run.solver.title for run in runs]
        return Plan(runs, {"titles": titles, "notes": notes, "metrics": metrics(settings)})

    def _contenders(self, values: Values) -> list[str]:
        names = values[self.contenders] or []
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ParameterError("contenders must be a list of solvers' names. Choose them in the Compare tab.")
        return names


def _runs(settings: Settings, names: list[str], budget: str) -> tuple[list[Settings], list[str]]:
    """The chosen solver as it is set on the page, each other one at its preset, or with steps for the same cost.

    One sample each, however many the page asks for: a row shows one.

    Returns:
        the runs; and why a row's network time is not that of the chosen solver, empty where it is or need not be.
    """
    if budget not in (PRESET, EQUAL):
        raise ParameterError(f"budget must be {PRESET} or {EQUAL}. Choose one of them in the Compare tab.")
    runs, notes, cost = [], [], passes(settings.solver)
    for name in names:
        own = name == settings.solver.name
        solver = settings.solver if own else preset(settings.task.name, name)
        equal = budget == EQUAL and not own
        if equal:
            solver = at_cost(solver, cost)
        runs.append(replace(settings, solver=solver, samples=1))
        notes.append(misses(solver, cost) if equal else "")
    return runs, notes
