"""Every limit of the app in one object, read once from the environment: APP_MAX_SIDE, APP_MAX_QUEUE and so on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

from inverse.denoisers.catalog import best_device
from inverse.errors import ParameterError
from inverse.parameters import Parameters, integer

PREFIX = "APP_MAX_"
ON_GPU = {"side": 2048, "work": 50_000, "preview": 1024}
"""Defaults that differ where there is a GPU."""


@dataclass(frozen=True)
class Limits(Parameters):
    """What one visitor, and all of them together, may ask of this machine. An environment variable sets each."""

    # One job
    side: int = integer(1024, 64, 16_384, unit="pixels", help="Longer side of a restored image.")
    work: int = integer(
        1000, 1, 10**9, unit="passes × megapixels", help="Network passes of one job times megapixels of its image."
    )
    full: int = integer(40, 1, 40, unit="MP", help="A photo that is restored at full size.")
    cells: int = integer(64, 1, 4096, unit="runs", help="Runs of one sweep or comparison.")
    photos: int = integer(40, 2, 1000, unit="photos", help="Photos of one visitor that are restored one after another.")
    seconds: int = integer(900, 1, 86_400, unit="s", help="Wall-clock time of one job.")
    abandoned: int = integer(30, 1, 3600, unit="s", help="How long a job goes on while nobody takes what it sends.")
    away: int = integer(
        60, 1, 86_400, unit="s", help="How long a job goes on when its page is gone, for a reload to find it."
    )
    away_in_line: int = integer(20, 1, 86_400, unit="s", help="The same while others wait for the device.")
    # One visitor
    waiting: int = integer(2, 1, 100, unit="jobs", help="Waiting jobs of one session.")
    idle: int = integer(600, 10, 86_400, unit="s", help="How long a session is kept after its page is gone.")
    # One request
    body: int = integer(16, 1, 1024, unit="MB", help="Body of one request, files included.")
    json: int = integer(64, 16, 4096, unit="kB", help="Body of one request without files.")
    body_time: int = integer(20, 1, 3600, unit="s", help="Time for a body; later, 20 kB must come a second.")
    head: int = integer(10, 1, 3600, unit="s", help="How long a connection may be open without a whole request.")
    preview: int = integer(
        256, 16, 65_536, unit="MB", help="Memory of one preview; beyond it, a smaller picture is shown."
    )
    # All together
    queue: int = integer(16, 1, 10_000, unit="jobs", help="Waiting jobs of all visitors.")
    connections: int = integer(
        1000, 10, 100_000, unit="connections", help="Connections that are open at once; fewer where files are few."
    )
    address: int = integer(
        100, 1, 100_000, unit="connections", help="Those of one public network address, as a proxy may have, too."
    )
    clients: int = integer(500, 10, 100_000, unit="requests", help="Requests that are open at once.")
    bodies: int = integer(64, 16, 65_536, unit="MB", help="Bodies that are being received at once.")
    threads: int = integer(16, 1, 1000, unit="threads", help="Handlers that work at once; the device serves one job.")
    sessions: int = integer(200, 2, 100_000, unit="sessions", help="Sessions whose photo is kept.")
    kept: int = integer(1024, 64, 1_000_000, unit="MB", help="Photos and results kept for all sessions.")
    disk: int = integer(512, 16, 1_000_000, unit="MB", help="Uploads on disk; beyond it the oldest go.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The defaults of this machine, and what the environment says otherwise.

        Raises:
            ParameterError: with a sentence that names the variable and its range.
        """
        values = dict(ON_GPU) if best_device() != "cpu" else {}
        for name, spec in cls.specs().items():
            text = environment.get(variable(name), "").strip()
            if text:
                values[name] = spec.parse(variable(name), text)
        return cls(**values)

    @property
    def summary(self) -> str:
        """A compact block for the log."""
        entries = [f"{name} {getattr(self, name)} {spec.unit}" for name, spec in self.specs().items()]
        rows = [", ".join(entries[start : start + 6]) for start in range(0, len(entries), 6)]
        return f"Limits ({PREFIX}... changes them): " + ",\n  ".join(rows)


def variable(name: str) -> str:
    """The environment variable of a limit."""
    return PREFIX + name.upper()


def table() -> str:
    """The limits as the README shows them, in Markdown."""
    rows = ["| variable | default | limit |", "|---|---|---|"]
    for name, spec in Limits.specs().items():
        default = f"{Limits.defaults()[name]} {spec.unit}"
        default += f" ({ON_GPU[name]} with a GPU)" if name in ON_GPU else ""
        rows.append(f"| `{variable(name)}` | {default} | {spec.help} |")
    return "\n".join(rows)


@cache
def current() -> Limits:
    """The limits of this process.

    Raises:
        ParameterError: a variable holds nonsense.
    """
    known = {variable(name) for name in Limits.specs()}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise ParameterError(f"{unknown[0]} is no limit of this program. Use one of: {', '.join(sorted(known))}.")
    return Limits.from_environment(os.environ)


if __name__ == "__main__":
    print(table())
