"""What is on offer beside a choice, and the controls that belong to it.

Every function returns updates.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from inverse.denoisers.cards import EMBEDDED
from inverse.operators import TASKS, Task
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.advice import advice_for
from inverse.solvers.presets import preset
from inverse.web.elements import chooser
from inverse.web.elements.method import method
from inverse.web.jobs import priors
from inverse.web.jobs.offers import SIZES, solvers_here
from inverse.web.page.page import Page, Updates


def for_task(page: Page, task: str, damage: Task, solver: str, prior: str, settings: Solver | None = None) -> Updates:
    kind, offered = TASKS.find(task), solvers_here(damage, prior)
    return {
        page.task_summary: kind.summary,
        **page.tasks.show(task),
        page.mask_panel: gr.update(visible=damage.auxiliary == "mask"),
        page.strokes_panel: gr.update(visible=damage.auxiliary == "strokes"),
        page.picture_panel: gr.update(visible=damage.auxiliary == "kernel"),
        page.picture_upload: gr.update(label=f"Upload the {damage.auxiliary} picture"),
        page.picture_note: "",
        page.solver: chooser.offer(SOLVERS, offered, solver),
        **for_solver(page, damage, solver, prior, settings),
    }


def for_solver(page: Page, damage: Task, solver: str, prior: str, settings: Solver | None = None) -> Updates:
    """What belongs to a solver; its controls are at these settings, or at its preset."""
    kind = priors.find(prior).card.kind
    settings = preset(damage.name, solver, kind=kind) if settings is None else settings
    return {
        page.solver_summary: SOLVERS.find(solver).summary,
        page.solver_advice: advice_for(damage, solver, kind) if kind == EMBEDDED else "",  # others' stands by the prior
        page.solver_source: method(SOLVERS.find(solver)),
        **page.solvers.show(solver),
        **page.solvers.groups[solver].updates(settings.to_dict()),
    }


def menu_of_priors(chosen: str | None = None) -> Any:
    """The update of the menu of priors: what can be used now, and one of them chosen."""
    return gr.update(choices=priors.menu()) if chosen is None else gr.update(choices=priors.menu(), value=chosen)


def sizes(size: int, visible: bool) -> Any:
    """The update of the sizes, with this one chosen."""
    return gr.update(choices=[(str(n), n) for n in sorted({*SIZES, size})], value=size, visible=visible)
