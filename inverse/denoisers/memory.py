"""Out of memory: told apart from other failures, and answered with a size that fits."""

from __future__ import annotations

import ctypes
import math
import os
import re
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from inverse.denoisers.base import Denoiser
from inverse.errors import CapacityError
from inverse.operators.denoising import Identity

_SIGNS = (
    "out of memory",
    "not enough memory",
    "allocate memory",
    "failed to allocate",
    "alloc_failed",
    "bad_alloc",
    "could not create a primitive",  # oneDNN's word, when the buffer of a convolution finds no room
)
PROBE = 64
"""Side of the pictures on which the need for memory is measured, in pixels."""
COPIES = 24
"""Pictures' worth of tensors that a solver, an operator and the stream of steps hold besides the network's own."""
MARGIN = 1.5
"""Of free memory over what was measured: buffers inside of convolutions and fragments are not seen here."""
TRIM = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
"""Of the GNU C library only."""


def exhausted(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the CPU or on a GPU."""
    if isinstance(error, CapacityError):
        return False
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)


def refusal(
    denoiser: Denoiser, size: tuple[int, int], samples: int, gradient: bool, through: bool = False
) -> CapacityError:
    """The sentence for a run of pictures of `size`, (H, W), that did not fit, with a size that would.

    It depends on how many samples were restored at once, and on what the solver needs: see `bytes_per_pixel`.
    """
    release(denoiser.device)
    free, needed = free_bytes(denoiser.device), None
    try:
        needed = bytes_per_pixel(denoiser, gradient, through) * samples * size[0] * size[1]
    except (RuntimeError, MemoryError) as error:
        if not exhausted(error):  # else not even a small picture fits, and nothing can be measured
            raise
    figures, side = "", 0
    if needed is not None:
        fitting = min(size) * math.sqrt(min(1.0, free / needed)) if free is not None else math.inf
        # It did not fit as it was, whatever the figures say: others may have taken memory and given it back.
        side = int(min(fitting, 0.75 * min(size))) // 8 * 8
        known = "" if free is None else f", and {free / 1e9:.1f} GB are free"
        figures = f", which need about {needed / 1e9:.1f} GB{known}"
    remedy = (
        f"Choose a size, or a photo, whose shorter side is {side} pixels or less"
        if side >= 8
        else "Close other programs, or use a machine with more memory"
    )
    several = f"{samples} pictures" if samples > 1 else "a picture"
    return CapacityError(
        f"There is not enough memory for {several} of {size[1]}x{size[0]} pixels with this solver and this prior"
        f"{figures}. {remedy}{', or fewer samples' if samples > 1 else ''}."
    )


def release(device: torch.device) -> None:
    """Hands memory that PyTorch, or the C library, keeps for later back to a GPU, or to the system.

    The C library of Linux keeps what lies below the last piece in use: 100 MB after 200 visitors with a picture each.
    """
    if device.type == "cuda" and torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif device.type == "cpu" and TRIM is not None:
        TRIM(0)


def bytes_per_pixel(denoiser: Denoiser, gradient: bool, through: bool = False) -> float:
    """Memory that one sample needs for each pixel of its picture, measured by a step of a solver on a small one.

    With a gradient through the prior or without; and where the prior's own space is not that of pictures, through its
    decoder by a gradient, or by the proximal step.
    """
    whole = denoiser.multiple * denoiser.factor
    side = -(-PROBE // whole) * whole
    channels = denoiser.channels if denoiser.factor == 1 else 3
    pictures = Identity((channels, side, side)).to(denoiser.device, denoiser.dtype)
    operator = denoiser.lift(pictures)
    x = torch.zeros(1, *operator.image_shape, device=denoiser.device, dtype=denoiser.dtype)
    y = torch.zeros(1, *pictures.image_shape, device=denoiser.device, dtype=denoiser.dtype)
    if denoiser.factor > 1:
        operator.norm  # noqa: B018  (what is measured once, on the whole, is no part of a step)
    with Ledger() as ledger, torch.set_grad_enabled(gradient):
        x = x.requires_grad_(gradient)
        estimate = denoiser(x, 1.0)
        v = operator.vjp(estimate.detach(), lambda value: y - value)[1] if gradient or through else None
        if v is not None and gradient:
            torch.autograd.grad(estimate, x, v)
        elif v is None and operator.proximal:
            operator.correction(estimate, y, 1.0)
    return MARGIN * (ledger.peak + COPIES * y.nbytes) / side**2


class Ledger(TorchDispatchMode):
    """Counts the bytes of the tensors that were made and are alive, and the most that there were at once.

    What was there before, as weights of which an operation returns another view, does not count.
    """

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        for leaf in tree_leaves((args, kwargs)):
            if isinstance(leaf, torch.Tensor):
                self._known.add(leaf.untyped_storage())
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                if storage not in self._known:
                    self._known.add(storage)
                    self.alive += storage.nbytes()
                    self.peak = max(self.peak, self.alive)
                    weakref.finalize(storage, self._freed, storage.nbytes())
        return result

    def _freed(self, size: int) -> None:
        self.alive -= size


def free_bytes(device: torch.device) -> int | None:
    """Memory that a run could still take on the device; None where nobody can tell."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type != "cpu":
        return None
    bounds = [*system_bounds(), *group_bounds(), *process_bounds()]
    return max(0, min(bounds)) if bounds else None


def system_bounds() -> list[int]:
    """What the system says is available."""
    found = re.search(r"^MemAvailable:\s*(\d+) kB", _text("/proc/meminfo"), re.MULTILINE)
    if found:
        return [int(found[1]) * 1024]
    try:
        return [os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    except (ValueError, OSError, AttributeError):
        return []


def group_bounds() -> list[int]:
    """What the control group of a container allows, version 2 and version 1."""
    bounds = []
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        most, now = _text(f"/sys/fs/cgroup/{limit}").strip(), _text(f"/sys/fs/cgroup/{used}").strip()
        if most.isdigit() and now.isdigit():
            # Pages of files count as used there, and are given up when they are needed.
            statistics = _text(f"/sys/fs/cgroup/{limit.rpartition('/')[0]}/memory.stat")
            cached = re.search(r"^(?:inactive_file|total_inactive_file) (\d+)", statistics, re.MULTILINE)
            bounds.append(int(most) - int(now) + (int(cached[1]) if cached else 0))
    return bounds


def process_bounds() -> list[int]:
    """What `ulimit -v` and `ulimit -d` leave."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    status, bounds = _text("/proc/self/status"), []
    for limit, name in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        found = re.search(rf"^{name}:\s*(\d+) kB", status, re.MULTILINE)
        soft, _ = resource.getrlimit(limit)
        if found and soft != resource.RLIM_INFINITY:
            bounds.append(soft - int(found[1]) * 1024)
    return bounds


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
