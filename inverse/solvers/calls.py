"""Calls of the network: what solvers ask for, and how one or many of them are answered in one pass.

A solver's loop never calls the network. It yields a `Call` and is sent the answer, so that whoever drives it decides
with which other calls it is made. That is why solvers write `yield from run.denoise(x, sigma)`. Inner work that needs
no network yields a `Pause` now and then, so that whoever drives the loop can end it there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, overload

import torch
from torch import Tensor

from inverse.denoisers import memory
from inverse.denoisers.base import Denoiser
from inverse.solvers.step import Step

T = TypeVar("T")

Answer = tuple[Tensor, ...]
"""D(x, sigma), and J^T v where it was asked for."""


@dataclass(frozen=True, eq=False)
class Call:
    """A call of the network.

    Attributes:
        x: (B, C, H, W).
        sigma: its noise level.
        cotangent: v as a function of D, (B, C, H, W) -> (B, C, H, W), where J^T v is asked for with J = dD/dx.
        conditions: what the prior knows of the measurement behind every image, B of them; None where it does not look.
    """

    x: Tensor
    sigma: float
    cotangent: Callable[[Tensor], Tensor] | None = None
    conditions: tuple[Any, ...] | None = None

    @property
    def alike(self) -> Hashable:
        """Calls of which this is equal can be answered together."""
        return self.x.shape[1:], self.cotangent is None, self.conditions is None

    @property
    def pixels(self) -> int:
        batch, _, height, width = self.x.shape
        return batch * height * width


class Pause:
    """Nothing to answer: a place between two steps at which whoever drives a run can end it, or look at the clock."""


PAUSE = Pause()

Computation = Generator[Call | Pause, Answer | None, T]
"""What yields calls and pauses, is sent the answers of calls, None where the memory does not suffice, and returns T."""

Process = Generator[Step | Call | Pause, Answer | None, None]
"""A run that leaves calls of the network to its driver, which sends the answers."""


def answered(call: Call) -> Computation[Answer]:
    """The answer to a call, by `yield from`.

    Raises:
        MemoryError: the memory does not suffice for it.
    """
    reply = yield call
    if reply is None:
        raise MemoryError
    return reply


@torch.inference_mode(False)
@torch.no_grad()
def answer(denoiser: Denoiser, calls: Sequence[Call]) -> list[Answer]:
    """Answers one or several calls, all `alike`, by one pass of the network, forward, and backward for v."""
    x, sigma, conditions = calls[0].x, calls[0].sigma, calls[0].conditions
    if len(calls) > 1:
        x = torch.cat([call.x for call in calls])
        # Filled where they are needed: a copy from the host would wait for the device.
        sigma = torch.cat([call.x.new_full(call.x.shape[:1], call.sigma) for call in calls])
        conditions = conditions and tuple(each for call in calls for each in call.conditions or ())
    counts = [len(call.x) for call in calls]
    cotangents = [call.cotangent for call in calls if call.cotangent is not None]
    if not cotangents:
        return [(estimate,) for estimate in denoiser(x, sigma, conditions).split(counts)]
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x0_hat = denoiser(x, sigma, conditions)
    estimates = x0_hat.detach().split(counts)
    v = torch.cat([cotangent(estimate) for cotangent, estimate in zip(cotangents, estimates, strict=True)])
    (product,) = torch.autograd.grad(x0_hat, x, v)
    return list(zip(estimates, product.split(counts), strict=True))


def attempted(denoiser: Denoiser, calls: Sequence[Call]) -> list[Answer] | None:
    """`answer`, or None where the memory does not suffice; by then all that the attempt held is free again."""
    try:
        return answer(denoiser, calls)
    except (RuntimeError, MemoryError) as error:
        if not memory.exhausted(error):
            raise
    memory.release(denoiser.device)
    return None


def advanced(process: Generator[T, Answer | None, Any], reply: Answer | None) -> T | None:
    """What a process yields next, sent the answer to its last call; None at its end."""
    try:
        return process.send(reply)
    except StopIteration:
        return None


@overload
def driven(process: Process, denoiser: Denoiser, pauses: Literal[False] = False) -> Generator[Step, None, None]: ...
@overload
def driven(process: Process, denoiser: Denoiser, pauses: bool) -> Generator[Step | Pause, None, None]: ...
def driven(process: Process, denoiser: Denoiser, pauses: bool = False) -> Generator[Step | Pause, None, None]:
    """The steps of a process, its calls being answered one by one; with None where the memory does not suffice.

    Its pauses are yielded if asked for, and one after every call.
    """
    with closing(process):
        reply = None
        while (item := advanced(process, reply)) is not None:
            reply = None
            if isinstance(item, Call):
                (reply,) = attempted(denoiser, [item]) or (None,)
                item = PAUSE
            if pauses or not isinstance(item, Pause):
                yield item
