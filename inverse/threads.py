"""Threads of the programs: as many as there are cores for them, and none that spins while it waits.

OpenMP, which PyTorch computes with, starts a thread for every core of the machine and lets it spin for a while whenever
it has nothing to do. Where a container may use fewer cores, or another program uses them too, threads then wait for one
that is not even running: beside one busy process on two cores a restoration takes many times as long (`make bench`
measures it). On a machine where nothing else runs, OMP_WAIT_POLICY=ACTIVE is somewhat faster.

OpenMP reads its settings once, when PyTorch is loaded: so this is for a program to call first. A library that is
imported leaves its caller's environment alone.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, MutableMapping
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
"""Where Linux tells of control groups, and of which ones this process is a member."""


def settle(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what OpenMP reads, before PyTorch is loaded; what the user has set stays."""
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if "MKL_NUM_THREADS" not in environment:  # which PyTorch takes where OpenMP's is not set
        environment.setdefault("OMP_NUM_THREADS", str(cores()))


def cores(groups: Path = GROUPS, membership: Path = MEMBERSHIP) -> int:
    """How many cores this process can keep busy: those that it may run on, or fewer by the quota of a container.

    A part of a core counts as one: two threads that share one and a half cores do more than one thread.
    """
    # macOS and Windows do not tell which ones those are.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *(math.ceil(quota) for quota in _quotas(groups, membership))]))


def _quotas(groups: Path, membership: Path) -> Iterator[float]:
    """Cores' worth of time that each control group above this process may use, of those that have a bound."""
    for folder in _folders(groups, membership):
        if (folder / "cpu.max").is_file():  # version 2: "150000 100000", or "max 100000"
            words = _text(folder / "cpu.max").split()
        else:  # version 1; -1 for no bound
            words = [_text(folder / f"cpu.cfs_{name}_us").strip() for name in ("quota", "period")]
        if len(words) == 2 and all(word.isdigit() and int(word) > 0 for word in words):
            yield int(words[0]) / int(words[1])


def _folders(groups: Path, membership: Path) -> Iterator[Path]:
    """Where the quotas may be. A container sees its own group as the root, or by its path from outside."""
    for line in _text(membership).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number != "0" and "cpu" not in controllers.split(","):
            continue
        root = groups / controllers  # "" for version 2
        group = root / path.strip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
