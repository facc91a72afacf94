"""Calls of the network: what solvers ask for, and how one or many of them are answered in one pass.

A solver's loop never calls the network. It yields a `Call` and is sent the answer, so that whoever drives it decides
with which other calls it is made. That is why solvers write `yield from run.denoise(x, sigma)`. Inner work that needs
no network yields a `Pause` now and then, so that whoever drives the loop can end it there.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from typing import Any

import torch
from torch import Tensor

from inverse.denoisers import memory
from inverse.denoisers.base import Denoiser

Answer = tuple[Tensor, Tensor | None]
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

Computation = Generator[Call | Pause, Answer | None, Tensor]
"""What yields calls and pauses, is sent the answers of calls, and returns an image."""


@torch.inference_mode(False)
@torch.no_grad()
def answer(denoiser: Denoiser, calls: Sequence[Call]) -> list[Answer]:
    """Answers calls by one pass of the network, forward, and backward where v is asked for.

    Args:
        denoiser: the prior.
        calls: at least one, all `alike`.
    """
    x, sigma, conditions = calls[0].x, calls[0].sigma, calls[0].conditions
    if len(calls) > 1:
        x = torch.cat([call.x for call in calls])
        # Filled where they are needed: a copy from the host would wait for the device.
        sigma = torch.cat([call.x.new_full(call.x.shape[:1], call.sigma) for call in calls])
        conditions = conditions and tuple(chain.from_iterable(call.conditions for call in calls))
    counts = [len(call.x) for call in calls]
    if calls[0].cotangent is None:
        return [(estimate, None) for estimate in denoiser(x, sigma, conditions).split(counts)]
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        x0_hat = denoiser(x, sigma, conditions)
    estimates = x0_hat.detach().split(counts)
    cotangents = [call.cotangent(estimate) for call, estimate in zip(calls, estimates, strict=True)]
    (product,) = torch.autograd.grad(x0_hat, x, torch.cat(cotangents))
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


def driven(
    process: Generator[Any, Answer | None, None], denoiser: Denoiser, pauses: bool = False
) -> Generator[Any, None, None]:
    """What else a process yields, its calls being answered one by one; with None where the memory does not suffice.

    Its pauses are yielded if asked for, and one after every call.
    """
    with closing(process):
        reply = None
        while True:
            try:
                item, reply = process.send(reply), None
            except StopIteration:
                return
            if isinstance(item, Call):
                (reply,) = attempted(denoiser, [item]) or (None,)
                item = PAUSE
            if pauses or not isinstance(item, Pause):
                yield item
