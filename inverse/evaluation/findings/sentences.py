"""What a study found, in one honest sentence for each panel, and what that means for the paper's three claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, REFERENCE, UNCONDITIONAL
from inverse.evaluation.findings.samples import Diversity
from inverse.evaluation.findings.scores import ScoreMean
from inverse.evaluation.findings.study import Findings

CLAIMS = (
    "DPS's conditional score is far from the true one, farther than the unconditional score.",
    "The mean of DPS's score over samples of p(x_t | y) is far from zero, which no score's can be.",
    "DPS's samples are good and hardly diverse.",
)
"""Of Xu et al. 2025, in the order of the panels."""

ALIKE = (0.9, 1.1)
"""A ratio of spreads within which samples vary as the posterior does."""


def sentences(found: Findings) -> dict[str, str]:
    """A sentence for each panel by its name, of what is measured by now; empty before anything is."""
    return {"score": score(found), "mean": mean(found), "samples": samples(found)}


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


def score(found: Findings) -> str:
    """Panel 1."""
    average = averages(found)
    if UNCONDITIONAL not in average:
        return ""
    plain = average.pop(UNCONDITIONAL)
    best = average.pop(BEST, None)
    parts = []
    for label, error in average.items():
        worse, levels = worse_levels(found, label)
        parts.append(f"{label} errs by {error:.2g} (more than the unconditional score at {worse} of {levels} levels)")
    said = f"{found.truth.words}, mean over the noise levels, the unconditional score errs by {plain:.2g}"
    if parts:
        said += f", {_listed(parts)}"
    if best is not None:
        zetas = [row.zeta for row in found.errors if row.label == BEST]
        said += (
            f"; the best zeta at each level, from {min(zetas):.2g} to {max(zetas):.2g} in VE, would err by {best:.2g}"
        )
    return said + "."


def mean(found: Findings) -> str:
    """Panel 2."""
    if not found.means:
        return ""
    by_label: dict[str, list[ScoreMean]] = {}
    for row in found.means:
        by_label.setdefault(row.label, []).append(row)
    off = {label: sum(not row.zero for row in rows) for label, rows in by_label.items()}
    levels = max(len(rows) for rows in by_label.values())
    farthest = {label: max(row.mean / row.null for row in rows) for label, rows in by_label.items()}
    beyond = [
        f"{label} at {count} of {len(by_label[label])} (at most {farthest[label]:.1f} times chance)"
        for label, count in off.items()
        if count > _chance(levels) and label != CONDITIONAL
    ]
    within = [label for label, count in off.items() if count <= _chance(levels) and label != CONDITIONAL]
    said = (
        f"{found.truth.words}, the mean score over p(x_t | y) is beyond what chance allows for the reference at "
        f"{off.get(CONDITIONAL, 0)} of {levels} levels"
    )
    if beyond:
        said += f", for {_listed(beyond)}"
    if within:
        said += f"; it is hardly ever for {_listed(within)}"
    return said + "."


def _chance(levels: int) -> int:
    """Levels of so many at which a score of mean 0 may be beyond a 97.5 % quantile, all but one time in a hundred."""
    tail, count, term = 1.0, 0, 0.975**levels
    while True:
        tail -= term
        if tail <= 0.01:
            return count
        count += 1
        term *= (levels - count + 1) / count * 0.025 / 0.975


def samples(found: Findings) -> str:
    """Panel 3."""
    rows = [row for row in found.samples if not row.failure]
    if not rows:
        return ""
    parts = []
    for row in rows:
        text = f"those of {row.label} have {row.std_ratio:.2f} of the posterior's spread"
        text += f" and their 90 % intervals hold {100 * row.coverage(0.9):.0f} %"
        if row.shares:
            first = max(range(len(row.weights)), key=lambda k: row.weights[k])
            text += f", with {100 * row.shares[first]:.0f} % in the mode that has {100 * row.weights[first]:.0f} %"
        parts.append(text)
    said = f"{found.truth.words}, of {rows[0].count} samples each, {_listed(parts, '; ')}"
    failed = [row.label for row in found.samples if row.failure]
    return said + (f"; {_listed(failed)} diverged." if failed else ".")


def verdicts(found: Findings) -> list[str]:
    """What this truth says of each of `CLAIMS`, for DPS as published: a plain sentence each."""
    return [_first(found), _second(found), _third(found)]


def _of_dps(labels: Iterable[str]) -> list[str]:
    return [label for label in labels if label.startswith("DPS, zeta") and "three times" not in label]


def _first(found: Findings) -> str:
    average = averages(found)
    labels, plain = _of_dps(average), average.get(UNCONDITIONAL, math.nan)
    if not labels:
        return "Not asked: DPS was left out."
    farther = [label for label in labels if average[label] > plain]
    nearest = min(labels, key=lambda label: average[label])
    words = f"the nearest, {nearest}, errs by {average[nearest]:.2g} and the unconditional score by {plain:.2g}"
    return f"{_held(len(farther), len(labels), 'settings are farther than the unconditional score')}: {words}."


def _second(found: Findings) -> str:
    labels = _of_dps(dict.fromkeys(row.label for row in found.means))
    if not labels:
        return "Not asked: DPS was left out."
    rows = {label: [row for row in found.means if row.label == label] for label in labels}
    off = [label for label in labels if sum(not row.zero for row in rows[label]) > _chance(len(rows[label]))]
    plain = [row for row in found.means if row.label == UNCONDITIONAL]
    also = sum(not row.zero for row in plain)
    words = f"the unconditional score's is, at {also} of {len(plain)} levels, and it makes no claim to be conditional"
    return f"{_held(len(off), len(labels), 'settings have a mean beyond chance')}; {words}."


def _third(found: Findings) -> str:
    rows = [row for row in found.samples if row.label in _of_dps([row.label]) and not row.failure]
    if not rows:
        return "Not measured: no samples of DPS are there."
    narrow = [row for row in rows if row.std_ratio < ALIKE[0]]
    least = min(rows, key=lambda row: row.std_ratio)
    most = max(rows, key=lambda row: row.std_ratio)
    words = f"their spread is {least.std_ratio:.2f} to {most.std_ratio:.2f} of the posterior's{_weights(rows)}"
    return f"{_held(len(narrow), len(rows), 'settings vary too little')}: {words}."


def _weights(rows: Sequence[Diversity]) -> str:
    shares = [(row.shares[k], row.weights[k]) for row in rows if row.shares for k in [_largest(row.weights)]]
    if not shares:
        return ""
    low, high = min(shares)[0], max(shares)[0]
    return f", and {100 * low:.0f} to {100 * high:.0f} % are in the mode that has {100 * shares[0][1]:.0f} %"


def _largest(weights: Sequence[float]) -> int:
    return max(range(len(weights)), key=lambda k: weights[k])


def _held(count: int, total: int, what: str) -> str:
    word = "Holds" if count == total else "Does not hold" if not count else "Holds in part"
    return f"{word}: {count} of {total} {what}"


def reference_row(found: Findings) -> Diversity | None:
    """The samples of the reference itself."""
    return next((row for row in found.samples if row.label == REFERENCE), None)


def _listed(parts: Sequence[str], between: str = ", ") -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{between.join(parts[:-1])}{between if between != ', ' else ' '}and {parts[-1]}"


Sentence = Callable[[Findings], str]
