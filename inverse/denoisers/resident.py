"""Which priors stay in memory for the next call: small ones beside each other, and of large ones one at a time."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Hashable
from typing import Any

from inverse.denoisers import memory
from inverse.denoisers.base import Denoiser

MOST = 2
"""Priors that stay at once."""
LARGE = 100_000_000
"""Bytes of weights from which a prior is large; the embedded one has 18 MB."""


class Resident:
    """What a function loads, kept by its arguments; a large prior goes before the next one comes.

    Attributes:
        all: keep whatever is loaded, as where a lent GPU gets what the program has in memory when it starts.
    """

    def __init__(self, load: Callable[..., Denoiser]) -> None:
        self.load, self.all = load, False
        self._kept: dict[Hashable, Denoiser] = {}
        self._lock = threading.RLock()

    def __call__(self, *key: Any) -> Denoiser:
        with self._lock:
            if key not in self._kept:
                self._make_room()
                self._kept[key] = self.load(*key)
            self._kept[key] = found = self._kept.pop(key)  # the newest one is last
            return found

    def has(self, *key: Any) -> bool:
        """Whether this one need not be loaded."""
        return key in self._kept

    @property
    def replaceable(self) -> int:
        """Bytes of weights that would go before another one comes."""
        return 0 if self.all else sum(size for size in map(weight, list(self._kept.values())) if size >= LARGE)

    def cache_clear(self) -> None:
        """Lets go of all."""
        with self._lock:
            self._kept.clear()

    def _make_room(self) -> None:
        if self.all:
            return
        gone = [key for key, prior in self._kept.items() if weight(prior) >= LARGE]
        small = [key for key in self._kept if key not in gone]
        gone += small[: max(0, len(small) - MOST + 1)]
        devices = {self._kept.pop(key).device for key in gone}
        if devices:
            gc.collect()  # or what refers to itself would stay until the next one is there
        for device in devices:
            memory.release(device)


def weight(prior: Denoiser) -> int:
    """Bytes of a prior's weights."""
    return sum({id(value): value.nbytes for module in prior.networks for value in module.parameters()}.values())
