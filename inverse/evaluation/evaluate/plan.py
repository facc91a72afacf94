"""The plan of an evaluation: which jobs there are. It is written once, and what is done is held against it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import inverse
from inverse.errors import ImageError, OutputError, ParameterError, ProblemError
from inverse.evaluation.evaluate.job import Job
from inverse.imaging.files import printable, write_text
from inverse.imaging.images import ENDINGS
from inverse.operators import Task
from inverse.settings import Settings
from inverse.solvers.presets import fits

FILE = "plan.jsonl"
SHARD = re.compile(r"(\d{1,6})/(\d{1,6})")


@dataclass(frozen=True)
class Plan:
    """Jobs, and where what they need lies.

    Attributes:
        images: folder of the photos.
        places: what `load_prior` takes for priors that are no card's, by what settings keep of them.
        protocol: the benchmark that it follows, or empty.
    """

    images: str
    jobs: tuple[Job, ...]
    places: Mapping[str, str] = field(default_factory=dict)
    protocol: str = ""

    def written(self, folder: Path) -> Plan:
        """Writes it into the folder of a run, unless it is there; returns the one that is there.

        Raises:
            OutputError: it cannot be written, or there is one of other jobs.
        """
        if not (folder / FILE).exists():
            head = {"inverse": inverse.__version__, "images": self.images, "places": dict(self.places)}
            head |= {"protocol": self.protocol, "jobs": len(self.jobs)}
            lines = [head, *(job.to_dict() for job in self.jobs)]
            write_text(folder / FILE, "".join(f"{json.dumps(line, allow_nan=False)}\n" for line in lines))
        found = read(folder)
        if {job.id for job in found.jobs} != {job.id for job in self.jobs}:
            raise OutputError(
                f"{printable(folder)} holds another evaluation, of {len(found.jobs)} jobs; these are {len(self.jobs)} "
                "different ones. Name another folder with --out, or give nothing but --out to go on with that one."
            )
        return found


def read(folder: Path) -> Plan:
    """The plan in the folder of a run.

    Raises:
        ParameterError: there is none, or it is damaged.
    """
    try:
        head, *lines = map(json.loads, (folder / FILE).read_text(encoding="utf-8").splitlines())
        jobs, count = tuple(map(Job.from_dict, lines)), head["jobs"]
        plan = Plan(head["images"], jobs, head["places"], head["protocol"])
    except FileNotFoundError:
        raise ParameterError(
            f"{printable(folder)} holds no evaluation. Begin one with --images, --tasks and --solvers."
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(f"The plan in {printable(folder)} is damaged. Begin anew in another folder.") from None
    if count != len(jobs):
        raise ParameterError(f"The plan in {printable(folder)} is cut off. Begin anew in another folder.")
    return plan


def photos_in(folder: Path) -> dict[str, str]:
    """The pictures in a folder, SHA-256 of each file by its name, in the order of their names.

    Raises:
        ImageError: there are none, or one cannot be read.
    """
    try:
        files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() in ENDINGS and file.is_file()]
        found = {}
        for file in files:
            if not file.name.startswith("."):
                with file.open("rb") as opened:
                    found[file.name] = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError:
        raise ImageError(f"{printable(folder)} cannot be read. Name a folder with photos.") from None
    if not found:
        raise ImageError(f"{printable(folder)} holds no pictures; folders in it are not looked into. Name another.")
    return found


@dataclass(frozen=True)
class Choice:
    """A solver to be evaluated: its name, and what of it is not as in its preset."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def jobs_of(
    photos: Mapping[str, str],
    tasks: Sequence[tuple[Task, Mapping[str, Any]]],
    solvers: Sequence[Choice],
    priors: Mapping[str, tuple[str, bool]],
    **settings: Any,
) -> tuple[list[Job], list[str]]:
    """Every photo with every task, solver and prior, as far as they fit; and sentences on those that do not.

    Jobs of a prior are together, and among them those of a photo.

    Args:
        photos: digests by name, as of `photos_in`.
        tasks: each with settings of its own, as its noise.
        solvers: which; none for the default one of each task.
        priors: kind, and whether it has an estimator, by what settings keep of a prior.
        settings: further ones, of all jobs.

    Raises:
        ParameterError: a value is not allowed, or nothing fits.
    """
    made: list[Settings] = []
    notes: list[str] = []
    for (prior, (kind, estimator)), (task, own), solver in product(priors.items(), tasks, solvers or [Choice("")]):
        if solver.name and not fits(task, solver.name, kind):
            notes.append(f"{solver.name} cannot solve {task.name} with the prior {prior}, and is left out there.")
            continue
        one = Settings.create(
            task=task, solver=solver.name or None, solver_parameters=solver.parameters, prior=prior, kind=kind,
            estimator=estimator, **{**settings, **own},
        )  # fmt: skip
        if one.guides and not estimator:
            notes.append(f"{solver.name} needs a conditional estimator; {prior} has none, and it is left out there.")
            continue
        made.append(one)
    made = list(dict.fromkeys(made))
    if not made:
        raise ParameterError("Nothing is left to be evaluated. Choose solvers that can solve these tasks.")
    if not all(each.damage.auxiliary == "" or each.auxiliary for each in made):
        raise ProblemError("A task needs a picture, a mask or a kernel. Name its file with --mask.")
    single = {digest: photo for photo, digest in reversed(list(photos.items()))}
    notes += [f"{photo} is a copy of {single[digest]}, and counts once." for photo, digest in photos.items()
              if single[digest] != photo]  # fmt: skip
    return [
        Job(photo, digest, each)
        for prior in priors
        for photo, digest in photos.items()
        for each in made
        if each.prior == prior and single[digest] == photo
    ], list(dict.fromkeys(notes))


def shard(jobs: Sequence[Job], text: str) -> list[Job]:
    """The i-th of n parts of the jobs, for a text i/n: disjoint, of equal size, and each a fair mixture.

    Raises:
        ParameterError: the text is no such part.
    """
    match = SHARD.fullmatch(text.strip())
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise ParameterError(f"{text[:20]!r} is no part of the jobs. Write i/n with i from 1 to n, as 3/8.")
    mine = {job.id for job in sorted(jobs, key=lambda job: job.id)[int(match[1]) - 1 :: int(match[2])]}
    return [job for job in jobs if job.id in mine]


def left(jobs: Iterable[Job], done: Iterable[str]) -> list[Job]:
    """The jobs that have no result yet."""
    found = set(done)
    return [job for job in jobs if job.id not in found]
