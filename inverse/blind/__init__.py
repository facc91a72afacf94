"""What a photo was blurred by, told from the photo alone: one kernel for all of it."""

from inverse.blind.estimate import CONFIDENCE, DEFAULT_SIZE, KERNEL_SIZE, TRUSTED, KernelEstimate, estimate_kernel
from inverse.blind.kernels import similarity
from inverse.operators.deblurring import DeblurKernel

TASK = DeblurKernel.name
"""The task that takes such a kernel."""

__all__ = [
    "CONFIDENCE", "DEFAULT_SIZE", "KERNEL_SIZE", "TASK", "TRUSTED", "KernelEstimate", "estimate_kernel", "similarity",
]  # fmt: skip
