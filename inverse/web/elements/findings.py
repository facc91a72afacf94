"""The findings lab's panels: what is measured, figures that grow, what was found, and files of all of it."""

from __future__ import annotations

import gradio as gr

from inverse.evaluation.findings.claims import CLAIMS
from inverse.web.elements.element import element, template

PANELS = {
    "score": {
        "title": "1 Score",
        "measured": "Where a solver's step leads beyond the prior's own says which conditional score it stands for. "
        "How far is that from the exact one, at points of the posterior's own trajectories?",
        "figures": ["score", "relative"],
        "claim": CLAIMS[0],
    },
    "mean": {
        "title": "2 Mean",
        "measured": "A score has the mean 0 over draws of its own density, and its length is that of the noise in "
        "them. Is the mean no larger than chance makes it, and the length 1?",
        "figures": ["mean", "scale"],
        "claim": CLAIMS[1],
    },
    "samples": {
        "title": "3 Diversity",
        "measured": "Many restorations of one measurement. Do they vary as the posterior does, do their intervals hold "
        "what it allows, and do its modes get their shares?",
        "figures": ["moving", "plane", "diversity", "modes"],
        "claim": CLAIMS[2],
    },
}
"""What each panel measures, its figures in their order, and the paper's claim."""
WIDE = ["diversity", "modes", "plane"]

EXPECTED = (
    "<b>What do solvers really do?</b> Choose a truth whose posterior is known exactly. Three claims of the DMAP paper "
    "(Xu et al., ICLR 2025) are measured on it, for every solver, while you watch."
)


def findings() -> gr.HTML:
    """Is given the whole state each time, of which Gradio sends what changed.

    {"id", "phase", "message", "progress", "figures": SVG by name, "sentences" and "verdicts" by panel, "name" of
    files}, and at the end "csv" and "page".
    """
    return element(
        "findings", {}, template("findings").format(words=EXPECTED), {"panels": PANELS, "wide": WIDE},
        elem_id="found", elem_classes="inv-batch inv-findings",
    )  # fmt: skip
