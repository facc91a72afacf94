"""The runs that a photo at its own resolution is made of, several at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from inverse.batch.lockstep import Runner, lockstep, suitable
from inverse.denoisers.base import Denoiser
from inverse.errors import InverseError
from inverse.solvers import Step


def together(runners: Iterable[Runner], denoiser: Denoiser) -> Iterator[tuple[int, Step | None, bool]]:
    """Advances runs, of which none may fail.

    Yields the index of a run and its latest step, at every step and at every pause, None before the first one; at its
    end once more, with True.

    Raises:
        InverseError: that of a run.
    """
    last: dict[int, Step] = {}
    for runner, event in lockstep(runners, suitable(denoiser), pauses=True):
        if isinstance(event, InverseError):
            raise event
        if isinstance(event, Step):
            last[runner.index] = event
        ended = event is None
        yield runner.index, last.pop(runner.index) if ended else last.get(runner.index), ended
