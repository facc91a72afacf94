"""How a solver works, for people: what the page, the command line and docs/methods.md are made of.

All of it is declared with the solver: its formula, the first block of its docstring that is set in, which is the
algorithm, and of every parameter what formulas call it.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from itertools import dropwhile, takewhile

from inverse.parameters import Spec
from inverse.solvers.base import Solver
from inverse.solvers.papers import PAPERS, Paper

SYMBOLS = {
    "x": "the image at noise level sigma, begun as noise",
    "n": "standard normal noise, drawn anew wherever it stands",
    "D": "the prior's estimate D(x, sigma) of the clean image, and what becomes of it",
    "J": "the Jacobian dD/dx",
    "D_y": "the same of an estimator that looks at the measurement",
    "y": "the measurement A(x0) + sigma_y n, of the clean image x0",
    "A": "what was done to the photo",
    "H": "A where it is linear, with the singular values s of H = U S V^T, of which s_max is the largest",
    "H^+": "its pseudo-inverse",
    "d": "the number of entries of x",
    "m": "the number of entries of y",
}
"""What the letters stand for, in all algorithms. Images lie on [-1, 1], and so does sigma_y."""


@dataclass(frozen=True)
class Line:
    """A line of an algorithm.

    Attributes:
        depth: how many loops it is in.
        code: what is done.
        comment: a remark on it; empty for none.
    """

    depth: int
    code: str
    comment: str = ""


@dataclass(frozen=True)
class Knob:
    """A parameter in the algorithm: its name, what is known of it, and the lines, from 1, in which it stands."""

    name: str
    spec: Spec
    lines: tuple[int, ...]

    @property
    def symbol(self) -> str:
        """What the algorithm calls it."""
        return self.spec.symbol or self.name


@dataclass(frozen=True)
class Method:
    """What there is to say of a solver.

    Attributes:
        formula: in LaTeX.
        lines: its algorithm; none where its docstring has none.
        knobs: its parameters, the plain ones first.
        symbols: what letters of the algorithm stand for, those that it uses.
        paper: None where `PAPERS` knows none.
    """

    solver: type[Solver]
    formula: str
    lines: tuple[Line, ...]
    knobs: tuple[Knob, ...]
    symbols: dict[str, str]
    paper: Paper | None


def method(solver: type[Solver]) -> Method:
    """How a solver works."""
    block = algorithm(solver)
    lines = tuple(_line(text) for text in block.splitlines())
    specs = sorted(solver.specs().items(), key=lambda item: item[1].advanced)
    knobs = tuple(
        Knob(name, spec, tuple(at for at, text in enumerate(block.splitlines(), 1) if holds(text, spec.symbol or name)))
        for name, spec in specs
    )
    code = "\n".join(line.code for line in lines)
    symbols = {symbol: words for symbol, words in SYMBOLS.items() if holds(code, symbol)}
    return Method(solver, solver.formula, lines, knobs, symbols, PAPERS.get(solver.paper))


def algorithm(solver: type[Solver]) -> str:
    """The first block of a docstring that is set in, as text: the solver's own, or that of what it is a variant of.

    A line that says "..." stands for all lines of the latter but the first and the last.
    """
    found: list[str] = []
    for kind in reversed(solver.__mro__):
        lines = inspect.cleandoc(kind.__doc__ or "").splitlines()
        block = dropwhile(lambda line: not line.startswith("    "), lines)
        own = [line[4:] for line in takewhile(lambda line: line.startswith("    "), block)]
        if own:
            found = [line for each in own for line in (found[1:-1] if each == "..." else [each])]
    return "\n".join(found)


def holds(text: str, symbol: str) -> bool:
    """Whether a symbol stands in a text, and not only as a part of another one."""
    return re.search(rf"(?<!\w){re.escape(symbol)}(?![\w^]|_\w)", text) is not None


def _line(text: str) -> Line:
    code, _, comment = text.partition("#")
    return Line((len(code) - len(code.lstrip())) // 4, re.sub(" {2,}", "  ", code.strip()), comment.strip())
