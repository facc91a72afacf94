"""An exponential moving average of a network's weights."""

from __future__ import annotations

import copy
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

Network = TypeVar("Network", bound=nn.Module)


class Average(Generic[Network]):
    """average <- decay * average + (1 - decay) * weights, after every update.

    At update t the decay is at most (1 + t) / (10 + t), so that the first weights are forgotten soon.

    Args:
        network: copied; the copy is frozen.
        decay: 0.999 averages over about 1000 updates.

    Attributes:
        network: the copy, which holds the average.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, network: nn.Module, iteration: int) -> None:
        """Takes in the weights of the same network after update number `iteration`, counted from 1."""
        decay = min(self.decay, (1 + iteration) / (10 + iteration))
        average: list[Tensor] = list(self.network.parameters())
        torch._foreach_lerp_(average, [p.detach() for p in network.parameters()], 1 - decay)
