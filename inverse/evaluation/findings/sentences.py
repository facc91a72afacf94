"""What a study found, in one honest sentence for each panel, and what that says of the paper's three claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, UNCONDITIONAL
from inverse.evaluation.findings.samples import Diversity
from inverse.evaluation.findings.study import Findings

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

PUBLISHED = "DPS"
"""What the settings of DPS as published are called together."""


def sentences(found: Findings) -> dict[str, str]:
    """A sentence for each panel by its name, of what is measured by now; empty before anything is."""
    return {"score": score(found), "mean": mean(found), "samples": samples(found)}


def families(labels: Iterable[str]) -> dict[str, list[str]]:
    """Labels by whose they are: all settings of DPS as published together, everybody else alone."""
    found: dict[str, list[str]] = {}
    for label in labels:
        together = label.startswith("DPS, zeta") and "steps" not in label
        found.setdefault(PUBLISHED if together else label, []).append(label)
    return found


def averages(found: Findings) -> dict[str, float]:
    """Mean over the noise levels of `ScoreError.error`, by label."""
    errors: dict[str, list[float]] = {}
    for row in found.errors:
        errors.setdefault(row.label, []).append(row.error)
    return {label: sum(values) / len(values) for label, values in errors.items()}


def worse_levels(found: Findings, label: str) -> tuple[int, int]:
    """At how many levels a score errs by more than the unconditional one, and of how many."""
    own = {row.sigma: row.error for row in found.errors if row.label == label}
    plain = {row.sigma: row.error for row in found.errors if row.label == UNCONDITIONAL and row.sigma in own}
    return sum(own[sigma] > error for sigma, error in plain.items()), len(plain)


def beyond(found: Findings, label: str) -> tuple[int, int, float]:
    """At how many levels the mean of a score is beyond chance, of how many, and the most in units of chance."""
    rows = [row for row in found.means if row.label == label]
    return sum(not row.zero for row in rows), len(rows), max(row.mean / row.null for row in rows)


def score(found: Findings) -> str:
    """Panel 1."""
    average = averages(found)
    if UNCONDITIONAL not in average:
        return ""
    plain, best = average.pop(UNCONDITIONAL), average.pop(BEST, None)
    own = families(average)
    parts = [f"the unconditional score errs by {plain:.2g}"]
    if PUBLISHED in own:
        low, high = _ends(own[PUBLISHED], average.__getitem__)
        text = f"DPS with {low.removeprefix('DPS, ')} errs by {average[low]:.2g}"
        if high != low:
            text += f", with {high.removeprefix('DPS, ')} by {average[high]:.2g}"
        parts.insert(0, text)
    if best is not None:
        parts.append(f"and with the best zeta at each level DPS would err by {best:.2g}")
    others = [f"{label} by {average[label]:.2g}" for label in own if label != PUBLISHED and not variant(label)]
    said = f"{found.truth.words}, mean over the noise levels, {', '.join(parts)}"
    return said + (f"; {_listed(others)}." if others else ".")


def mean(found: Findings) -> str:
    """Panel 2."""
    labels = dict.fromkeys(row.label for row in found.means)
    if CONDITIONAL not in labels:
        return ""
    count, levels, _ = beyond(found, CONDITIONAL)
    said = (
        f"{found.truth.words}, the mean of the reference score over draws of p(x_t | y) is beyond chance at {count} of "
        f"{levels} levels"
    )
    own = families(label for label in labels if label != CONDITIONAL and not variant(label))
    parts = []
    for family, members in own.items():
        counts = [beyond(found, label) for label in members]
        low, high = min(each[0] for each in counts), max(each[0] for each in counts)
        parts.append(f"that of {_the(family)} at {low if low == high else f'{low} to {high}'}")
    most = {family: max(beyond(found, label)[2] for label in members) for family, members in own.items()}
    if PUBLISHED in most and UNCONDITIONAL in most:
        said += (
            f"; at most it is {most[PUBLISHED]:.1f} times what chance gives for DPS, and {most[UNCONDITIONAL]:.1f} "
            "times for the unconditional score"
        )
    return f"{said}; {_listed(parts)}." if parts else f"{said}."


def samples(found: Findings) -> str:
    """Panel 3, without the variants that only tell what parts do."""
    rows = {row.label: row for row in found.samples if not row.failure}
    if not rows:
        return ""
    parts = []
    for family, members in families(label for label in rows if not variant(label)).items():
        own = [rows[label] for label in members]
        text = f"{family} {_between([row.std_ratio for row in own])} and {_percent([row.coverage(0.9) for row in own])}"
        if own[0].shares:
            k = largest(own[0].weights)
            text += f" ({_percent([row.shares[k] for row in own])})"
        parts.append(text)
    first = next(iter(rows.values()))
    said = (
        f"{found.truth.words}, share of the posterior's spread in {first.count} samples, what their 90 % intervals hold"
    )
    if first.weights:
        said += f", and in brackets their share in the mode that has {_percent([max(first.weights)])}"
    failed = [row.label for row in found.samples if row.failure]
    return f"{said}: {_listed(parts, '; ')}" + (f"; {_listed(failed)} diverged." if failed else ".")


def variant(label: str) -> bool:
    """Whether it is judged for what one of its parts does."""
    return any(part in label for part in ("K =", "steps", "without"))


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
        f"they have {_between([row.std_ratio for row in own])} of the posterior's spread, and 90 % intervals that hold "
        f"{_percent([row.coverage(0.9) for row in own])}"
    )
    if own[0].shares:
        k = largest(own[0].weights)
        words += (
            f"; {_percent([row.shares[k] for row in own])} lie in the mode that has {_percent([own[0].weights[k]])}"
        )
    if min(row.coverage(0.9) for row in own) < COVERED and min(row.residual for row in own) < COVERED:
        words += (
            f". Intervals are too short where the measurement's noise is fitted: the residual is down to "
            f"{min(row.residual for row in own):.2f} sigma_y"
        )
    return f"{_held(len(narrow), len(own), 'settings vary too little')}: {words}."


def allowed(levels: int) -> int:
    """Levels of so many at which a mean of 0 may be beyond its 97.5 % quantile, but for one time in a hundred."""
    tail, count, term = 1.0, 0, 0.975**levels
    while True:
        tail -= term
        if tail <= 0.01:
            return count
        count += 1
        term *= (levels - count + 1) / count * 0.025 / 0.975


def largest(weights: Sequence[float]) -> int:
    """The place of the greatest weight."""
    return max(range(len(weights)), key=lambda k: weights[k])


def row_of(found: Findings, label: str) -> Diversity | None:
    """The samples of one contender; None where there are none, or it diverged."""
    return next((row for row in found.samples if row.label == label and not row.failure), None)


def _the(label: str) -> str:
    return f"the {label}" if label == UNCONDITIONAL else label


def _held(count: int, total: int, what: str) -> str:
    word = "Holds" if count == total else "Does not hold" if not count else "Holds in part"
    return f"{word}, {count} of {total} {what}"


def _ends(labels: Sequence[str], value: Callable[[str], float]) -> tuple[str, str]:
    return min(labels, key=value), max(labels, key=value)


def _between(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def _percent(values: Sequence[float]) -> str:
    if any(math.isnan(value) for value in values):
        return "an unknown share"
    low, high = f"{100 * min(values):.0f}", f"{100 * max(values):.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def _listed(parts: Sequence[str], between: str = ", ") -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{between.join(parts[:-1])}{'' if between == ', ' else ';'} and {parts[-1]}"


def together(studies: Sequence[Findings], claim: int) -> str:
    """A plain conclusion: how a claim, by its place in `CLAIMS`, fares on all truths."""
    words = [verdicts(found)[claim].split(",")[0] for found in studies]
    kinds = ("Holds", "Holds in part", "Does not hold")
    counts = [f"{kind[:1].lower()}{kind[1:]} on {words.count(kind)}" for kind in kinds if words.count(kind)]
    if not counts:
        return "It was not measured."
    more = (_length(studies), _other(studies), _modes(studies))[claim]
    return f"Of {len(words)} truths it {_listed(counts)}." + more


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
    return f" Where there are several modes, the likeliest gets {_between(pairs)} of its share." if pairs else ""
