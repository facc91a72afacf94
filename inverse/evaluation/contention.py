"""What threads that spin cost: a restoration alone and beside a busy process, as ratios of one run, in `make bench`.

A thread of OpenMP that waits for the others can sleep ("passive", which the programs choose), or spin for a while
first, which is OpenMP's own choice. Where a core is taken by another program, what is waited for is not even running.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from inverse import threads

POLICIES = {"passive": "PASSIVE", "spinning": None}
"""OMP_WAIT_POLICY by name; None where it is not set."""

RESTORATION = """
import time
from PIL import Image
from inverse import degrade, load_prior, stream
prior, problem = load_prior("embedded", "cpu"), degrade(Image.linear_gradient("L"), "denoise", size=128)
next(stream(problem, "vml-map", prior))
start = time.perf_counter()
for _ in stream(problem, "vml-map", prior): pass
print(time.perf_counter() - start)
"""


def seconds(policy: str | None, busy: bool) -> float:
    """Seconds of a restoration at 128 px in a process of its own, with a thread for every core.

    `policy` is OMP_WAIT_POLICY; None leaves it unset. If `busy`, another process keeps a core busy meanwhile.
    """
    environment = {name: text for name, text in os.environ.items() if name != "OMP_WAIT_POLICY"}
    environment |= {"OMP_NUM_THREADS": str(threads.cores()), "PYTHONPATH": str(Path(__file__).parents[2])}
    if policy is not None:
        environment["OMP_WAIT_POLICY"] = policy
    with _neighbour(busy):
        command = [sys.executable, "-c", RESTORATION]
        run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return float(run.stdout)


@contextmanager
def _neighbour(busy: bool) -> Iterator[None]:
    if not busy:
        yield
        return
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def table() -> Table:
    """Both policies, alone and beside a busy process, over a passive run alone."""
    made = Table(title=f"Time of a restoration at 128 px, {threads.cores()} threads, over that of a passive run alone")
    for column in ("threads that wait are", "alone", "beside a busy process"):
        made.add_column(column, justify="left" if column.startswith("threads") else "right")
    unit = seconds(POLICIES["passive"], False)
    for name, policy in POLICIES.items():
        made.add_row(name, *(f"{seconds(policy, busy) / unit:.2f}" for busy in (False, True)))
    return made
