"""A study: a truth, who is judged on it, and how closely."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inverse.errors import ParameterError
from inverse.evaluation.findings.contenders import (
    LAB,
    STEP_SIZES,
)
from inverse.evaluation.findings.truths import TRUTHS
from inverse.parameters import Parameters, Spec, choice, flag, integer
from inverse.solvers import SOLVERS
from inverse.solvers.dps import DPS


@dataclass(frozen=True)
class Names(Spec):
    """Names of solvers."""

    @property
    def limits(self) -> str:
        return "names of solvers between commas"

    def check(self, name: str, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
            raise self.refuse(name, value)
        return tuple(dict.fromkeys(SOLVERS.find(each).name for each in value))

    def parse(self, name: str, text: str) -> tuple[str, ...]:
        return self.check(name, [part.strip() for part in text.split(",") if part.strip()])


@dataclass(frozen=True)
class Numbers(Spec):
    """A few step sizes."""

    most: int = 4

    @property
    def limits(self) -> str:
        return f"one to {self.most} numbers above 0, up to 100, between commas"

    def check(self, name: str, value: Any) -> tuple[float, ...]:
        if not isinstance(value, list | tuple) or not 0 < len(value) <= self.most:
            raise self.refuse(name, value)
        try:
            return tuple(
                dict.fromkeys(DPS.specs()["step_size"].check(name, each) for each in value if self._above(each))
            )
        except (ParameterError, TypeError):
            raise self.refuse(name, value) from None

    @staticmethod
    def _above(value: Any) -> bool:
        if not value > 0:
            raise TypeError
        return True

    def parse(self, name: str, text: str) -> tuple[float, ...]:
        try:
            return self.check(name, [float(part) for part in text.split(",")])
        except ValueError:
            raise self.refuse(name, text) from None


def _spec(default: Any, spec: Spec) -> Any:
    return field(default=default, metadata={"spec": spec})


@dataclass(frozen=True)
class Study(Parameters):
    """What is asked. See the fields' help."""

    name = "findings"

    truth: str = choice("modes", *TRUTHS, help="What is measured, and known exactly.")
    task: str = choice(
        "inpainting", *dict.fromkeys(task for kind in TRUTHS.values() for task in kind.tasks),
        help="What the measurement hides; not every truth has every task.",
    )  # fmt: skip
    solvers: tuple[str, ...] = _spec(LAB, Names(help="Who is judged."))
    step_sizes: tuple[float, ...] = _spec(
        STEP_SIZES, Numbers(help="zeta of DPS for 1000 steps and 256x256 pixels, in VE and in VP coordinates.")
    )
    steps: int = integer(
        100, 20, 1000, help="Noise levels of the samplers.",
        effect="The step sizes are scaled to it.",
    )  # fmt: skip
    points: int = integer(
        0, 0, 4096, help="Points of the posterior's trajectories at which scores are compared, at least 16; 0 for as "
        "many as tell enough on this truth.",
    )  # fmt: skip
    samples: int = integer(
        0, 0, 4096, help="Restorations of each solver, at least 19; 0 for as many as tell enough on this truth, "
        "which is none where each takes minutes.",
    )  # fmt: skip
    parts: bool = flag(False, help="Also judge variants that have more or less of what makes DMAP.")
    seed: int = integer(0, 0, 2**32 - 1, help="Seed of everything random.")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in (("points", 16), ("samples", 19)):
            if 0 < getattr(self, name) < least:
                raise ParameterError(
                    f"{name} must be {least} or more, as fewer tell too little. Choose 0 for as many as tell enough.",
                    parameter=name,
                )
        if self.task not in TRUTHS[self.truth].tasks:
            allowed = ", ".join(TRUTHS[self.truth].tasks)
            raise ParameterError(
                f"{TRUTHS[self.truth].title} has no task {self.task}. Choose one of {allowed}.", parameter="task"
            )
