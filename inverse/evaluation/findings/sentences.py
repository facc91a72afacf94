"""What a study found, in one honest sentence for each panel."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from inverse.evaluation.findings.contenders import BEST, CONDITIONAL, UNCONDITIONAL
from inverse.evaluation.findings.measuring import Findings
from inverse.evaluation.findings.samples import Diversity

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
    return said + (f"; {listed(others)}." if others else ".")


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
    return f"{said}; {listed(parts)}." if parts else f"{said}."


def samples(found: Findings) -> str:
    """Panel 3, without the variants that only tell what parts do."""
    rows = {row.label: row for row in found.samples if not row.failure}
    if not rows:
        return ""
    parts = []
    for family, members in families(label for label in rows if not variant(label)).items():
        own = [rows[label] for label in members]
        text = f"{family} {between([row.std_ratio for row in own])} and {percent([row.coverage(0.9) for row in own])}"
        if own[0].shares:
            k = largest(own[0].weights)
            text += f" ({percent([row.shares[k] for row in own])})"
        parts.append(text)
    first = next(iter(rows.values()))
    said = (
        f"{found.truth.words}, share of the posterior's spread in {first.count} samples, what their 90 % intervals hold"
    )
    if first.weights:
        said += f", and in brackets their share in the mode that has {percent([max(first.weights)])}"
    failed = [row.label for row in found.samples if row.failure]
    return f"{said}: {listed(parts, '; ')}" + (f"; {listed(failed)} diverged." if failed else ".")


def variant(label: str) -> bool:
    """Whether it is judged for what one of its parts does."""
    return any(part in label for part in ("K =", "steps", "without"))


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


def _ends(labels: Sequence[str], value: Callable[[str], float]) -> tuple[str, str]:
    return min(labels, key=value), max(labels, key=value)


def between(values: Sequence[float]) -> str:
    low, high = f"{min(values):.2f}", f"{max(values):.2f}"
    return low if low == high else f"{low} to {high}"


def percent(values: Sequence[float]) -> str:
    if any(math.isnan(value) for value in values):
        return "an unknown share"
    low, high = f"{100 * min(values):.0f}", f"{100 * max(values):.0f}"
    return f"{low} %" if low == high else f"{low} to {high} %"


def listed(parts: Sequence[str], between: str = ", ") -> str:
    if len(parts) < 2:
        return "".join(parts)
    return f"{between.join(parts[:-1])}{'' if between == ', ' else ';'} and {parts[-1]}"
