"""Mathematics for the page: formulas in LaTeX as MathML, and lines of algorithms with the letters that they name.

Both are typeset by the browser, from the page itself: no script and no font is fetched.
"""

from __future__ import annotations

import html
import re

from latex2mathml.converter import convert

GREEK = {"sigma": "σ", "zeta": "ζ", "eta": "η", "gamma": "γ", "mu": "μ", "lambda": "λ"}
"""The names that docstrings write for letters."""
SIGNS = {
    "<-": "←", "<=": "≤", ">=": "≥", "||": "‖", " - ": " − ", "-": "−", "sqrt": "√", "'s": "’s",
    "sigma_next": "<i>σ</i>′", "x0": "<i>x</i><sub>0</sub>", "x0_hat": "<i>x̂</i><sub>0</sub>",
}  # fmt: skip
DIFFERENTIALS = ("dD", "dx", "df", "dsigma")

_TOKENS = re.compile(
    r"sigma_next|x0_hat|x0|<-|<=|>=|\|\|| - |(?<=[\[(])-|'s\b|\ba (?=[A-Za-z])"  # what has a sign of its own
    r"|\^\([^)]*\)|\^-?\w+|\^\+"  # what is raised
    r"|(?<=[)‖|])_\w+|(?<=\))_\+"  # what is lowered behind a bracket
    r"|[A-Za-z]+(?:_\w+)?"  # a name or a word
)
_PARTS = re.compile(r"[,;]? *\\q?quad *")


def formula(latex: str) -> str:
    """MathML of what is parted by \\quad or \\qquad, one part beside the other where there is room."""
    return "".join(f"<span>{convert(part, display='block')}</span>" for part in _PARTS.split(latex) if part)


def line(code: str) -> str:
    """A line of an algorithm in HTML: "sigma_next" as σ′, "H^T" with a raised T, and so on."""
    code = re.sub(r"<(\w+/\w+, \w+)>", "⟨\\1⟩", code)
    found, end = [], 0
    for token in _TOKENS.finditer(code):
        found += [html.escape(code[end : token.start()], quote=False), _typeset(token[0])]
        end = token.end()
    return "".join([*found, html.escape(code[end:], quote=False)])


def symbol(name: str) -> str:
    """One letter, with what stands below it; a word as words."""
    return line(name) if _is_letter(name.partition("_")[0].partition("^")[0]) else name.replace("_", " ")


def _is_letter(name: str) -> bool:
    return len(name) == 1 or name in GREEK


def _typeset(token: str) -> str:
    if token in SIGNS:
        return SIGNS[token]
    if token[0] in "^_":
        kind, inner = ("sup" if token[0] == "^" else "sub"), token[1:]
        inner = inner[1:-1] if inner.startswith("(") else inner
        return f"<{kind}>{inner if inner == 'T' else line(inner).replace('-', '−')}</{kind}>"
    if token in DIFFERENTIALS:
        return f"d{_typeset(token[1:])}"
    name, _, below = token.partition("_")
    if name != "grad" and not _is_letter(name):
        return token.replace("_", " ")
    letter = "∇" if name == "grad" else f"<i>{GREEK.get(name, name)}</i>"
    return letter + (f"<sub>{GREEK.get(below, below)}</sub>" if below else "")
