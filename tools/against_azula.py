"""`make peers`: azula's solvers beside ours, on our prior, tasks and photos; writes docs/peers.md.

A peer is a `Solver` whose loop is azula's: so the search for its settings, the noise levels, the measurements and the
count of what it costs are those of every solver here. It needs azula (and no torchvision, which its samplers do not
import), so that it is run in an environment of its own. What `build/peers` has already is not measured again.
"""

from __future__ import annotations

import platform
import statistics
import time
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import azula
import click
import numpy as np
import torch
from azula.denoise import Denoiser, DiracPosterior
from azula.guidance import DiffPIRDenoiser, DPSSampler, MMPSDenoiser, PGDMSampler
from azula.linalg.covariance import IsotropicCovariance
from azula.noise import Schedule
from azula.sample import DDIMSampler, Sampler
from torch import Tensor

from inverse import __version__
from inverse.denoisers.base import Denoiser as OurDenoiser
from inverse.denoisers.catalog import load_prior
from inverse.errors import DivergenceError
from inverse.evaluation.evaluate.results import Outcome, Results, read
from inverse.evaluation.trials import CROP, Trials, photographs, problem
from inverse.imaging import metrics
from inverse.imaging.files import write_text
from inverse.parameters import real
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.base import Frames
from inverse.solvers.cost import at_cost, passes
from inverse.solvers.fields import guidance_scale_field, schedule_field, stochasticity_field
from inverse.solvers.run import Run

TASKS = ("inpaint-random", "deblur-gaussian", "super-resolution")
BUDGET, BUDGETS = 30, {"PiGDM": 48}
"""Passes of the network for a restoration, a backward pass as 1.4; and for solvers of a title, of which one takes no
fewer."""
SEARCHES = 2
"""The second begins where the first one ended."""
SEEDS = (1, 2)
"""Of the runs that are counted; the search sees another one."""
PAIRS = 3
"""Of timed runs, one of the reference beside one of a solver."""
EQUAL = 0.1
"""dB within which two solvers count as equal."""
ITERATIONS = 10
"""Of azula's linear solver in DiffPIR, which has no closed form for A: these cost no pass of the network."""


class Levels(Schedule):
    """x_t = x + sigma_t n at the noise levels of a run, the largest at t = 1, 0 at t = 0."""

    def __init__(self, sigmas: Sequence[float]) -> None:
        self.sigmas = torch.tensor(sigmas)

    def __call__(self, t: Tensor) -> tuple[Tensor, Tensor]:
        steps = len(self.sigmas) - 1
        return torch.ones_like(t), self.sigmas[((1 - t) * steps).round().long()].to(t)


class Prior(Denoiser):
    """The prior of a run in azula's words, on flat images (1, D), as its linear solvers want them.

    Counts calls, and gradients through them.
    """

    def __init__(self, run: Run, schedule: Levels) -> None:
        super().__init__()
        self.run, self.schedule = run, schedule

    def forward(self, x_t: Tensor, t: Tensor) -> DiracPosterior:
        _, sigma = self.schedule(t)
        mean = self.run.denoiser(x_t.view(1, *self.run.operator.image_shape), float(sigma)).flatten(1)
        self.run.nfe += 1
        if mean.requires_grad:
            mean.register_hook(self._passed_back)
        return DiracPosterior(mean=mean)

    def _passed_back(self, _: Tensor) -> None:
        self.run.vjp += 1


class Flat:
    """The measurement of a run for flat images (1, D): A, its pseudo-inverse, and y, (1, M)."""

    def __init__(self, run: Run) -> None:
        self.operator, self.sigma_y, self.y = run.linear, run.sigma_y, run.y.flatten(1)

    def A(self, x: Tensor) -> Tensor:
        return self.operator(x.view(1, *self.operator.image_shape)).flatten(1)

    def pinv(self, y: Tensor) -> Tensor:
        return self.operator.pinv(y.view(1, *self.operator.measurement_shape)).flatten(1)


@dataclass(frozen=True)
class Peer(Solver):
    """A solver of azula. One frame: the result."""

    source = f"azula {azula.__version__}"
    linear_only = True
    unstable = ""

    schedule: str = schedule_field("log-linear")

    @property
    def total(self) -> int:
        return 1

    @abstractmethod
    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        """Theirs, of so many steps from t = 1 to t = 0."""

    def frames(self, run: Run, sigmas: list[float]) -> Frames:
        x = sigmas[0] * run.noise()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(1e3 * x.abs().sum()))  # azula draws from the one generator that there is
            sampler = self.sampler(Prior(run, Levels(sigmas)), Flat(run), len(sigmas) - 1)
            x = sampler(x.flatten(1)).view_as(x)
        yield 0.0, x, x


@dataclass(frozen=True)
class AzulaDPS(Peer):
    """`DPSSampler`: zeta is the length of a step along the gradient of the misfit."""

    name, title = "azula-dps", "DPS"
    step_size: float = real(1.0, 0.001, 1000.0, log=True, help="zeta.")

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, self.steps

    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        return DPSSampler(prior, problem.y, problem.A, self.step_size, steps=steps, silent=True)


@dataclass(frozen=True)
class AzulaPiGDM(Peer):
    """`PGDMSampler`, which knows no noise."""

    name, title = "azula-pigdm", "PiGDM"
    stochasticity: float = stochasticity_field(0.0, "eta")

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, self.steps

    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        eta = self.stochasticity
        return PGDMSampler(prior, problem.y, problem.A, problem.pinv, eta=eta, steps=steps, silent=True)


@dataclass(frozen=True)
class AzulaDiffPIR(Peer):
    """`DiffPIRDenoiser` under DDIM; w is 1 / lambda.

    The paper's zeta, a share of the noise, is their eta over tau, the share that a step of DDPM draws anew: the same at
    all steps where levels fall by equal factors.
    """

    name, title = "azula-diffpir", "DiffPIR"
    guidance_scale: float = guidance_scale_field(0.1)
    stochasticity: float = stochasticity_field(0.0, "zeta")

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, 0

    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        variance, weight = problem.sigma_y**2, 1 / self.guidance_scale
        guided = DiffPIRDenoiser(prior, problem.y, problem.A, variance, weight, "cg", ITERATIONS)
        first, second, *_ = prior.schedule.sigmas.tolist()
        eta = self.stochasticity / (1 - (second / first) ** 2)
        return DDIMSampler(guided, eta=eta, steps=steps, silent=True)


@dataclass(frozen=True)
class AzulaMMPS(Peer):
    """`MMPSDenoiser` under DDIM, its covariances by one iteration, as it is by default."""

    name, title = "azula-mmps", "MMPS"
    stochasticity: float = stochasticity_field(0.0, "eta")

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, 3 * self.steps

    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        cov_y = IsotropicCovariance(torch.tensor(problem.sigma_y**2))
        guided = MMPSDenoiser(prior, problem.y, problem.A, cov_y)
        return DDIMSampler(guided, eta=self.stochasticity, steps=steps, silent=True)


PEERS: tuple[type[Peer], ...] = (AzulaDPS, AzulaDiffPIR, AzulaPiGDM, AzulaMMPS)
REFERENCE = SOLVERS["vml-map"]
"""By whose seconds those of all others are divided."""
CONTENDERS: tuple[type[Solver], ...] = (
    REFERENCE, SOLVERS["dps"], AzulaDPS, SOLVERS["diffpir"], AzulaDiffPIR, SOLVERS["pigdm"], AzulaPiGDM, AzulaMMPS,
)  # fmt: skip
VERSIONS = {"inverse": __version__, "azula": azula.__version__, "torch": torch.__version__,
            "Python": platform.python_version()}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A solver on a task, at the best setting that the search found at the budget.

    Attributes:
        task, solver: which.
        settings: that differ from the solver's defaults.
        psnr: dB of each photo, mean over `SEEDS`.
        time: of the processor, over that of the reference at its best setting.
        searched: on how many of the photos the setting was searched.
        versions: of what it was measured with.
    """

    task: str
    solver: str
    settings: Mapping[str, Any]
    psnr: Sequence[float]
    time: float
    searched: int
    versions: Mapping[str, str]

    @property
    def kind(self) -> type[Solver]:
        return next(kind for kind in CONTENDERS if kind.name == self.solver)

    @property
    def peer(self) -> bool:
        return issubclass(self.kind, Peer)

    @property
    def best(self) -> Solver:
        return self.kind.create(self.settings)

    @property
    def mean(self) -> float:
        return float(np.mean(self.psnr))


@cache
def psnrs(task: str, solver: Solver, denoiser: OurDenoiser) -> list[float]:
    """dB of each photo, mean over `SEEDS`."""
    photos, truths = problem(task, CROP), photographs(CROP)

    def once(seed: int) -> list[float]:
        *_, last = photos.steps(solver, denoiser, seed, len(photos.y))
        return [metrics.psnr(x, truth) for x, truth in zip(last.x0_hat, truths, strict=True)]

    return np.mean([once(seed) for seed in SEEDS], axis=0).tolist()


def seconds(task: str, solver: Solver, denoiser: OurDenoiser) -> float:
    """Of the processor, for one photo: a clock on the wall also counts what else a machine does."""
    photos = problem(task, CROP)
    one, start = replace(photos, y=photos.y[:1], truth=None), time.process_time()
    for _ in one.steps(solver, denoiser):
        pass
    return time.process_time() - start


class First(Trials):
    """Trials on the first photos alone."""

    def __init__(self, denoiser: OurDenoiser, count: int) -> None:
        super().__init__(denoiser)
        self.count = count

    def _measure(self, task: str, solver: Solver, view: str) -> float:
        photos = problem(task, view)
        try:
            *_, last = replace(photos, y=photos.y[: self.count], truth=None).steps(solver, self.denoiser, 0, self.count)
        except DivergenceError:
            return float("-inf")
        truths = photographs(view)[: self.count]
        return float(np.mean([metrics.psnr(x, truth) for x, truth in zip(last.x0_hat, truths, strict=True)]))


def measured(task: str, kind: type[Solver], reference: Solver | None, trials: First) -> Row:
    """A solver on a task: searched at the budget from its own defaults, then counted and timed."""
    best, denoiser = at_cost(kind(), BUDGETS.get(kind.title, BUDGET)), trials.denoiser
    for _ in range(SEARCHES):
        best = trials.search(task, best, [CROP])
    against = reference or best
    pairs = [(seconds(task, best, denoiser), seconds(task, against, denoiser)) for _ in range(PAIRS)]
    ratio = 1.0 if reference is None else statistics.median(own / other for own, other in pairs)
    return Row(
        task=task, solver=kind.name, settings=best.changed(), psnr=psnrs(task, best, denoiser), time=ratio,
        searched=trials.count, versions=VERSIONS,
    )  # fmt: skip


def rows(tasks: Sequence[str], folder: Path, searched: int) -> Iterator[Row]:
    """All of them; what the folder has is taken from there, and what is new is added to it."""
    trials, known = First(load_prior("embedded"), searched), read(folder)
    with Results(folder) as results:
        for task in tasks:
            reference = None
            for kind in CONTENDERS:
                name = " ".join([task, kind.name, str(searched), *VERSIONS.values()])
                row = Row(**known[name]["row"]) if name in known else measured(task, kind, reference, trials)
                if name not in known:
                    results.add(Outcome({"id": name, "row": asdict(row)}))
                reference = reference or row.best
                yield row


HEAD = f"""# Against azula, on the same work

`make peers`: the solvers of [azula](https://github.com/probabilists/azula) (MIT licence) beside ours of the same name,
with the embedded prior, on what the presets are measured on: the middle 64x64 pixels of three photographs, sigma_y
0.05. All see the same measurements and may space their noise levels alike. Each starts from its own defaults, and the
same search (`inverse.evaluation.tune`: one parameter at a time, by mean PSNR) finds its best setting at {BUDGET} passes
of the network, of which a backward pass counts 1.4, and then goes on from there once more. PiGDM, of which ours takes
no fewer, has {BUDGETS["PiGDM"]} in both libraries. Our defaults were chosen with this prior, and azula's were not.
What is counted are then runs on all three photographs with {len(SEEDS)} seeds that the search did not see.

- passes: of the network. The axis to trust: it is the same on every machine.
- time: of one thread of a processor, over that of VML-MAP; runs of both take turns, and the middle one of {PAIRS}
  ratios counts.

What is theirs is their loop, as it is. azula's DPS and PiGDM are told no noise level; its DiffPIR solves for the
measurement by {ITERATIONS} iterations of conjugate gradients, where ours has a closed form, and draws as large a share
of the noise anew as ours (its eta is that share over the one of DDPM); its MMPS takes three backward passes a step. It
has no DDRM. PSNR favours methods that seek a mode or a mean (VML-MAP, DiffPIR) over those that draw samples, of either
library; [docs/judge.md](judge.md) tells them apart.

deepinv is not here. Every minor release from 0.1.0 on requires torchvision, and the current one, 0.5.0, imports it as
soon as it is imported itself; torchvision's wheel, made for PyTorch's build for GPUs, does not load beside the build
for CPUs, with which this was measured. `make test-peers`, where both can be had, compares its operators and networks
with ours.

Versions: {", ".join(f"{name} {version}" for name, version in VERSIONS.items())}.
"""


def page(found: Sequence[Row]) -> str:
    """The page as Markdown."""
    tasks = dict.fromkeys(row.task for row in found)
    photos = {1: "the first photograph", 2: "the first two photographs", 3: "all three photographs"}
    on = " and ".join(photos[count] for count in sorted({row.searched for row in found}))
    parts = [HEAD, f"Settings were searched on {on} (`--search-photos`).", "\n## Who is ahead\n", *summary(found)]
    for task in tasks:
        own = [row for row in found if row.task == task]
        most = max(row.mean for row in own)
        parts += [f"\n## {task}\n", "| solver | of | dB | passes | time | settings |",
                  "|---|---|---:|---:|---:|---|"]  # fmt: skip
        for row in own:
            cells = [row.kind.title, "azula" if row.peer else "ours", bold(row.mean, most), f"{passes(row.best):.0f}",
                     f"{row.time:.2f}", ", ".join(map(spoken, row.settings.items()))]  # fmt: skip
            parts.append("| " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def summary(found: Sequence[Row]) -> Iterator[str]:
    """Solvers of one name against each other, and the best of each library on every task."""
    leads: dict[str, list[str]] = {"ours": [], "azula's": [], "neither": []}
    table = ["\n| task | solver | ours dB | azula dB | ahead | by | photos |", "|---|---|---:|---:|---|---:|---|"]
    for task, ours, theirs in pairs(found):
        gain, photos = ours.mean - theirs.mean, np.subtract(ours.psnr, theirs.psnr)
        ahead = "neither" if abs(gain) <= EQUAL else "ours" if gain > 0 else "azula's"
        leads[ahead].append(f"{ours.kind.title} on {task}")
        table.append(f"| {task} | {ours.kind.title} | {ours.mean:.2f} | {theirs.mean:.2f} | {ahead} | {gain:+.2f} | "
                     f"{sum(photos * gain > 0)} of {len(photos)} |")  # fmt: skip
    yield f"Of solvers that both have, by more than {EQUAL:g} dB:\n"
    yield from (f"- {who}: {', '.join(names) or 'none'}." for who, names in leads.items())
    yield "\nThe best of each library, whatever its name:\n"
    for task in dict.fromkeys(row.task for row in found):
        best = (max((row for row in found if row.task == task and row.peer is peer), key=lambda row: row.mean,
                    default=None) for peer in (False, True))  # fmt: skip
        said = (f"{'azula' if row.peer else 'ours'} {row.kind.title}, {row.mean:.2f} dB" for row in best if row)
        yield f"- {task}: {'; '.join(said)}."
    yield from table


def pairs(found: Sequence[Row]) -> Iterator[tuple[str, Row, Row]]:
    """Solvers of ours and theirs of the same title, by task."""
    for theirs in (row for row in found if row.peer):
        for ours in found:
            if (ours.task, ours.kind.title, ours.peer) == (theirs.task, theirs.kind.title, False):
                yield ours.task, ours, theirs


def spoken(setting: tuple[str, Any]) -> str:
    name, value = setting
    return f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"


def bold(value: float, best: float) -> str:
    return f"**{value:.2f}**" if value == best else f"{value:.2f}"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Default: all of them.")
@click.option("--kept", type=click.Path(path_type=Path), default=Path("build/peers"), show_default=True,
              help="Where what was measured is kept: killed, it goes on from there.")  # fmt: skip
@click.option("--search-photos", "searched", type=click.IntRange(1, 3), default=3, show_default=True,
              help="On how many of the photos settings are searched; fewer take less time.")  # fmt: skip
def main(file: Path, tasks: tuple[str, ...], kept: Path, searched: int) -> None:
    """Searches, measures and writes the page, anew after every solver."""
    torch.set_num_threads(1)
    found: list[Row] = []
    for row in rows(tasks or TASKS, kept, searched):
        found.append(row)
        write_text(file, page(found))
        click.echo(f"{row.task:20} {row.solver:16} {row.mean:6.2f} dB, {row.time:6.2f} of the time")


if __name__ == "__main__":
    main()
