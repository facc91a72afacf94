"""What is found about a restoration, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.errors import ParameterError
from inverse.settings import Settings
from inverse.solvers.qualities import at_quality

GOOD, DOUBT, BAD = LEVELS = ("good", "doubt", "bad")
"""How a finding is meant, the best first."""

KINDS = (
    "restored", "fitted", "ruined", "unexplained", "grain", "smoothed", "ripples", "soft", "unchanged", "invented",
    "spread",
)  # fmt: skip
"""All that may be found."""


TASK = "task."
"""Before the name of a parameter of the task."""
PLAIN = ("sigma_y", "strength", "samples")
"""Settings that a remedy may change."""


@dataclass(frozen=True)
class Remedy:
    """What to try instead.

    Attributes:
        label: the words on a button.
        changes: settings by name, with their new values: "sigma_y", "strength", "samples", "quality", or a parameter of
            the task, as "task.std".
    """

    label: str
    changes: Mapping[str, Any]

    def applied(self, settings: Settings) -> Settings:
        """The settings with these changes.

        Raises:
            ParameterError: a name is none of these, or a value is not allowed there.
        """
        values: dict[str, Any] = {}
        for name, value in self.changes.items():
            if name == "quality":
                embedded = settings.prior == EMBEDDED
                values["solver"] = at_quality(value, settings.damage, kind_of(settings.prior), embedded)
            elif name.startswith(TASK):
                values["task"] = values.get("task", settings.task).replace(**{name.removeprefix(TASK): value})
            elif name in PLAIN:
                values[name] = value
            else:
                raise ParameterError(f"{name[:40]!r} is nothing that a remedy changes. Use {', '.join(PLAIN)}.")
        return replace(settings, **values)


@dataclass(frozen=True)
class Finding:
    """One thing to say of a restoration.

    Attributes:
        kind: one of KINDS.
        level: one of LEVELS.
        text: a sentence or two.
        remedy: what to try instead; None where nothing is known to help.
    """

    kind: str
    level: str
    text: str
    remedy: Remedy | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        remedy = self.remedy and {"label": self.remedy.label, "changes": dict(self.remedy.changes)}
        return {"kind": self.kind, "level": self.level, "text": self.text, "remedy": remedy}


@dataclass(frozen=True)
class Verdict:
    """What can be said of a restoration without its truth, the most important first."""

    findings: tuple[Finding, ...] = field(default_factory=tuple)

    @property
    def level(self) -> str:
        """That of the worst finding."""
        return max((each.level for each in self.findings), key=LEVELS.index, default=DOUBT)

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.findings]

    def __str__(self) -> str:
        return " ".join(each.text for each in self.findings)

    def to_dict(self) -> list[dict[str, Any]]:
        """Plain data for JSON: {"kind", "level", "text", "remedy": {"label", "changes"} or null} of every finding."""
        return [each.to_dict() for each in self.findings]
