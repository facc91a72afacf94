"""The Compare tab: solvers on the same measurement and seed, one after another, a row each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import gradio as gr

from inverse.errors import InverseError, ParameterError
from inverse.solvers.cost import at_cost, misses, passes
from inverse.solvers.presets import preset, solvers_for
from inverse.web.base.guards import spoken_errors
from inverse.web.elements.controls import Values
from inverse.web.jobs import batches
from inverse.web.jobs.batches import Batch
from inverse.web.jobs.settings import Settings, chosen, solver_choices
from inverse.web.page import form
from inverse.web.page.choices import Updates
from inverse.web.page.layout import Page
from inverse.web.page.sweeping import adopted, metrics, refused
from inverse.web.page.tabs import EQUAL, PRESET


def plan(page: Page, values: Values, settings: Settings) -> Updates:
    """What follows for this tab from the settings: which solvers can deal with the task, and what they would cost."""
    able = solvers_for(settings.task.name)
    try:
        picked = [name for name in _contenders(page, values) if name in able]
    except ParameterError as error:
        return {page.compare_promise: refused(error)}
    try:
        runs = _runs(settings, picked, values[page.budget])
        batches.check_count(len(runs))
        words = batches.promise(runs, chosen(values[page.photo])) + "."
        strays = [
            run.solver.title
            for run, note in zip(runs, _notes(settings, runs, values[page.budget]), strict=True)
            if note
        ]
        if strays:
            words += f" Not equal: {', '.join(strays)}, which cannot take so few steps, or so many."
    except InverseError as error:
        words = refused(error)
    # What may stay is not sent: the visitor may have changed it meanwhile.
    gone = {} if picked == values[page.contenders] else {"value": picked}
    offered = gr.update(choices=solver_choices(settings.task.name), **gone)
    return {page.contenders: offered, page.compare_promise: words}


def runs(page: Page, values: Values, settings: Settings) -> list[Settings]:
    """What is run; ParameterError where the solvers or the budget are none."""
    return _runs(settings, _contenders(page, values), values[page.budget])


def run(page: Page, values: Values) -> Iterator[Updates]:
    """The handler that needs the device."""
    batch = values[page.compared] or Batch()
    with spoken_errors():
        auxiliary, photo = form.auxiliary_picture(page, values), chosen(values[page.photo])
        settings = form.settings(page, values).at(photo)
        runs = _runs(settings, _contenders(page, values), values[page.budget])
        titles = [run.solver.title for run in runs]
        head = {"titles": titles, "notes": _notes(settings, runs, values[page.budget]), "metrics": metrics(settings)}
        batches.begin(batch, head, runs)
    for view in batches.stream(batch, photo, auxiliary):
        yield {page.rows: view}


def adopt(page: Page, values: Values) -> Updates:
    """A row was clicked: its settings go to the page."""
    return adopted(page, values, values[page.compared], values[page.rows])


def _contenders(page: Page, values: Values) -> list[str]:
    names = values[page.contenders] or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ParameterError("contenders must be a list of solvers' names. Choose them in the Compare tab.")
    return names


def _runs(settings: Settings, names: list[str], budget: str) -> list[Settings]:
    """The chosen solver as it is set on the page, each other one at its preset, or with steps for the same cost.

    One sample each, however many the page asks for: a row shows one.
    """
    if budget not in (PRESET, EQUAL):
        raise ParameterError(f"budget must be {PRESET} or {EQUAL}. Choose one of them in the Compare tab.")
    runs = []
    for name in names:
        own = name == settings.solver.name
        solver = settings.solver if own else preset(settings.task.name, name)
        if budget != PRESET and not own:
            solver = at_cost(solver, passes(settings.solver))
        runs.append(replace(settings, solver=solver, samples=1))
    return runs


def _notes(settings: Settings, runs: list[Settings], budget: str) -> list[str]:
    """Why a row's network time is not that of the chosen solver, empty where it is or need not be."""
    equal = passes(settings.solver)
    others = [budget == EQUAL and run.solver.name != settings.solver.name for run in runs]
    return [misses(run.solver, equal) if other else "" for run, other in zip(runs, others, strict=True)]
