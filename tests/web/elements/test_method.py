"""How a solver works, as the page tells it: formula, algorithm, settings, what was measured, paper."""

import html
import re
from xml.etree import ElementTree

import pytest
from latex2mathml.converter import convert

from inverse.evaluation.judge.page import summaries
from inverse.resources import JUDGE
from inverse.solvers import SOLVERS
from inverse.solvers.method import method as known_of
from inverse.solvers.papers import PAPERS
from inverse.web.elements.controls import label
from inverse.web.elements.method import cited, method
from inverse.web.elements.notation import line, symbol

MATHML = "{http://www.w3.org/1998/Math/MathML}"
BY_NAME = pytest.mark.parametrize("kind", SOLVERS.values(), ids=SOLVERS)


def plain(markup):
    return html.unescape(re.sub("<.*?>", "", markup))


def test_every_solver_links_its_paper_beside_the_citation():
    for kind in SOLVERS.values():
        words = cited(kind)
        assert f'<a href="{kind.paper}" target="_blank" rel="noopener">' in words and kind.paper.startswith("https://")
        assert plain(words) == kind.remark()
        number = re.search(r"arXiv (\d{4}\.\d{5})", kind.source)
        assert not number or kind.paper == f"https://arxiv.org/abs/{number[1]}"


@BY_NAME
def test_the_panel_says_what_there_is_to_say(kind):
    panel, known = method(kind), known_of(kind)
    words = plain(panel)
    assert panel.count("<li ") == len(known.lines) > 4
    for knob in known.knobs:
        (said,) = re.findall(rf"<dt>{label(knob.name)}\b.*?</dt><dd>(.*?)</dd>", panel)
        assert html.escape(knob.spec.help) in said and plain(said).startswith(f"Line{'s' * (len(knob.lines) > 1)} ")
    assert PAPERS[kind.paper].title in words and PAPERS[kind.paper].bibtex in words
    assert "measured/judge" in panel
    assert ("measured/findings" in panel) == ('data-opens="Findings"' in panel)


@BY_NAME
def test_every_command_of_a_formula_is_understood(kind):
    formulas = re.findall(r"<math.*?</math>", method(kind), re.DOTALL)
    assert formulas
    for formula in map(ElementTree.fromstring, formulas):
        symbols = [part.text for part in formula.iter() if part.tag.removeprefix(MATHML) in ("mi", "mo", "mtext")]
        assert symbols and not any("\\" in symbol for symbol in symbols)


def test_an_unknown_command_would_be_seen():
    assert "\\" in convert(r"\nosuchcommand")


@BY_NAME
def test_a_line_is_typeset_without_a_rest(kind):
    """No name of a Greek letter, no sign of a keyboard, and markup that is closed."""
    for known in known_of(kind).lines:
        for text in (known.code, known.comment):
            markup = line(text)
            ElementTree.fromstring(f"<p>{markup}</p>")
            assert not re.search(r"sigma|zeta|\beta\b|gamma|_|\^|<-|\|\||sqrt|grad_", plain(markup).replace("<", " "))


def test_letters_are_letters_and_words_are_words():
    assert line("x <- D + sigma_next n") == "<i>x</i> ← <i>D</i> + <i>σ</i>′ <i>n</i>"
    assert line("H^T (a)^-1") == "<i>H</i><sup>T</sup> (<i>a</i>)<sup>−1</sup>"
    assert line("a step") == "a step" and line("a < b") == "<i>a</i> &lt; <i>b</i>"
    assert symbol("g_r") == "<i>g</i><sub>r</sub>" and symbol("renoise_above") == "renoise above"


def test_the_judge_s_figures_are_those_of_its_page():
    row = summaries(JUDGE.read_text(encoding="utf-8"))["DMAP"]
    words = plain(method(SOLVERS["dmap"]))
    assert len(row) == 5 and all(figure in words for figure in row.values())
    assert "Verdicts" not in method(SOLVERS["cse"]), "the judge has no estimator"
