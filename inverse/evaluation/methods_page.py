"""docs/methods.md: how every solver works, from the declarations that the page and the command line show.

python -m inverse.evaluation.methods_page docs/methods.md
"""

from __future__ import annotations

from collections.abc import Iterator

from inverse.evaluation.pages import command
from inverse.solvers import SOLVERS
from inverse.solvers.method import SYMBOLS, Method, algorithm, method

PREFACE = """# Methods

How every solver works: its formula, its algorithm, what each parameter does in it, and how to cite it. The app shows
the same behind "How it works", and `inverse solvers NAME` prints it. How close each comes to a posterior that is known
exactly: [judge.md](judge.md), [findings.md](findings.md). How some compare with azula's of the same name:
[peers.md](peers.md). Made from the solvers themselves by `python -m inverse.evaluation.methods_page docs/methods.md`.

All of them are in variance-exploding coordinates: at noise level sigma the image is x = x0 + sigma n. Images lie on
[-1, 1], and sigma_y is quoted there.
"""


def page() -> str:
    """The page as Markdown."""
    letters = [f"- `{symbol}`: {words}" for symbol, words in SYMBOLS.items()]
    parts = [PREFACE, *letters]
    for solver in SOLVERS.values():
        parts += ["", *_section(method(solver))]
    return "\n".join(parts) + "\n"


def _section(known: Method) -> Iterator[str]:
    solver = known.solver
    yield f"## {solver.title}\n\n`{solver.name}`. {solver.summary} {solver.remark().rstrip('.')}.\n"
    if known.formula:
        yield f"```math\n{known.formula}\n```\n"
    if known.lines:
        numbered = (f"{at:2}  {text}" for at, text in enumerate(algorithm(solver).splitlines(), 1))
        yield "\n".join(["```text", *numbered, "```\n"])
    yield "| parameter | lines | what it does |\n|---|---|---|"
    for knob in known.knobs:
        called = f"`{knob.name}`" + (f", `{knob.spec.symbol}`" if knob.spec.symbol else "")
        yield f"| {called} | {', '.join(map(str, knob.lines))} | {knob.spec.help} {knob.spec.effect} |"
    if known.paper:
        yield f"\n```bibtex\n{known.paper.bibtex}\n```"


if __name__ == "__main__":
    command(page)()
