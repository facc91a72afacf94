"""What a study says of the three claims of Xu et al. 2025."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inverse.evaluation.findings.contenders import BEST, UNCONDITIONAL
from inverse.evaluation.findings.measuring import Findings
from inverse.evaluation.findings.sentences import (
    PUBLISHED,
    allowed,
    averages,
    between,
    beyond,
    families,
    largest,
    listed,
    percent,
    worse_levels,
)

CLAIMS = (
    "The conditional score of DPS is far from the true one, farther than the unconditional score.",
    "The mean of DPS's score over draws of p(x_t | y) is far from zero, which no score's can be.",
    "The samples of DPS are good and hardly diverse.",
)
"""Of Xu et al. 2025, in the order of the panels."""

NARROW = 0.9
"""Samples with a smaller share of the posterior's spread vary too little."""

COVERED = 0.85
"""Intervals for 90 % that hold less are too short; a residual below it fits noise."""


def verdicts(found: Findings) -> list[str]:
    """What this truth says of each of `CLAIMS`, for DPS as published: a plain sentence each."""
    return [_first(found), _second(found), _third(found)]


LEFT_OUT = "Not measured: there is nothing of DPS"


def _first(found: Findings) -> str:
    average = averages(found)
    labels = families(average).get(PUBLISHED)
    if not labels:
        return f"{LEFT_OUT}."
    plain, nearest = average[UNCONDITIONAL], min(labels, key=average.__getitem__)
    farther = [label for label in labels if average[label] > plain]
    counts = [worse_levels(found, label) for label in labels]
    low = [row for row in found.errors if row.label == nearest and row.sigma <= 2 * found.truth.problem.sigma_y]
    words = (
        f"the nearest ({nearest.removeprefix('DPS, ')}) errs by {average[nearest]:.3g}, the unconditional score by "
        f"{plain:.3g}; they are farther at {min(c for c, _ in counts)} to {max(c for c, _ in counts)} of "
        f"{counts[0][1]} levels"
    )
    if low:
        words += f", and by up to {max(row.relative for row in low):.1f} times the reference's length at low noise"
    if BEST in average:
        words += f". With the best zeta at each level it would err by {average[BEST]:.3g}"
    return (
        f"{_held(len(farther), len(labels), 'settings are farther on average than the unconditional score')}: {words}."
    )


def _second(found: Findings) -> str:
    labels = families(dict.fromkeys(row.label for row in found.means)).get(PUBLISHED)
    if not labels:
        return f"{LEFT_OUT}."
    off = [label for label in labels if beyond(found, label)[0] > allowed(beyond(found, label)[1])]
    most = max(beyond(found, label)[2] for label in labels)
    also, levels, plain = beyond(found, UNCONDITIONAL)
    words = (
        f"it reaches {most:.1f} times what chance gives. But so is the unconditional score's, at {also} of {levels} "
        f"levels and by {plain:.1f} times, as it must be: it is the score of another density"
    )
    return f"{_held(len(off), len(labels), 'settings have a mean beyond chance')}: {words}."


def _third(found: Findings) -> str:
    rows = {row.label: row for row in found.samples if not row.failure}
    own = [rows[label] for label in families(rows).get(PUBLISHED, [])]
    if not own:
        return f"{LEFT_OUT}."
    narrow = [row for row in own if row.std_ratio < NARROW]
    words = (
        f"they have {between([row.std_ratio for row in own])} of the posterior's spread, and 90 % intervals that hold "
        f"{percent([row.coverage(0.9) for row in own])}"
    )
    if own[0].shares:
        k = largest(own[0].weights)
        words += f"; {percent([row.shares[k] for row in own])} lie in the mode that has {percent([own[0].weights[k]])}"
    if min(row.coverage(0.9) for row in own) < COVERED and min(row.residual for row in own) < COVERED:
        words += (
            f". Intervals are too short where the measurement's noise is fitted: the residual is down to "
            f"{min(row.residual for row in own):.2f} sigma_y"
        )
    return f"{_held(len(narrow), len(own), 'settings vary too little')}: {words}."


def _held(count: int, total: int, what: str) -> str:
    word = "Holds" if count == total else "Does not hold" if not count else "Holds in part"
    return f"{word}, {count} of {total} {what}"


def together(studies: Sequence[Findings], claim: int) -> str:
    """A plain conclusion: how a claim, by its place in `CLAIMS`, fares on all truths."""
    words = [verdicts(found)[claim].split(",")[0] for found in studies]
    kinds = ("Holds", "Holds in part", "Does not hold")
    counts = [f"{kind[:1].lower()}{kind[1:]} on {words.count(kind)}" for kind in kinds if words.count(kind)]
    if not counts:
        return "It was not measured."
    more = (_length(studies), _other(studies), _modes(studies))[claim]
    return f"Of {len(words)} truths it {listed(counts)}." + more


def _length(studies: Sequence[Findings]) -> str:
    """Whether a step size of DPS would do, and how it would have to change."""
    nearer = [found for found in studies if (a := averages(found)).get(BEST, math.inf) < a.get(UNCONDITIONAL, 0.0)]
    zetas = [[row.zeta for row in found.errors if row.label == BEST] for found in nearer]
    if not zetas:
        return ""
    factors = [max(own) / min(own) for own in zetas if min(own) > 0]
    changed = f", but it would have to fall by a factor of {min(factors):.0f} to {max(factors):.0f} over a run"
    return (
        f" With the best zeta at each level DPS is nearer than the unconditional score on {len(nearer)}: its length is "
        f"at fault more than its direction. No single zeta is right everywhere{changed if factors else ''}."
    )


def _other(studies: Sequence[Findings]) -> str:
    """Whether the unconditional score, of which nobody says that it is wrong, has such a mean too."""
    also = sum(beyond(found, UNCONDITIONAL)[0] > allowed(beyond(found, UNCONDITIONAL)[1]) for found in studies)
    if not also:
        return ""
    return (
        f" The unconditional score fails the same test on {also}: it tells the posterior's own score from every other, "
        "and not a sampler from a method that maximises."
    )


def _modes(studies: Sequence[Findings]) -> str:
    """Where there are modes, whether they get their shares."""
    pairs = []
    for found in studies:
        for row in found.samples:
            if row.label in families([row.label]).get(PUBLISHED, []) and row.shares:
                k = largest(row.weights)
                pairs.append(row.shares[k] / row.weights[k])
    return f" Where there are several modes, the likeliest gets {between(pairs)} of its share." if pairs else ""
