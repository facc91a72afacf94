"""How a solver works, as the page tells it: formula, algorithm, settings, paper."""

import html
import re
from xml.etree import ElementTree

import pytest
from latex2mathml.converter import convert

from inverse.solvers import SOLVERS
from inverse.solvers.papers import PAPERS, algorithm
from inverse.web.elements.controls import label
from inverse.web.elements.method import cited, method

MATHML = "{http://www.w3.org/1998/Math/MathML}"


def test_every_solver_links_its_paper_beside_the_citation():
    for kind in SOLVERS.values():
        words = cited(kind)
        assert f'<a href="{kind.paper}" target="_blank" rel="noopener">' in words and kind.paper.startswith("https://")
        assert html.unescape(re.sub("<.*?>", "", words)) == kind.remark()
        number = re.search(r"arXiv (\d{4}\.\d{5})", kind.source)
        assert not number or kind.paper == f"https://arxiv.org/abs/{number[1]}"


@pytest.mark.parametrize("kind", SOLVERS.values(), ids=SOLVERS)
def test_the_panel_says_what_there_is_to_say(kind):
    panel = method(kind)
    formula = ElementTree.fromstring(re.search(r"<math.*?</math>", panel, re.DOTALL)[0])
    symbols = [part.text for part in formula.iter() if part.tag.removeprefix(MATHML) in ("mi", "mo", "mtext")]
    assert symbols and not any("\\" in symbol for symbol in symbols), "every command was understood"
    words = html.unescape(re.sub("<.*?>", "", panel))
    assert algorithm(kind) and algorithm(kind) in words
    assert all(label(name) in words and spec.help in words for name, spec in kind.specs().items())
    assert PAPERS[kind.paper].title in words and PAPERS[kind.paper].bibtex in words


def test_an_unknown_command_would_be_seen():
    assert "\\" in convert(r"\nosuchcommand")
