"""`make scale`: what evaluations of many jobs promise, measured on this machine; writes docs/scale.md.

Jobs whose processes are killed; what the evaluation takes beside the network; and a Ray cluster of this machine, where
Ray is installed. Seconds are those of the processor where they can be: others may use the machine too.
"""

from __future__ import annotations

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

import click
import torch
from torch import Tensor

from inverse import __version__, threads
from inverse.denoisers.base import Denoiser
from inverse.denoisers.catalog import load_prior
from inverse.evaluation.evaluate import plan as plans
from inverse.evaluation.evaluate.cluster import BATCH, on_cluster
from inverse.evaluation.evaluate.job import Job
from inverse.evaluation.evaluate.results import LINES, Outcome, Results
from inverse.evaluation.evaluate.work import work
from inverse.imaging import images
from inverse.imaging.files import write_text
from inverse.operators import make_task
from inverse.resources import EXAMPLES

SMALL, LARGE, PASSES = 64, 256, 10
TASKS = ("inpaint-random", "super-resolution", "deblur-gaussian", "denoise")
CHEAP, USUAL = plans.Choice("ddrm", {"steps": 2}), plans.Choice("diffpir", {"steps": PASSES})
"""Solvers of the jobs that are killed, and of those that are timed: of as many passes as most defaults take."""
SHARDS = 2
TIMED, REPEATS = {SMALL: 24, LARGE: 4}, 3
"""Jobs of a measurement of time, by their size, and how often it is made."""
ON_RAY = 160
"""Jobs that a cluster does."""

HEAD = f"""# Evaluations at scale

`make scale`: jobs are crops of the example photos, {len(TASKS)} tasks, and the embedded prior.
"""

TIME = (
    f"Over the time of the network's {PASSES} passes a job of `{USUAL.name}`, the prior loaded, in time of one thread "
    f"of a processor, the middle one of {REPEATS} measurements. The evaluation is photos, measurements, metrics, "
    "pictures and lines."
)


def cropped(photos: Path, count: int, side: int = SMALL) -> None:
    """Makes so many photos, squares of the examples."""
    chance, examples = random.Random(0), [images.load(file) for file in sorted(EXAMPLES.glob("*.jpg"))]
    photos.mkdir()
    for index in range(count):
        photo = examples[index % len(examples)]
        left, top = (chance.randrange(length - side + 1) for length in photo.size)
        photo.crop((left, top, left + side, top + side)).save(photos / f"{index:04}.png")


def planned(photos: Path, solver: plans.Choice, side: int = SMALL) -> plans.Plan:
    """A job for each photo and task."""
    jobs, _ = plans.jobs_of(
        plans.photos_in(photos), [(make_task(task), {}) for task in TASKS], [solver], {"embedded": ("embedded", True)},
        size=side, sigma_y=0.05,
    )  # fmt: skip
    return plans.Plan(str(photos), tuple(jobs))


def written(run: Path, process: int | None = None) -> Counter[str]:
    """Ids of whole lines, of one process or of all, with repetitions."""
    files = (run / LINES).glob(f"*-{process or '*'}-*.jsonl")
    return Counter(json.loads(text)["id"] for file in files for text in file.read_bytes().split(b"\n")[:-1])


def started(run: Path) -> list[subprocess.Popen[bytes]]:
    """A process for each shard."""
    shards = (f"{shard}/{SHARDS}" for shard in range(1, SHARDS + 1))
    command = [sys.executable, "-m", "inverse", "evaluate", "--out", str(run), "--shard"]
    return [subprocess.Popen([*command, shard], stderr=subprocess.DEVNULL) for shard in shards]


def killed(run: Path, photos: Path) -> str:
    """All jobs, by shards that are killed once, at a random moment, and started again."""
    run.mkdir()
    plan = planned(photos, CHEAP).written(run)
    chance, share = random.Random(0), len(plan.jobs) // SHARDS
    for process in started(run):
        enough = chance.randrange(share // 4, share // 2)
        while process.poll() is None and written(run, process.pid).total() < enough:
            time.sleep(0.1)
        time.sleep(chance.random())
        process.kill()
        process.wait()
    before = written(run).total()
    for process in started(run):
        process.wait()
    found, wanted = written(run), {job.id for job in plan.jobs}
    return (
        f"{len(wanted)} jobs of `{CHEAP.name}` in {SHARDS} shards, a process each; both were killed by SIGKILL in "
        f"their middle, with {before} lines written, and started again. There were then {found.total()} lines: "
        f"{len(wanted & set(found))} of {len(wanted)} jobs, {found.total() - len(found)} of them twice."
    )


class Clock:
    """Seconds of the processor in passes of a prior."""

    def __init__(self, denoise: Callable[..., Tensor]) -> None:
        self.denoise, self.seconds = denoise, 0.0

    def __call__(self, *given: Tensor) -> Tensor:
        start = time.process_time()
        x0_hat = self.denoise(*given)
        self.seconds += time.process_time() - start
        return x0_hat


def shares(photos: Path, jobs: Sequence[Job], prior: Denoiser, clock: Clock) -> tuple[float, float]:
    """Over the network's time: what solvers do by themselves, and what the evaluation does around them."""
    own = clock.seconds = 0.0
    for job in jobs:
        problem, start = job.settings.problem(images.load(photos / job.photo)), time.process_time()
        for _ in problem.steps(job.settings.solver, job.settings.guided(prior), job.settings.seed):
            pass
        own += time.process_time() - start
    own = (own - clock.seconds) / clock.seconds
    start, clock.seconds = time.process_time(), 0.0
    with tempfile.TemporaryDirectory() as run, Results(Path(run)) as results:
        for outcome in work(jobs, photos.joinpath, lambda _: prior):
            results.add(outcome)
    return own, (time.process_time() - start - clock.seconds) / clock.seconds - own


def overhead(photos: Path, side: int) -> str:
    """`shares` of some jobs of a size, the middle one of several measurements."""
    cropped(photos, TIMED[side], side)
    prior, jobs = load_prior("embedded"), random.Random(1).sample(planned(photos, USUAL, side).jobs, TIMED[side])
    clock = Clock(prior.denoise)
    prior.denoise = clock  # type: ignore[method-assign]
    shares(photos, jobs[:1], prior, clock)  # what is loaded at first is no part of it
    own, around = zip(*(shares(photos, jobs, prior, clock) for _ in range(REPEATS)), strict=True)
    return (
        f"- {side} pixels: the evaluation {statistics.median(around):.1%} (from {min(around):.1%} to "
        f"{max(around):.1%}), the solver's own steps {statistics.median(own):.1%}."
    )


def arrived(going: Generator[Outcome, None, None]) -> list[tuple[float, Outcome]]:
    """Outcomes, with the seconds after which each came."""
    start = time.perf_counter()
    with closing(going):
        return [(time.perf_counter() - start, outcome) for outcome in going]


def clustered(photos: Path) -> str:
    """Jobs by a cluster of this machine, and by one process before and after it."""
    if find_spec("ray") is None:
        return "Ray was not installed where this was measured."
    prior, jobs = load_prior("embedded"), random.Random(2).sample(planned(photos, USUAL).jobs, ON_RAY)
    before = arrived(work(jobs[::2], photos.joinpath, lambda _: prior))
    many = arrived(on_cluster(jobs, photos.joinpath, load_prior))
    after = arrived(work(jobs[1::2], photos.joinpath, lambda _: prior))
    psnr = [{outcome.line["id"]: outcome.line["psnr"] for _, outcome in came} for came in (before + after, many)]
    one, begun = ON_RAY / (before[-1][0] + after[-1][0]), many[0][0]
    rate = (ON_RAY - BATCH) / (many[-1][0] - begun)
    return (
        f"{ON_RAY} jobs of `{USUAL.name}` at {SMALL} pixels: {one:.2f} a second by one process of one thread; by Ray "
        f"with {threads.cores()} workers of this machine {rate:.2f} a second, {rate / one:.2f} times as many, after "
        f"{begun:.0f} s to start the cluster and to do the first {BATCH}. Every PSNR is "
        f"{'the same to the last digit' if psnr[0] == psnr[1] else 'NOT the same'}. By the clock on the wall, which "
        "also counts what else the machine does, and before which Ray's workers stand back."
    )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(min=100), default=1000, show_default=True)
def main(file: Path, jobs: int) -> None:
    """Measures, and writes the page."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the processes that are started here
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as place:
        photos, run = Path(place) / "photos", Path(place) / "run"
        cropped(photos, jobs // len(TASKS))
        parts += [
            "## Killed\n",
            textwrap.fill(killed(run, photos), 120),
            "\n## What it takes\n",
            textwrap.fill(TIME, 120),
            "",
        ]
        parts += [overhead(Path(place) / f"{side}", side) for side in TIMED]
        parts += ["\n## On a cluster\n", textwrap.fill(clustered(photos), 120), ""]
    versions = {"inverse": __version__, "torch": torch.__version__, "Python": platform.python_version()}
    parts.append(f"Versions: {', '.join(f'{name} {version}' for name, version in versions.items())}.")
    write_text(file, "\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
