"""What the claims lead on to: whether DMAP is a MAP method, and which of its parts does what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from inverse.evaluation.findings.measuring import Findings
from inverse.evaluation.findings.sentences import averages, listed, row_of
from inverse.solvers import SOLVERS

MAP, K, PROJECTION = (
    "Is DMAP a MAP method, by the distance to the mode?",
    "Does the number K of its gradient steps matter?",
    "Is it the projection that helps, or the fresh gradient?",
)
QUESTIONS = (MAP, K, PROJECTION)

AT_MODE, SAMPLING = 0.25, 0.75
"""Distance to the mode, in that of exact draws, below which a method is at it, and above which it samples."""

ALIKE = 0.1
"""Shares of the posterior that differ by no more are about the same."""

ASTRAY = 0.05
"""A larger share of samples that are astray is more than chance."""

MAP_METHODS = tuple(SOLVERS[name].title for name in ("vml-map", "vml-map-published"))


def answers(found: Findings) -> dict[str, str]:
    """A plain answer to each question that the contenders of this study can answer."""
    given = {MAP: _map(found), K: _count(found), PROJECTION: _projection(found)}
    return {question: answer for question, answer in given.items() if answer}


def _map(found: Findings) -> str:
    dmap = row_of(found, "DMAP")
    if dmap is None or dmap.to_mode != dmap.to_mode:
        return ""
    word = "Yes" if dmap.to_mode < AT_MODE else "No" if dmap.to_mode > SAMPLING else "In between"
    others = [f"{name} at {row.to_mode:.2f}" for name in MAP_METHODS if (row := row_of(found, name))]
    beside = f", where {' and '.join(others)} are" if others else ""
    hugging = dmap.residual < 0.5
    words = f"{word}: its samples lie at {dmap.to_mode:.2f} of an exact draw's distance to the nearest mode{beside}"
    if hugging:
        words += (
            f". What it does to excess is to fit the measurement: its residual is {dmap.residual:.2f} sigma_y, and so "
            f"its 90 % intervals hold {100 * dmap.coverage(0.9):.0f} %"
        )
    return f"{words}."


def _count(found: Findings) -> str:
    labels = {"1": "DMAP, K = 1", "3": "DMAP", "10": "DMAP, K = 10"}
    rows = {k: row for k, label in labels.items() if (row := row_of(found, label))}
    if len(rows) < 3:
        return ""
    average = averages(found)
    errors = ", ".join(f"{average[label]:.2g}" for label in labels.values())
    covers = [rows[k].coverage(0.9) for k in labels]
    words = "Hardly, for its samples" if max(covers) - min(covers) < ALIKE else "Yes"
    held = ", ".join(f"{100 * cover:.0f} %" for cover in covers)
    modes = ", ".join(f"{rows[k].to_mode:.2f}" for k in labels)
    return (
        f"{words}: with K = 1, 3 and 10 the 90 % intervals hold {held}, and samples lie at {modes} of an exact draw's "
        f"distance to the mode; the implied score errs by {errors}, as more steps go farther."
    )


def _projection(found: Findings) -> str:
    wanted = {
        "DMAP": "DMAP",
        "DMAP without projection": "DMAP without projection",
        "DSG": "DSG",
        "DPS in three times the steps": next((row.label for row in found.samples if "three times" in row.label), ""),
    }
    rows = {words: row for words, label in wanted.items() if (row := row_of(found, label))}
    if len(rows) < len(wanted):
        return ""
    if rows["DMAP without projection"].strays != rows["DMAP without projection"].strays:
        return ""  # not known of this truth
    parts = [
        f"{words}: {row.residual:.2f} sigma_y, {100 * row.coverage(0.9):.0f} %, bias {row.bias:.2f}"
        for words, row in rows.items()
    ]
    closest = min(rows, key=lambda words: rows[words].residual)
    covering = min(rows, key=lambda words: abs(rows[words].coverage(0.9) - 0.9))
    unbiased = min(rows, key=lambda words: rows[words].bias)
    return (
        f"{covering} comes nearest to intervals of 90 %, {unbiased} to the posterior's mean, and {closest} fits the "
        f"measurement most closely. Residual, what 90 % intervals hold, and bias: {'; '.join(parts)}."
    )


def together(studies: Sequence[Findings], question: str) -> str:
    """A plain answer over all truths."""
    given = [answer for found in studies if (answer := answers(found).get(question))]
    if question == PROJECTION:
        return _without(studies)
    words = Counter(answer.split(":")[0].split(",")[0] for answer in given)
    return f"{listed([f'{word} on {count}' for word, count in words.most_common()])} of {len(given)} truths."


def _without(studies: Sequence[Findings]) -> str:
    """What becomes of DMAP without its projection, and without its fresh gradient."""
    pairs = [(kept, free) for found in studies
             if (kept := row_of(found, "DMAP")) and (free := row_of(found, "DMAP without projection"))]  # fmt: skip
    nearer = sum(abs(free.coverage(0.9) - 0.9) < abs(kept.coverage(0.9) - 0.9) for kept, free in pairs)
    astray = sum(free.strays > ASTRAY for _, free in pairs)
    tighter = sum(kept.residual < free.residual - ALIKE for kept, free in pairs)
    return (
        f"Of {len(pairs)} truths the projection brings samples closer to the measurement on {tighter}, and keeps them "
        f"from where the posterior hardly has any mass on {astray}; without it 90 % intervals are nearer to 90 % on "
        f"{nearer}."
    )
