"""In which precision a network computes; images and the algebra around it stay in float32."""

from __future__ import annotations

import torch
from torch import Tensor

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def computes_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 there, not only supported.

    On a CPU by the instruction set in use, which ATEN_CPU_CAPABILITY may hold below the one that the CPU has.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    in_use = torch.backends.cpu.get_cpu_capability()
    return device.type == "cpu" and in_use.startswith("AVX512") and torch.cpu._is_avx512_bf16_supported()


def inside(precision: str, device: torch.device) -> torch.dtype:
    """The precision of a network of diffusers, of those in `PRECISIONS`.

    "auto" is half precision on a GPU, where it halves time and memory: bfloat16, whose range is that of float32, where
    the GPU computes in it, else float16, in which OpenAI trained such networks. On a CPU, and elsewhere, it is float32;
    a CPU computes in float16 too, forty times as slowly.
    """
    if precision != "auto":
        return getattr(torch, precision)
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if computes_in_bfloat16(device) else torch.float16


def keep_small_gradients(x: Tensor, output: Tensor) -> None:
    """Makes the backward pass from a network's float16 output to its input one of numbers about 1.

    The gradient of an image's misfit is about 1e-3 a pixel, and less behind a mask; in float16 what is below 6e-8 is
    lost. A backward pass is linear, so that each image's gradient is divided by its largest entry on the way in and
    multiplied by it on the way out.

    Args:
        x, output: of a network, (B, ...), with a graph between them.
    """
    size: list[Tensor] = []

    def shrink(gradient: Tensor) -> Tensor:
        largest = gradient.abs().flatten(1).amax(1)[:, None, None, None]
        size[:] = [torch.where(largest > 0, largest, 1)]
        return gradient / size[0]

    output.register_hook(shrink)
    x.register_hook(lambda gradient: gradient * size[0])
