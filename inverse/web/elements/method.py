"""How a solver works, behind a button beside its citation: formula, algorithm, what each knob does, how to cite it."""

from __future__ import annotations

import html

from latex2mathml.converter import convert

from inverse.solvers import Solver
from inverse.solvers.papers import PAPERS, algorithm
from inverse.web.elements.controls import label

SYMBOLS = (
    "x is the image at noise level σ, D = D(x, σ) the prior's estimate of the clean image behind it, y = A(x₀) + σ_y n "
    "the measurement, H the operator A where it is linear, and n fresh noise."
)
"""What the letters stand for, in every formula and every algorithm."""


def cited(solver: type[Solver]) -> str:
    """Where a solver is from, and what to know before using it, in HTML, with a link to the paper."""
    citation = solver.source.partition(";")[0]
    words = html.escape(citation)
    if solver.paper:
        words = f'<a href="{html.escape(solver.paper)}" target="_blank" rel="noopener">{words}</a>'
    return words + html.escape(solver.remark().removeprefix(citation))


def method(solver: type[Solver]) -> str:
    """The citation, and a button that opens a panel over the page; the browser does it, without a script of ours."""
    return (
        '<button type="button" class="inv-how" popovertarget="method-panel">How it works</button> '
        f'{cited(solver)}<div id="method-panel" class="inv-method" popover role="dialog" '
        f'aria-label="How {html.escape(solver.title)} works">{_panel(solver)}</div>'
    )


def _panel(solver: type[Solver]) -> str:
    parts = [
        '<button type="button" class="inv-close" popovertarget="method-panel" popovertargetaction="hide" '
        'aria-label="Close">×</button>',
        f"<h3>{html.escape(solver.title)}</h3><p>{html.escape(solver.summary)}</p>",
        f'<div class="inv-formula" tabindex="0">{_typeset(solver.formula)}</div>',
        f"<p><small>{SYMBOLS}</small></p>",
        f'<h4>At every noise level</h4><pre tabindex="0">{html.escape(algorithm(solver))}</pre>',
        "<h4>What each setting does</h4>",
        f"<dl>{''.join(_knobs(solver))}</dl>",
    ]
    if paper := PAPERS.get(solver.paper):
        where = html.escape(", ".join(filter(None, (paper.venue, str(paper.year)))))
        parts += [
            f"<h4>Paper</h4><p>{html.escape(', '.join(paper.authors))}. "
            f'<a href="{html.escape(paper.url)}" target="_blank" rel="noopener">{html.escape(paper.title)}</a>. '
            f'{where}.</p><pre tabindex="0" aria-label="BibTeX">{html.escape(paper.bibtex)}</pre>',
        ]
    return "".join(parts)


def _typeset(formula: str) -> str:
    return convert(formula, display="block") if formula else ""


def _knobs(solver: type[Solver]) -> list[str]:
    """The plain settings first, as the card has them."""
    specs = sorted(solver.specs().items(), key=lambda item: item[1].advanced)
    return [
        f"<dt>{html.escape(label(name))}</dt><dd>{html.escape(f'{spec.help} {spec.effect}'.strip())}</dd>"
        for name, spec in specs
    ]
