"""Runs in processes of their own, several at a time: what pays on a CPU with many cores."""

from __future__ import annotations

import multiprocessing
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import torch

from inverse import threads
from inverse.batch.runs import Load, Progress, run_all
from inverse.denoisers.catalog import load_prior
from inverse.imaging import images
from inverse.results.record import Record
from inverse.settings import Settings

FAILED = "A process ended before its run, for want of memory perhaps, or of the prior. Use fewer processes."

_here: list[Any] = []
"""In a process that runs: the photo, the auxiliary picture, and what loads priors, which keeps them."""


def in_processes(
    runs: Sequence[Settings],
    photo: images.Photo,
    auxiliary: images.Photo | None = None,
    prior: Load = load_prior,
    *,
    processes: int,
) -> Generator[Progress, None, None]:
    """Runs settings as `run_all` does, in so many processes, and yields the end of each; close it to stop them all.

    The cores are shared among the processes. A result is that of `run_all` with as many threads: to the last bit.

    Args:
        runs, photo, auxiliary: as for `run_all`.
        prior: loads a run's prior by its name, in each process; it is known by its own name there, so it is a function
            of a module, or one that can be copied.
        processes: how many at a time.

    Raises:
        ImageError: the photo cannot be read.
    """
    given = images.load(photo), auxiliary, prior, max(1, threads.cores() // processes)
    context = multiprocessing.get_context("spawn")  # a fork would inherit locks of PyTorch's threads
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(min(processes, len(runs)), context, _begin, given)
    try:
        waiting = {pool.submit(_run, settings): index for index, settings in enumerate(runs)}
        for future in as_completed(waiting):
            try:
                record = future.result()
            except BrokenProcessPool:
                record = Record(failure=FAILED)
            yield Progress(waiting[future], None, None, record)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()


def _begin(photo: images.Photo, auxiliary: images.Photo | None, prior: Load, count: int) -> None:
    torch.set_num_threads(count)
    _here[:] = photo, auxiliary, prior


def _run(settings: Settings) -> Record:
    (record,) = [each.record for each in run_all([settings], *_here) if each.record is not None]
    return record
