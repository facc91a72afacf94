"""`make peers`: azula's solvers beside ours, on our prior, tasks and photos; writes docs/peers.md.

A peer is a `Solver` whose loop is azula's: so the search for its settings, the noise levels, the measurements and the
count of what it costs are those of every solver here. It needs azula (and no torchvision, which its samplers do not
import), so that it is run in an environment of its own.
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import azula
import click
import torch
from azula.denoise import Denoiser, DiracPosterior
from azula.guidance import DiffPIRDenoiser, DPSSampler, MMPSDenoiser, PGDMSampler
from azula.linalg.covariance import IsotropicCovariance
from azula.noise import Schedule
from azula.sample import DDIMSampler, Sampler
from torch import Tensor

from inverse.denoisers.catalog import load_prior
from inverse.evaluation.tune import CROP, Trials, problem
from inverse.imaging.files import write_text
from inverse.parameters import real
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.base import Frames
from inverse.solvers.cost import at_cost, passes
from inverse.solvers.fields import guidance_scale_field, schedule_field, stochasticity_field
from inverse.solvers.run import Run

TASKS = ("inpaint-random", "deblur-gaussian", "super-resolution")
BUDGET = 30
"""Passes of the network for every restoration; a backward pass counts 1.4."""
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

    def __init__(self, run: Run, schedule: Schedule) -> None:
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
    """`DiffPIRDenoiser` under DDIM; w is 1 / lambda."""

    name, title = "azula-diffpir", "DiffPIR"
    guidance_scale: float = guidance_scale_field(0.1)
    stochasticity: float = stochasticity_field(0.0, "eta")

    @property
    def cost(self) -> tuple[int, int]:
        return self.steps, 0

    def sampler(self, prior: Prior, problem: Flat, steps: int) -> Sampler:
        variance, weight = problem.sigma_y**2, 1 / self.guidance_scale
        guided = DiffPIRDenoiser(prior, problem.y, problem.A, variance, weight, "cg", ITERATIONS)
        return DDIMSampler(guided, eta=self.stochasticity, steps=steps, silent=True)


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
CONTENDERS = (SOLVERS["dps"], AzulaDPS, SOLVERS["diffpir"], AzulaDiffPIR, SOLVERS["pigdm"], AzulaPiGDM, AzulaMMPS)
REFERENCE = "vml-map"
"""Whose seconds all others are given."""


@dataclass(frozen=True)
class Found:
    """A solver at the best setting that the search found at the budget.

    Attributes:
        psnr: dB, the mean over the photos.
        seconds: of the processor, for one photo.
        in_time: dB of as many steps as take the seconds of the reference, and how many passes these are.
    """

    solver: Solver
    psnr: float
    seconds: float
    in_time: tuple[float, float]


def timed(trials: Trials, task: str, solver: Solver) -> tuple[float, float]:
    """PSNR, and seconds of the processor for one photo: a clock on the wall also counts what else a machine does."""
    trials.reached.pop((task, solver, CROP), None)
    start = time.process_time()
    psnr = trials.psnr(task, solver, CROP)
    return psnr, (time.process_time() - start) / len(problem(task, CROP).y)


def compared(trials: Trials, task: str) -> Iterator[Found]:
    """Every solver on a task, the reference first: searched at the budget from its own defaults, then timed."""
    allowed = 0.0
    for kind in (SOLVERS[REFERENCE], *CONTENDERS):
        best = trials.search(task, at_cost(kind(), BUDGET), [CROP])
        psnr, seconds = timed(trials, task, best)
        allowed = allowed or seconds
        in_time = at_cost(best, passes(best) * allowed / seconds)
        yield Found(best, psnr, seconds, (trials.psnr(task, in_time, CROP), passes(in_time)))


HEAD = f"""# Against azula, on the same work

`make peers`: the solvers of [azula](https://github.com/probabilists/azula) {azula.__version__} (MIT licence) beside
ours of the same name, with the embedded prior, on what the presets are measured on: the middle 64x64 pixels of three
photographs, sigma_y 0.05. All see the same measurements and may space their noise levels alike. Each starts from its
own defaults, and the same search (`inverse.evaluation.tune`: one parameter at a time, by mean PSNR) finds its best
setting at {BUDGET} passes of the network, of which a backward pass counts 1.4. Seconds are those of one thread of a
processor for a photo. "In the time" has, at the same settings, as many steps as the seconds of
{SOLVERS[REFERENCE].title} allow.

What is theirs is their loop, as it is. azula's DPS and PiGDM are told no noise level; its DiffPIR solves for the
measurement by {ITERATIONS} iterations of conjugate gradients, where ours has a closed form; its MMPS takes three
backward passes a step. It has no DDRM.

deepinv is not here: it cannot be imported without torchvision, which could not be installed where this was measured.
Its operators and networks are compared with ours by `make test-peers`.
"""


def page(found: dict[str, list[Found]]) -> str:
    """The page as Markdown."""
    parts = [HEAD]
    for task, rows in found.items():
        best, best_in_time = max(row.psnr for row in rows), max(row.in_time[0] for row in rows)
        parts += [f"\n## {task}\n", "| solver | of | dB | passes | s | dB in the time | passes | settings |",
                  "|---|---|---:|---:|---:|---:|---:|---|"]  # fmt: skip
        for row in rows:
            of = "azula" if isinstance(row.solver, Peer) else "ours"
            settings = ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                                 for name, value in row.solver.changed().items())  # fmt: skip
            cells = [row.solver.title, of, bold(row.psnr, best), f"{passes(row.solver):.0f}", f"{row.seconds:.2f}",
                     bold(row.in_time[0], best_in_time), f"{row.in_time[1]:.0f}", settings]  # fmt: skip
            parts.append("| " + " | ".join(cells) + " |")
    return "\n".join(parts) + "\n"


def bold(value: float, best: float) -> str:
    return f"**{value:.2f}**" if value == best else f"{value:.2f}"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS), help="Default: all of them.")
def main(file: Path, tasks: tuple[str, ...]) -> None:
    """Searches, measures and writes the page, anew after every solver."""
    torch.set_num_threads(1)
    trials, found = Trials(load_prior("embedded")), {}
    for task in tasks or TASKS:
        for row in compared(trials, task):
            found.setdefault(task, []).append(row)
            write_text(file, page(found))
            click.echo(f"{task:20} {row.solver.name:16} {row.psnr:6.2f} dB {row.seconds:6.2f} s")


if __name__ == "__main__":
    main()
