"""Runs in lockstep: several advance together, and their calls of the network are made as one batch.

A run is a generator that yields its calls (see `inverse.solvers.calls`), so that no thread is needed: closing the
lockstep closes all of them, between any two steps. A run that has ended makes room for the next one at once.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from inverse.denoisers.base import Denoiser
from inverse.errors import InverseError
from inverse.solvers import Step
from inverse.solvers.calls import PAUSE, Answer, Call, Pause, Process, advanced, attempted

DEVICE_PIXELS = 16 * 256 * 256
"""How many pixels are worth one pass on a GPU: beyond that no call becomes cheaper, and single runs only slower."""


@dataclass(eq=False)
class Runner:
    """A run among others.

    Attributes:
        index: by which its caller knows it.
        process: what advances it.
        denoiser: its prior; calls of runs with the same one share passes.
        pixels: of its images.
        seconds: its share of the time so far: its own steps, and its part of the passes that it shared.
        call: what it waits for; None before its first step.
        reply: the answer to that.
    """

    index: int
    process: Process
    denoiser: Denoiser
    pixels: int
    seconds: float = 0.0
    call: Call | None = None
    reply: Answer | None = None


Event = tuple[Runner, Step | Pause | InverseError | None]
"""A step that a run has made, or how it has ended: by an error, or None when it has come to its end."""


def lockstep(runners: Iterable[Runner], pixels: int, pauses: bool = False) -> Generator[Event, None, None]:
    """Advances runs together, as many as fit into a batch, and yields what they do; close it to stop them all.

    Every run yields what it yields alone: to the last bit where it is the only one in its batches, as on a CPU unless
    `pixels` asks for more; to rounding otherwise. Its own error ends nobody else.

    Args:
        runners: asked for one when there is room.
        pixels: how many make a batch, see `suitable`. One run is always let in.
        pauses: also yield the pauses of runs, and one after every pass of the network.
    """
    passes = Passes(pixels)
    waiting, live = iter(runners), []
    following = next(waiting, None)
    try:
        while live or following:
            while following and (not live or sum(r.pixels for r in live) + following.pixels <= passes.pixels):
                live.append(following)
                following = next(waiting, None)
            for runner in list(live):
                with closing(_until_call(runner)) as events:
                    for event in events:
                        if isinstance(event, Pause):
                            if pauses:
                                yield runner, event
                            continue
                        if not isinstance(event, Step):
                            live.remove(runner)
                        yield runner, event
            passes.answer(live)
            if pauses and live:
                yield live[0], PAUSE
    finally:
        for runner in live:
            runner.process.close()


def _until_call(runner: Runner) -> Generator[Step | Pause | InverseError | None, None, None]:
    """What a run yields until it needs the network, or how it ends."""
    while True:
        start = time.perf_counter()
        try:
            item = advanced(runner.process, runner.reply)
        except InverseError as error:
            item = error
        runner.seconds += time.perf_counter() - start
        runner.call = runner.reply = None
        if isinstance(item, Call):
            runner.call = item
            return
        yield item
        if not isinstance(item, Step | Pause):
            return


def suitable(denoiser: Denoiser) -> int:
    """How many pixels make a batch for a prior: on a CPU every run has its own, see `Denoiser.batches`."""
    return DEVICE_PIXELS if denoiser.batches else 1


class Passes:
    """Answers calls in as few passes of the network as fit, of so many pixels at most.

    That is fewer from the first time on that the device's memory did not suffice.
    """

    def __init__(self, pixels: int) -> None:
        self.pixels = pixels

    def answer(self, runners: Sequence[Runner]) -> None:
        """Fills in the `reply` of every runner that waits for one, and what it cost."""
        alike: dict[Hashable, list[tuple[Runner, Call]]] = {}
        for runner in runners:
            if runner.call is not None:
                alike.setdefault((id(runner.denoiser), runner.call.alike), []).append((runner, runner.call))
        for group in alike.values():
            done = 0
            while done < len(group):
                done += self._answer_first(group[done:])

    def _answer_first(self, group: list[tuple[Runner, Call]]) -> int:
        """Answers as many of the first ones as fit, at least one, and returns how many."""
        denoiser, pixels = group[0][0].denoiser, group[0][1].pixels
        count = max(1, min(len(group), self.pixels // pixels))
        start = time.perf_counter()
        replies = attempted(denoiser, [call for _, call in group[:count]])
        if replies is None and count > 1:
            self.pixels = count // 2 * pixels
            return 0
        if replies is None:  # its answer stays None, which ends this run with a sentence, and no other one
            return 1
        denoiser.wait()  # or the pass would count as time of the first run after it
        share = (time.perf_counter() - start) / count
        for (runner, _), reply in zip(group, replies, strict=False):
            runner.reply, runner.seconds = reply, runner.seconds + share
        return count
