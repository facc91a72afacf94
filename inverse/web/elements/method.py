"""How a solver works, behind a button beside its citation: formula, algorithm, what each knob does, how to cite it."""

from __future__ import annotations

import html
from collections.abc import Iterator
from functools import cache

from inverse.evaluation.findings.contenders import LAB
from inverse.evaluation.judge.page import summaries
from inverse.resources import JUDGE
from inverse.solvers import Solver
from inverse.solvers.method import Knob, Line, Method
from inverse.solvers.method import method as method_of
from inverse.web.base.documents import FINDINGS_PAGE, JUDGE_PAGE
from inverse.web.elements import notation
from inverse.web.elements.controls import label

PANEL = "method-panel"
FIGURES = {
    "bias": ("Bias", "How far the samples' mean is off, in standard deviations of the posterior. 0 is right."),
    "std ratio": ("Samples' spread", "Against the posterior's. 1 is right; 0 is a single image."),
    "90 %": ("Coverage", "How often an interval that should hold the truth in 0.9 of all cases holds it."),
    "to MAP": ("To the mode", "Distance to the most probable image: 0 is there, 1 is as far as a right sample."),
}
"""What the judge's columns say."""


def cited(solver: type[Solver]) -> str:
    """Where a solver is from, and what to know before using it, in HTML, with a link to the paper."""
    citation = solver.source.partition(";")[0]
    words = html.escape(citation)
    if solver.paper:
        words = _link(solver.paper, words)
    return words + html.escape(solver.remark().removeprefix(citation))


def method(solver: type[Solver]) -> str:
    """A button that opens a panel over the page; the browser does it, without a script of ours."""
    return (
        f'<button type="button" class="inv-how" popovertarget="{PANEL}">How it works</button>'
        f'<div id="{PANEL}" class="inv-method" popover role="dialog" '
        f'aria-label="How {html.escape(solver.title)} works">{"".join(_panel(method_of(solver)))}</div>'
    )


def _panel(known: Method) -> Iterator[str]:
    solver = known.solver
    yield (
        f'<button type="button" class="inv-close" popovertarget="{PANEL}" popovertargetaction="hide" '
        'aria-label="Close">×</button>'
    )
    yield f"<h3>{html.escape(solver.title)}</h3><p>{html.escape(solver.summary)}</p><p>{cited(solver)}</p>"
    if known.formula:
        formula = notation.formula(known.formula)
        yield f'<div class="inv-formula" role="group" tabindex="0" aria-label="Formula">{formula}</div>'
    if known.lines:
        yield f'<h4>The algorithm</h4><ol class="inv-algorithm">{"".join(map(_line, known.lines))}</ol>'
        yield f'<p class="inv-symbols">{_symbols(known)}</p>'
    yield f"<h4>What each setting does in it</h4><dl>{''.join(map(_knob, known.knobs))}</dl>"
    yield from _measured(solver)
    yield from _paper(known)


def _line(known: Line) -> str:
    remark = f"<small>{notation.line(known.comment)}</small>" if known.comment else ""
    return f'<li style="--depth:{known.depth}"><code>{notation.line(known.code)}</code>{remark}</li>'


def _symbols(known: Method) -> str:
    each = [f"{notation.symbol(name)} is {notation.line(words)}" for name, words in known.symbols.items()]
    return "; ".join(each) + ". Images lie between −1 and 1."


def _knob(knob: Knob) -> str:
    called = f" <span>{notation.symbol(knob.symbol)}</span>" if knob.spec.symbol else ""
    where = f"Line{'s' * (len(knob.lines) > 1)} {' and '.join(map(str, knob.lines))}. " if knob.lines else ""
    does = html.escape(f"{knob.spec.help} {knob.spec.effect}".strip())
    return f"<dt>{html.escape(label(knob.name))}{called}</dt><dd><b>{where}</b>{does}</dd>"


def _measured(solver: type[Solver]) -> Iterator[str]:
    """How close it comes to posteriors that are known exactly, and where all of that stands."""
    yield "<h4>Measured where the posterior is known exactly</h4>"
    if row := _judged().get(solver.title):
        figures = (
            f"<dt>{title} <span>{html.escape(row[name])}</span></dt><dd>{words}</dd>"
            for name, (title, words) in FIGURES.items()
        )
        yield f"<dl>{''.join(figures)}</dl><p>Verdicts: {html.escape(row['verdicts'])}.</p>"
    links = [_link(JUDGE_PAGE, "The judge's table")]
    if solver.name in LAB:
        links += [
            _link(FINDINGS_PAGE, "What the findings lab found"),
            f'<button type="button" class="inv-how" popovertarget="{PANEL}" popovertargetaction="hide" '
            'data-opens="Findings">Measure it yourself</button>',
        ]
    yield f'<p class="inv-links-out">{" ".join(links)}</p>'


def _paper(known: Method) -> Iterator[str]:
    if known.paper is None:
        return
    paper = known.paper
    where = html.escape(", ".join(filter(None, (paper.venue, str(paper.year)))))
    yield f"<h4>Paper</h4><p>{html.escape(', '.join(paper.authors))}. "
    yield f"{_link(paper.url, html.escape(paper.title))}. {where}.</p>"
    yield f'<pre id="method-bibtex" role="group" tabindex="0" aria-label="BibTeX">{html.escape(paper.bibtex)}</pre>'
    yield '<p><button type="button" class="inv-small" data-copies="method-bibtex">Copy BibTeX</button>'
    yield ' <span class="inv-said" role="status" aria-live="polite"></span></p>'


@cache
def _judged() -> dict[str, dict[str, str]]:
    return summaries(JUDGE.read_text(encoding="utf-8"))


def _link(address: str, words: str) -> str:
    return f'<a href="{html.escape(address)}" target="_blank" rel="noopener">{words}</a>'
