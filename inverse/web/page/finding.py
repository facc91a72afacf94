"""The Findings tab: what solvers' scores and samples are, where the truth is known; it needs no photo."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import gradio as gr

from inverse.errors import InverseError, ParameterError
from inverse.evaluation.findings import TRUTHS, Study
from inverse.evaluation.findings.contenders import FIRST, LAB
from inverse.settings import Settings
from inverse.solvers import SOLVERS
from inverse.web.base.gradio_internals import unchecked
from inverse.web.base.guards import spoken_errors
from inverse.web.elements.controls import Values, in_plain_words
from inverse.web.elements.findings import findings
from inverse.web.elements.reason import refused
from inverse.web.jobs.investigation import Investigation, promise
from inverse.web.jobs.job import Job
from inverse.web.page.page import Page, Updates
from inverse.web.page.tab import Plan, Tab


class FindingsTab(Tab):
    """A study of the findings lab."""

    name, title = "findings", "Findings"
    of_photo = False

    def __init__(self, start: Settings) -> None:
        usual, specs = Study(), Study.specs()
        with gr.Column(elem_id="card-findings", elem_classes="inv-card"):
            with gr.Row(elem_classes="inv-study"):
                kinds = [(kind.title, name) for name, kind in TRUTHS.items()]
                self.truth = _menu(kinds, usual.truth, "Truth", "finding-truth")
                self.task = _menu(_tasks(usual.truth), usual.task, "Task", "finding-task")
                self.step_sizes = gr.Textbox(
                    ", ".join(f"{each:g}" for each in usual.step_sizes), label="Step sizes of DPS",
                    elem_id="finding-step-sizes", interactive=True, max_length=60,
                )  # fmt: skip
            self.solvers = unchecked(gr.CheckboxGroup(
                [(SOLVERS[name].title, name) for name in LAB], value=list(FIRST), label="Solvers",
                elem_id="finding-solvers", interactive=True,
            ))  # fmt: skip
            self.parts = gr.Checkbox(False, label=specs["parts"].help, elem_id="finding-parts", interactive=True)
            with gr.Row(elem_classes="inv-go", equal_height=True):
                self._go("findings-promise")
            self.batch = gr.State(None)
        self.table = findings()
        self.inputs = [self.truth, self.task, self.step_sizes, self.solvers, self.parts]
        self.planned = [self.task]
        self.triggers = [
            self.truth.input, self.task.input, self.step_sizes.change, self.solvers.input, self.parts.input,
        ]  # fmt: skip

    def new(self, asked: Mapping[Any, Any], last: Any) -> Investigation:
        return Investigation(asked, earlier=last if last is None or last.begun else last.earlier)

    def plan(self, page: Page, values: Values, job: Job) -> Updates:
        """Which tasks the truth has, and how long the study takes."""
        tasks, changes = _tasks(values[self.truth]), Updates()
        if tasks:
            known = [name for _, name in tasks]
            task = values[self.task] if values[self.task] in known else tasks[0][1]
            # What may stay is not sent: the visitor may have changed it meanwhile.
            kept = task == values[self.task]
            changes[self.task] = gr.update(choices=tasks) if kept else gr.update(choices=tasks, value=task)
            values = {**values, self.task: task}
        try:
            return {**changes, self.promise: promise(self._study(values))}
        except InverseError as error:
            return {**changes, self.promise: refused(error)}

    def job(self, page: Page, values: Values, job: Job) -> Job:
        return job  # the place in line goes by a run's time; a study has no photo, and no run of it

    def runs(self, page: Page, values: Values, settings: Settings) -> Plan:
        raise ParameterError("A study of the findings lab is no run on a photo. Press Findings.")

    def run(self, page: Page, values: Values) -> Generator[Updates, None, None]:
        last = values[self.batch] or Investigation()
        with spoken_errors():
            study = self._study(values)
        for view in last.begin(study):
            yield {self.table: view}

    def adopt(self, page: Page, values: Values) -> Updates:
        raise ParameterError("Findings have no settings of a photo to take over. Choose a solver under Method.")

    @in_plain_words()
    def _study(self, values: Values) -> Study:
        text = values[self.step_sizes]
        if not isinstance(text, str):
            raise ParameterError("finding-step-sizes must be text. Type numbers between commas.")
        sizes = Study.specs()["step_sizes"].parse("step_sizes", text)
        return Study.create({
            "truth": values[self.truth], "task": values[self.task], "step_sizes": sizes,
            "solvers": values[self.solvers], "parts": values[self.parts],
        })  # fmt: skip


def _tasks(name: Any) -> list[tuple[str, str]]:
    """The tasks of a truth, in words; none for what is no truth."""
    kind = TRUTHS.get(name) if isinstance(name, str) else None
    return [(task.about[:1].upper() + task.about[1:], key) for key, task in kind.tasks.items()] if kind else []


def _menu(offered: list[tuple[str, str]], value: str, label: str, name: str) -> gr.Dropdown:
    return unchecked(gr.Dropdown(offered, value=value, label=label, elem_id=name, interactive=True))
