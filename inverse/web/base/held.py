"""How many bytes a value of ours keeps in memory: pictures, tensors and text, wherever they lie in it."""

from __future__ import annotations

from typing import Any

from PIL import Image
from torch import Tensor

MOST = 50_000
"""Values that are looked at; what a session keeps has a few hundred."""


def kept(value: Any) -> int:
    """Bytes of everything large that a value refers to, each thing once."""
    seen: set[int] = set()
    left, total = [value], 0
    while left and len(seen) < MOST:
        each = left.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, Tensor):
            storage = each.untyped_storage()
            if storage.data_ptr() not in seen:  # a view keeps all of what it is a view of
                seen.add(storage.data_ptr())
                total += storage.nbytes()
        elif isinstance(each, Image.Image):
            total += each.width * each.height * len(each.getbands())
        elif isinstance(each, str | bytes):
            total += len(each)
        elif isinstance(each, dict):
            left += [*each.values()]
        elif isinstance(each, list | tuple | set):
            left += [*each]
        elif type(each).__module__.startswith("inverse."):
            left += [*getattr(each, "__dict__", {}).values()]
    return total
