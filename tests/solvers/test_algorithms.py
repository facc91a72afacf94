"""How a solver works, as it is declared: its algorithm, its letters, its knobs, and the page that is made of them."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from inverse.evaluation.methods_page import page
from inverse.parameters import real
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.method import SYMBOLS, algorithm, holds, method

BY_NAME = pytest.mark.parametrize("kind", SOLVERS.values(), ids=SOLVERS)


@BY_NAME
def test_every_knob_stands_in_the_algorithm(kind):
    """A setting that no line has is one of which the panel could not say what it does."""
    known = method(kind)
    assert {knob.name for knob in known.knobs} == set(kind.specs())
    for knob in known.knobs:
        assert knob.lines, f"{knob.symbol} is in no line of {kind.name}"
        for at in knob.lines:
            assert holds(algorithm(kind).splitlines()[at - 1], knob.symbol)


@BY_NAME
def test_an_algorithm_is_ten_lines_or_so_that_say_how_it_begins_and_what_it_returns(kind):
    lines = method(kind).lines
    assert 5 <= len(lines) <= 13
    assert lines[-1].code.startswith("return ") and lines[-1].depth == 0
    for before, after in pairwise(lines):
        assert after.depth <= before.depth + 1
        assert after.depth <= before.depth or before.code.endswith(":") or ":  " in before.code or ";" in before.code


@BY_NAME
def test_every_letter_is_explained_defined_or_a_knob(kind):
    known = method(kind)
    code = " ".join(line.code for line in known.lines)
    letters = set(re.findall(r"(?<![\w^])(?:[A-Za-z]|sigma|zeta|eta|gamma|mu)(?:_\w+)?(?!\w)", code))
    defined = set(re.findall(r"([A-Za-z]\w*)(?:\^2)? (?:=|<-|the)", code))
    of_loops, of_matrices = {"sigma", "sigma_next", "s", "k"}, {"I", "U", "s_max"}
    assert not letters - defined - of_loops - of_matrices - {"sigma_y"} - set(SYMBOLS) - {k.symbol for k in known.knobs}


def test_a_symbol_is_no_part_of_another():
    assert holds("t = zeta (1 / N)", "zeta") and not holds("zeta_0 = 1", "zeta") and not holds("eta", "zeta")
    assert holds("H^T y", "y") and not holds("sigma_y", "y") and not holds("H^+ y", "H") and holds("H^+ y", "H^+")


def test_only_the_first_block_of_a_docstring_is_the_algorithm():
    @dataclass(frozen=True)
    class Toy(Solver):
        """Words.

            x = n  # noise
            return x

        More words, and

            another equation.
        """

        weight: float = real(1.0, 0.0, 1.0, help="w.", symbol="w")

    assert algorithm(Toy) == "x = n  # noise\nreturn x"
    assert [line.comment for line in method(Toy).lines] == ["noise", ""]
    assert [knob.lines for knob in method(Toy).knobs if knob.name == "weight"] == [()]


def test_dots_stand_for_the_lines_of_what_a_solver_is_a_variant_of():
    own, other = (algorithm(SOLVERS[name]).splitlines() for name in ("cse-vml-map", "vml-map"))
    assert own[2:-1] == other[1:-1] and "..." not in own and len(own) == len(other) + 1


def test_the_documentation_is_made_of_the_declarations():
    file = Path(__file__).parents[2] / "docs" / "methods.md"
    assert file.read_text(encoding="utf-8") == page(), "python -m inverse.evaluation.methods_page docs/methods.md"
