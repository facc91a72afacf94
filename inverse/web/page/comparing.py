"""The Compare tab: solvers, and priors, on the same measurement and seed, one after another, a row each."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import gradio as gr

from inverse.batch import figure
from inverse.denoisers import cards
from inverse.denoisers.cards import EMBEDDED
from inverse.errors import InverseError, ParameterError
from inverse.settings import Settings
from inverse.settings.another_prior import with_prior
from inverse.solvers import SOLVERS
from inverse.solvers.cost import at_cost, misses, passes
from inverse.solvers.presets import possible, preset
from inverse.web.base.gradio_internals import unchecked
from inverse.web.elements import batch
from inverse.web.elements.controls import Values
from inverse.web.elements.reason import refused
from inverse.web.jobs import priors
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.job import Job
from inverse.web.jobs.offers import prior_choices, solver_choices
from inverse.web.page.page import Page, Updates
from inverse.web.page.saving import FIGURES, Saving, drawn_figure
from inverse.web.page.tab import Plan, metrics

PRESET, EQUAL = "preset", "equal"
EXPECTED = (
    "<b>Which solver is best for this photo?</b> Choose some above. All of them restore the same damaged photo with "
    "the same seed; a click on a picture takes over its settings."
)
SHOWN = 4
"""Solvers that are chosen when the page opens."""


class CompareTab(Saving):
    """Each solver at its preset, or with steps for the same cost."""

    name, title = "compare", "Compare"

    def __init__(self, start: Settings) -> None:
        able = [name for name in SOLVERS if possible(start.task.name, name)]
        with gr.Column(elem_id="card-compare", elem_classes="inv-card"):
            self.contenders = unchecked(gr.CheckboxGroup(
                solver_choices(start.task.name, EMBEDDED), value=able[:SHOWN], elem_id="contenders", interactive=True,
                label="Solvers, on the same measurement and seed",
            ))  # fmt: skip
            others = prior_choices(EMBEDDED)
            self.priors = unchecked(gr.CheckboxGroup(
                others, value=[], label="With these priors too, at presets of their kinds", elem_id="contending-priors",
                interactive=True, visible=bool(others),
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
        self.table = batch.rows("rows", EXPECTED, "Results of the comparison", saved=True)
        self.file = batch.file("compare-file")
        self.inputs, self.planned = [self.contenders, self.priors, self.budget], [self.contenders, self.priors]
        self.triggers = [self.contenders.input, self.priors.input, self.budget.input]

    def wire(self, page: Page) -> None:
        self.wire_download(page)

    def saved(self, batch: Batch, kind: str, metric: str) -> tuple[str, bytes, str]:
        """A figure for print."""
        found = figure.of_comparison(batch.head["titles"], batch.runs, batch.done)
        return drawn_figure(found, batch.file.made, "comparison", kind if kind in FIGURES else "figure-png")

    def plan(self, page: Page, values: Values, job: Job) -> Updates:
        """Which solvers can deal with the task, and what they would cost."""
        task, prior = job.settings.damage, priors.find(job.settings.prior).name
        able, others = solver_choices(task, prior), prior_choices(prior)
        try:
            picked = _among(_names(values, self.contenders), able)
            also = _among(_names(values, self.priors), others)
        except ParameterError as error:
            return {self.promise: refused(error)}
        try:
            runs, notes = _runs(job.used, picked, also, values[self.budget])
            words = job.several(runs).promise
            strays = dict.fromkeys(run.solver.title for run, note in zip(runs, notes, strict=True) if note)
            if strays:
                words += f" Not equal: {', '.join(strays)}, which cannot take so few steps, or so many."
        except InverseError as error:
            words = refused(error)
        return {
            self.contenders: gr.update(choices=able, **_gone(picked, values[self.contenders])),
            self.priors: gr.update(choices=others, visible=bool(others), **_gone(also, values[self.priors])),
            self.promise: words,
        }

    def runs(self, page: Page, values: Values, settings: Settings) -> Plan:
        names, also = _names(values, self.contenders), _names(values, self.priors)
        runs, notes = _runs(settings, names, also, values[self.budget])
        titles = [f"{run.solver.title}, {cards.short(run.prior)}" if also else run.solver.title for run in runs]
        return Plan(runs, {"titles": titles, "notes": notes, "metrics": metrics(settings)})


def _names(values: Values, component: gr.Component) -> list[str]:
    """What is checked in a group."""
    names = values[component] or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ParameterError(f"{component.elem_id} must be a list of names. Choose them in the Compare tab.")
    return names


def _among(names: list[str], offered: list[tuple[str, str]]) -> list[str]:
    known = {name for _, name in offered}
    return [name for name in names if name in known]


def _gone(kept: list[str], before: Any) -> dict[str, Any]:
    """What is sent of a group: what may stay is not, as the visitor may have changed it meanwhile."""
    return {} if kept == (before or []) else {"value": kept}


def _runs(settings: Settings, names: list[str], also: list[str], budget: str) -> tuple[list[Settings], list[str]]:
    """The chosen solver as it is set on the page, each other one at its preset, or with steps for the same cost.

    With other priors too, all that once more with each, at the presets of its kind. One sample each, however many the
    page asks for: a row shows one.

    Returns:
        the runs; and why a row's network time is not that of the chosen solver, empty where it is or need not be.
    """
    if budget not in (PRESET, EQUAL):
        raise ParameterError(f"budget must be {PRESET} or {EQUAL}. Choose one of them in the Compare tab.")
    runs, notes, cost = [], [], passes(settings.solver)
    identities = [settings.prior, *(priors.find(name).identity for name in also)]
    for name, prior in product(names, dict.fromkeys(identities)):
        other = with_prior(settings, prior)
        own = name == settings.solver.name
        solver = other.solver if own else preset(settings.damage.name, name, kind=cards.kind_of(prior))
        equal = budget == EQUAL and not (own and prior == settings.prior)
        if equal:
            solver = at_cost(solver, cost)
        runs.append(replace(other, solver=solver, samples=1))
        notes.append(misses(solver, cost) if equal else "")
    return runs, notes
