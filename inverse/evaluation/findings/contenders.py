"""Who is judged: solvers at settings that belong to a truth, and parts of them that tell what each part does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.errors import ParameterError
from inverse.evaluation.findings.truths import Truth
from inverse.evaluation.judge.rows import judge_solver
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.dmap import DMAP

UNCONDITIONAL, CONDITIONAL, BEST = "unconditional score", "reference score", "DPS, best zeta at each level"
"""Scores that no solver's step has: the prior's, the one that others are compared with, and a bound."""

REFERENCE = "reference"
"""The sampler that has the reference score: what the lab itself does wrong shows there."""

STEPWISE = ("dps", "dmap", "dsg", "pigdm")
"""Solvers whose steps imply a conditional score."""

LAB = (*STEPWISE, "vml-map", "vml-map-published", "diffpir", "ddrm", "daps", "red-diff")
"""What is judged when nobody chooses."""

FIRST = ("dps", "dmap", "pigdm", "vml-map")
"""What is chosen when the page opens: a few seconds."""

SAMPLERS = ("diffpir", "ddrm", "ddnm", "daps")
"""Those that have as many steps as the others; the rest have those of the judge."""

STEP_SIZES = (1.0, 2.0, 4.0)
"""zeta of DPS for 1000 steps and 3x256x256 entries, as `DPS.step_size` quotes it."""


@dataclass(frozen=True)
class Contender:
    """A solver as it is judged.

    Attributes:
        label: unique among those of a study.
        solver: at its settings.
        guided: it works with the reference in the prior's place.
    """

    label: str
    solver: Solver
    guided: bool = False

    @property
    def implies(self) -> bool:
        """Whether its step implies a conditional score."""
        return self.solver.name in STEPWISE and not self.guided

    def denoiser(self, truth: Truth) -> Denoiser:
        return truth.reference if self.guided else truth.prior


@dataclass(frozen=True)
class FreeDMAP(DMAP):
    """DMAP without its projection: K gradient steps at the next level, each with a gradient of its own."""

    title = "DMAP without projection"

    def project(self, z: Tensor, mean: Tensor, sigma_up: float) -> Tensor:
        return z


def contenders(
    truth: Truth, solvers: Sequence[str], step_sizes: Sequence[float], steps: int, parts: bool = False
) -> list[Contender]:
    """Those who are judged on a truth, each at `steps` noise levels where it is a sampler; the reference comes first.

    DPS, DMAP and DSG are as published, which knows nothing of the measurement's noise; for the app's own form of DPS,
    which stops at it, there is a contender more. With `parts` there are some that have more or less of what makes DMAP.

    Raises:
        ParameterError: there is no such solver, or it cannot deal with the task.
    """
    for name in solvers:
        if not SOLVERS.find(name).able(truth.problem.operator):
            raise ParameterError(f"{name} cannot deal with this task. Leave it out, or choose another task.")
    wide = {"sigma_max": truth.kind.sigma_max}
    sampler = judge_solver("cse", steps=truth.kind.reference_steps, sigma_min=0.01, stochasticity=1.0, **wide)
    found = [Contender(REFERENCE, sampler, guided=True)]
    if steps < sampler.steps:  # to show what so few do
        found.append(Contender(f"{REFERENCE}, {steps} steps", sampler.replace(steps=steps), guided=True))
    for name in solvers:
        if name == "dps":
            found += _dps(step_sizes, {**wide, "steps": steps})
        elif name == "dmap":
            found += _dmap({**wide, "steps": steps}, parts)
        elif name in ("dsg", "pigdm"):
            published = {"stop_at_noise": False} if name == "dsg" else {}
            found.append(Contender(SOLVERS[name].title, judge_solver(name, **wide, **published, steps=steps)))
        elif name != sampler.name:  # which is the reference
            own = {**wide, "steps": steps} if name in SAMPLERS else {}
            found.append(Contender(SOLVERS[name].title, judge_solver(name, **own)))
    if parts and "dps" in solvers:
        more = min(3 * steps, 1000)
        solver = judge_solver("dps", steps=more, step_size=step_sizes[0], stop_at_noise=False, **wide)
        found.append(Contender(f"DPS, zeta {step_sizes[0]:g}, three times the steps", solver))
    return found


def _dps(step_sizes: Sequence[float], common: Mapping[str, Any]) -> Iterator[Contender]:
    for coordinates in ("ve", "vp"):
        for step_size in step_sizes:
            published = {"step_size": step_size, "coordinates": coordinates, "stop_at_noise": False}
            solver = judge_solver("dps", **{**common, **published})
            yield Contender(f"DPS, zeta {step_size:g} in {coordinates.upper()}", solver)
    yield Contender("DPS, stops at the noise", judge_solver("dps", **common))


def _dmap(common: Mapping[str, Any], parts: bool) -> Iterator[Contender]:
    published = {**common, "stop_at_noise": False}
    yield Contender("DMAP", judge_solver("dmap", **published))
    if parts:
        for count in (1, 10):
            yield Contender(f"DMAP, K = {count}", judge_solver("dmap", gradient_steps=count, **published))
        yield Contender("DMAP without projection", FreeDMAP.create(published))
