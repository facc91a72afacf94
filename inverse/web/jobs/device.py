"""Where runs happen: in this process, or in the one to which a ZeroGPU Space lends a GPU for a while.

There, the function that `spaces.GPU` decorates runs in a forked process: what it takes and yields is copied, and what
it changes elsewhere is lost. So everything crosses as bytes, and the visitor's state comes back with every update.
"""

from __future__ import annotations

import io
import os
import pickle
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from inverse.denoisers.cards import EMBEDDED
from inverse.errors import ProblemError
from inverse.settings import Settings
from inverse.solvers.cost import spoken
from inverse.web.jobs import priors
from inverse.web.jobs.offers import smaller
from inverse.web.jobs.pace import Pace

LENT = os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")
"""Whether this is a ZeroGPU Space; the environment variable is what its package `spaces` looks at, too."""

if LENT:
    import spaces  # before CUDA is touched; the platform installs it
else:
    spaces = None

PACE = Pace()
"""Of this process."""

GPU_START = 4.0
"""Seconds of the GPU's time that pass before the first step: the process starts, and weights are moved."""
GPU_CALL = 0.01
"""Seconds of a forward pass on the GPU, however small the image: 350 operations of PyTorch, at 30 microseconds each."""
GPU_PIXEL = 3e-8
"""Seconds of a forward pass for each pixel. Counted, not measured: the embedded prior takes 0.42 MFLOP a pixel, which
is 14 TFLOP/s, a small part of what the half RTX PRO 6000 can do in bfloat16 that ZeroGPU lends."""
GPU_WEIGHTS = 5e-10
"""Seconds for each byte of a larger prior's weights on their way to the GPU: 2 GB a second, from where they lie."""
GPU_MARGIN = 1.5
"""Declared over estimated seconds: a run that exceeds what it declared is ended by the platform."""
GPU_MOST = 120
"""Seconds that one run may declare: what a visitor without an account has for a day."""


def seconds(runs: Sequence[Settings], image_shape: tuple[int, int]) -> float:
    """About how long all the runs take, for images of size (H, W): as it was here, or estimated for a lent GPU."""
    if not LENT:
        return PACE.seconds(runs, image_shape)
    pixels, weights = image_shape[0] * image_shape[1], {run.prior: priors.weight(run.prior) for run in runs}
    moved = GPU_WEIGHTS * sum(priors.find(name).card.need for name in weights if name != EMBEDDED)
    passes = sum(run.passes * (GPU_CALL + GPU_PIXEL * weights[run.prior] * pixels) for run in runs)
    return GPU_START + moved + passes


def promise(about: float) -> str:
    """So many seconds in words."""
    return f"about {brief(about)}" + (" time" if LENT else "")


def brief(about: float) -> str:
    """So many seconds in as few words as fit on a button: "9 s", or "9 s GPU" where a GPU is lent."""
    return f"{spoken(about)} GPU" if LENT else spoken(about)


def stream(
    function: Callable[..., Generator[Any, None, None]], *arguments: Any, state: Any, runs: Sequence[Settings],
    image_shape: tuple[int, int],
) -> Generator[Any, None, None]:  # fmt: skip
    """Yields what `function(*arguments, state)` yields, from where the device is.

    Args:
        function: a generator function of a module.
        arguments: anything that can be copied.
        state: an object whose attributes the function changes; they are up to date after every update. Its `stopping`
            is changed here only: once it is true, the runs end. Its `complete` says whether all went to their ends.
        runs, image_shape: what is run, as for `seconds`.

    Raises:
        ProblemError: it would take longer than the platform lends a GPU.
    """
    if not LENT:
        with closing(function(*arguments, state)) as updates:
            start = time.perf_counter()
            for update in updates:
                if state.stopping:
                    return
                yield update
            if state.complete:
                PACE.learn(runs, image_shape, time.perf_counter() - start)
        return
    about = GPU_MARGIN * seconds(runs, image_shape)
    if about > GPU_MOST:
        raise ProblemError(
            f"This needs {about:.0f} seconds of a GPU, and {GPU_MOST} can be had at once. "
            f"Choose {'fewer runs, ' if len(runs) > 1 else ''}{smaller(runs[0])} or fewer steps."
        )
    with closing(_lent(Parcel(about, pack((function, arguments, state))))) as parcels:
        for parcel in parcels:
            update, error, changed = unpack(parcel)
            vars(state).update({**vars(changed), "stopping": state.stopping})
            if state.stopping:
                return
            if error is not None:
                raise error
            yield update


@dataclass(frozen=True)
class Parcel:
    """What crosses to the process that has the GPU: how many seconds to ask for, and the packed call."""

    seconds: float
    content: bytes


def _run(parcel: Parcel) -> Generator[bytes, None, None]:
    # A forked process waits for ever for the threads that its parent had.
    torch.set_num_threads(1)
    function, arguments, state = unpack(parcel.content)
    try:
        with closing(function(*arguments, state)) as updates:
            for update in updates:
                yield pack((update, None, state))
    except Exception as error:  # the platform would hand over no more than its class
        yield pack((None, error, state))


_lent: Callable[[Parcel], Generator[bytes, None, None]] = _run
if spaces:
    _lent = spaces.GPU(_run, duration=lambda parcel: round(parcel.seconds))


class _Packer(pickle.Pickler):
    """Copies tensors by value and from whichever device they are on, and errors whatever their constructor takes."""

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return torch.from_numpy, (value.detach().cpu().numpy(),)
        if isinstance(value, Exception):
            return _error, (type(value), value.args, vars(value), value.__cause__)
        return NotImplemented


def _error(kind: type[Exception], arguments: tuple, attributes: dict[str, Any], cause: Exception | None) -> Exception:
    error = kind.__new__(kind, *arguments)
    error.args, error.__cause__ = arguments, cause
    vars(error).update(attributes)
    return error


def pack(value: Any) -> bytes:
    """Any value of ours as bytes, for another process of this program."""
    buffer = io.BytesIO()
    _Packer(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def unpack(content: bytes) -> Any:
    """What `pack` packed."""
    return pickle.loads(content)
