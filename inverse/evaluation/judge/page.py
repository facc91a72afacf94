"""docs/judge.md: how to read the figures, a summary of every solver, and all rows."""

from __future__ import annotations

import itertools
import math
import re
import textwrap
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from inverse.errors import ParameterError
from inverse.evaluation.judge.cases import JUDGE_TASKS
from inverse.evaluation.judge.rows import JUDGE_SETTINGS, LEVELS, MODE, NEAR_MODE, TOLERANCES, JudgeRow
from inverse.solvers import SOLVERS
from inverse.solvers.run import BACKWARD_COST

_SUMMARY = ("solver", "bias", "std ratio", "90 %", "to MAP", "verdicts")
_COLUMNS = ("solver", "task", "bias", "std ratio", "50 %", "90 %", "to MAP", "residual", "cost", "verdict")
_SETTINGS = "## Settings"


def to_markdown(rows: Iterable[JudgeRow]) -> str:
    """A Markdown page of rows in the order in which `judge` yields them."""
    rows = list(rows)
    lines = [*_preface(rows), *_summary(rows)]
    for sigma_y, same in groupby(rows, key=lambda row: row.sigma_y):
        lines += ["", f"## sigma_y {sigma_y:g}", "", *_heading(_COLUMNS), *map(_line, same)]
    return "\n".join([*lines, *_reasons(rows)]) + "\n"


def summaries(page: str) -> dict[str, dict[str, str]]:
    """What such a page says of every solver in all cases: texts by column, by the solver's title."""
    _, _, *lines = itertools.dropwhile(lambda line: line != _cells(_SUMMARY), page.splitlines())
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    cells = [[text.strip() for text in line.strip("|").split("|")] for line in table]
    return {title: dict(zip(_SUMMARY[1:], texts, strict=True)) for title, *texts in cells}


def updated(page: str, other: str) -> str:
    """A page with the solvers of another one, whose lines replace those that it had of them.

    Lines of solvers that there are no more go.

    Raises:
        ParameterError: the two are not about the same cases.
    """
    old, new = _sections(page), _sections(other)
    if old[""] != new[""] or {*old, _SETTINGS} != {*new, _SETTINGS}:
        raise ParameterError("That page is about other cases: size, samples, tasks or noise. Judge all solvers.")
    judged, parts = set(summaries(other)), []
    for heading in old | new:
        kept, added = old.get(heading, []), new.get(heading, [])
        words = [line for line in added or kept if not (heading and _solver(line))]
        lines = [line for line in kept if _solver(line) not in judged] + added
        places = {line: place for line in lines if heading and (place := _place(line))}
        parts.append("\n".join([*words, *sorted(places, key=places.__getitem__)]))
    return "\n\n".join(parts) + "\n"


def _sections(page: str) -> dict[str, list[str]]:
    """Lines by the heading that they begin with, those before the first one by ""."""
    found: dict[str, list[str]] = {"": []}
    for line in page.splitlines():
        if line.startswith("## "):
            found[[*found][-1]].pop()  # the empty line before it
            found[line] = []
        found[[*found][-1]].append(line)
    return found


def _solver(line: str) -> str:
    """The name of the solver that a line of a table or of the settings begins with; else empty."""
    found = re.match(r"\| (?!solver \|)(.+?) \||- (.+?): ", line)
    return (found[1] or found[2]) if found else ""


def _place(line: str) -> tuple[int, bool, int] | None:
    """Where a solver's line comes: by task, by solver, and runs with more steps at the end. None of no such line."""
    name, titles = _solver(line), [kind.title for kind in SOLVERS.values()]
    title = name if name in titles else name.rpartition(", ")[0]
    if title not in titles:
        return None
    task = [*line.split(" | "), ""][1]
    return list(JUDGE_TASKS).index(task) if task in JUDGE_TASKS else 0, title != name, titles.index(title)


def _preface(rows: list[JudgeRow]) -> list[str]:
    first = rows[0]
    most = {level: max(row.coverage_error[level] for row in rows) for level in LEVELS}
    within = TOLERANCES
    paragraphs = [
        "Every solver on priors whose posterior is known exactly: stationary Gaussian fields, whose denoiser is the "
        "Wiener filter, with a linear operator and Gaussian noise. No trained network is in it, so that what is off "
        "here is the solver's own doing. The posterior is computed by dense algebra in float64: operator and field "
        f"need not share a basis. Images of {first.size}x{first.size}, {first.measurements} measurements a case, "
        f"{first.samples} samples of each. Made by `make judge`; `python -m inverse judge --help` says how to judge "
        "one solver, or other tasks, noise, seeds and sizes.",
        "Deblurring without noise is left out: y tells everything there, but too faintly for float64.",
        "Lengths are in standard deviations of the posterior, RMS over pixels.",
    ]
    tasks = [(task, JUDGE_TASKS[task]) for task in dict.fromkeys(row.task for row in rows)]
    bullets = [
        "bias: of the samples' mean. 0 for a posterior sampler and for a MAP method. What so few samples are off by "
        f"chance is taken out; exact samples stay below {max(row.bias_error for row in rows):.2f} here.",
        "std ratio: spread of the samples, pooled. 1 for a posterior sampler (standard error up to "
        f"{max(row.std_error for row in rows):.3f}), near 0 for a MAP method.",
        "50 %, 90 %: how often the interval between a pixel's quantiles over the samples holds the truth, for all "
        "truths that y allows. The level itself for a posterior sampler (standard errors up to "
        f"{most[0.5]:.3f} and {most[0.9]:.3f}), near 0 for a MAP method.",
        "to MAP: distance of a sample to the MAP estimate. 1 for a posterior sampler, 0 for a MAP method.",
        "residual: RMS of y - H x0 over sigma_y (as it is where sigma_y is 0). About 1 for a posterior sampler.",
        f"cost: passes through the network of one run, a backward pass as {BACKWARD_COST:g} forward ones.",
        f"verdict: calibrated is a bias up to {within['bias']:g}, a std ratio within {within['std ratio']:g} of 1 and "
        f"a 90 % coverage within {within['90 %']:g} of 0.9; narrow, wide and biased say what is not so. Narrow or wide "
        "in places: the spread is right on the whole, and not in every pixel. Samples that agree are at the mode "
        f"within {MODE:g} of the MAP estimate, near it within {NEAR_MODE:g}.",
    ]
    lines = ["# The judge", ""]
    for paragraph in paragraphs:
        lines += [*_wrapped(paragraph), ""]
    for task, judged in tasks:
        lines += _wrapped(f"- {task}: `{judged.task}`, {judged.about}.", "  ")
    lines.append("")
    for bullet in bullets:
        lines += _wrapped(f"- {bullet}", "  ")
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, 120, subsequent_indent=indent, break_on_hyphens=False)


def _summary(rows: list[JudgeRow]) -> list[str]:
    lines = ["", "## In all cases", "", "The least and the most of every figure.", ""]
    lines += _heading(_SUMMARY)
    for name in dict.fromkeys(row.name for row in rows):
        own = [row for row in rows if row.name == name]
        verdicts = [f"{count} {verdict}" for verdict, count in Counter(row.verdict for row in own).most_common()]
        figures: list[Callable[[JudgeRow], float]] = [
            lambda r: r.bias, lambda r: r.std_ratio, lambda r: r.coverage[0.9], lambda r: r.map_distance,
        ]  # fmt: skip
        lines.append(_cells([name, *(_range([figure(row) for row in own]) for figure in figures), "; ".join(verdicts)]))
    return lines


def _line(row: JudgeRow) -> str:
    figures = [row.bias, row.std_ratio, row.coverage[0.5], row.coverage[0.9], row.map_distance, row.residual]
    return _cells([row.name, row.task, *map(_figure, figures), f"{row.cost:.0f}", row.verdict])


def _reasons(rows: list[JudgeRow]) -> list[str]:
    lines = []
    for name, row in {row.name: row for row in rows}.items():
        settings = ", ".join(f"{key} {_shown(value)}" for key, value in row.settings.items())
        reason = JUDGE_SETTINGS[row.solver][1] if row.solver in JUDGE_SETTINGS else ""
        if settings:
            lines.append(f"- {name}: {settings}" + f" ({reason})." * bool(reason))
    return ["", _SETTINGS, "", "What differs from the defaults, and why.", "", *lines] if lines else []


def _heading(names: Iterable[str]) -> list[str]:
    names = list(names)
    return [_cells(names), "|" + "---|" * len(names)]


def _cells(texts: Iterable[str]) -> str:
    return "| " + " | ".join(texts) + " |"


def _range(values: list[float]) -> str:
    least, most = _figure(min(values)), _figure(max(values))
    return least if least == most else f"{least} to {most}"


def _figure(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
