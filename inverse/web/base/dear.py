"""Work that takes much memory: one at a time, and what is left of it goes back to the system."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from inverse.denoisers import memory

MUCH = 64 * 2**20
"""Bytes from which work counts as such: a photo of 16 megapixels, say."""
_one = threading.Lock()


@contextmanager
def dear(need: float) -> Iterator[None]:
    """For work of so many bytes, be they known or feared.

    The C library keeps what was freed, for each thread that worked, so that the next one's would come on top.
    """
    if need < MUCH:
        yield
        return
    with _one:
        try:
            yield
        finally:
            memory.release(torch.device("cpu"))
