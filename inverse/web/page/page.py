"""The page as its handlers see it: every component that an event reads or writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from inverse.web.base.gradio_internals import Block
from inverse.web.elements.controls import Groups

if TYPE_CHECKING:
    from inverse.web.page.fullsize import FullSizeCard
    from inverse.web.page.many import ManyCard
    from inverse.web.page.tab import Tab
    from inverse.web.page.treating import TreatmentsCard

Updates = dict[Block, Any]


class Page:
    """Every component that an event reads or writes; `layout` and `cards` put them here as they make them."""

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
    # Keeps in the browser what is under way, and asks for it when the page is loaded anew.
    again: gr.HTML
    # Settings besides mode, task and solver, by name, where the cards and the stage have them
    settings: dict[str, gr.Component]
    # The prior, and what to know of it; settings in and out
    prior: gr.HTML
    prior_note: gr.HTML
    share: gr.HTML
    # 1 Photo
    mode: gr.Radio
    mode_note: gr.HTML
    picker: gr.HTML
    # 2 Damage
    # In plain words: what seems wrong with a damaged photo, and what is ticked of it
    faults_panel: gr.Column
    faults: gr.HTML
    diagnosis: gr.State
    task: gr.HTML
    task_summary: gr.HTML
    tasks: Groups
    mask_panel: gr.Column
    mask: gr.HTML
    strokes_panel: gr.Column
    strokes: gr.HTML
    picture_panel: gr.Column
    picture_upload: gr.UploadButton
    estimate: gr.Button
    picture_note: gr.HTML
    sigma_y_note: gr.HTML
    # 3 Method
    solver: gr.HTML
    # Draft, standard, ...: what solver and settings are, where they are one; nothing else where they are none
    quality: gr.Radio
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
    dice: gr.Button
    status: gr.HTML
    problem: gr.HTML
    viewer: gr.HTML
    verdict: gr.HTML
    treat: TreatmentsCard
    full: FullSizeCard
    many: ManyCard
    history: gr.HTML
    switch: gr.Tabs
    tabs: tuple[Tab, ...]

    def __init__(self) -> None:
        self.settings = {}

    @property
    def choices(self) -> set[gr.Component]:
        """All that `Settings` are made of."""
        return {
            self.prior, self.mode, self.task, self.solver, *self.settings.values(),
            *self.tasks.components, *self.solvers.components,
        }  # fmt: skip

    @property
    def held(self) -> list[gr.Component]:
        """What the server keeps of the page, and a browser does not send."""
        return [self.photo, self.photo_file, self.auxiliary, self.diagnosis]

    @property
    def asked(self) -> set[gr.Component]:
        """All that is asked for by pressing a button that starts something."""
        tabs = {part for tab in self.tabs for part in tab.inputs}
        return {
            *self.choices,
            *self.held,
            self.mask,
            self.strokes,
            self.starts,
            self.full.keep,
            *self.many.inputs,
            *self.treat.inputs,
            *tabs,
        }
