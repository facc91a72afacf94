"""Blur of light, not of pixel values: non-linear, because pixel values are a curve of light."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from inverse.operators.base import Operator, Shape
from inverse.operators.blur import SymmetricBlur, edges_field
from inverse.operators.deblurring import radius_field
from inverse.operators.kernels import disk_kernel
from inverse.operators.task import TASKS, Task

EXPONENT, TOE = 2.4, 0.055


class LightBlur(Operator):
    """A(x) = d^-1(K d(x)): decode pixel values to light, blur the light with kernel K, encode it again.

    K is as in `SymmetricBlur` and not negative; edges are "reflect" or "circular".

    The curve d(u) = ((u + t)^2.4 - t^2.4) / ((1 + t)^2.4 - t^2.4) for u = (x + 1) / 2 on [0, 1] and t = 0.055 is close
    to sRGB's, but smooth; beyond [0, 1] it goes on straight. It is why a lamp out of focus becomes a bright disk
    and not a faint one. On images that are nearly flat A is the linear blur K.

    Lipschitz constant for images on [-1, 1]: the Jacobian is J_ij = k_ij p(l_j) / p(m_i) with light l, blurred light m
    and p(l) the slope of d where its value is l, a concave function. By Jensen a row of J sums to at most 1; as
    m_i >= k_ij l_j, a column sums to at most sum_i k_i p(1) / p(k_i); and ||J||^2 is at most their product.
    """

    def __init__(self, kernel: Tensor, image_shape: Shape, edges: str) -> None:
        self.image_shape = self.measurement_shape = tuple(image_shape)
        self.blur = SymmetricBlur(kernel, image_shape, reflect=edges == "reflect")
        self.norm = float((kernel * _slope(torch.ones(())) / _slope(kernel)).sum()) ** 0.5

    def __call__(self, x: Tensor) -> Tensor:
        return 2 * encode(self.blur(decode((x + 1) / 2))) - 1


_SPAN = (1 + TOE) ** EXPONENT - TOE**EXPONENT
_FIRST, _LAST = (EXPONENT * u ** (EXPONENT - 1) / _SPAN for u in (TOE, 1 + TOE))


def decode(u: Tensor) -> Tensor:
    """Light of pixel values on [0, 1], on [0, 1]."""
    inside = u.clamp(0, 1)
    beyond = u - inside  # and not u itself, whose clamped parts would add their slopes to the curve's at 0 and 1
    curve = ((inside + TOE) ** EXPONENT - TOE**EXPONENT) / _SPAN
    return curve + _FIRST * beyond.clamp(max=0) + _LAST * beyond.clamp(min=0)


def encode(light: Tensor) -> Tensor:
    """The inverse of `decode`."""
    inside = light.clamp(0, 1)
    beyond = light - inside
    curve = (inside * _SPAN + TOE**EXPONENT) ** (1 / EXPONENT) - TOE
    return curve + beyond.clamp(max=0) / _FIRST + beyond.clamp(min=0) / _LAST


def _slope(light: Tensor) -> Tensor:
    """The slope of `decode` where its value is `light`, on [0, 1]."""
    return EXPONENT * (light * _SPAN + TOE**EXPONENT) ** (1 - 1 / EXPONENT) / _SPAN


@TASKS.register
@dataclass(frozen=True)
class DeblurNonlinear(Task):
    name = "deblur-nonlinear"
    title = "Deblurring: out of focus, with bright lights"
    group = "Blur"
    summary = "Out of focus, with lamps that became bright disks: light was blurred, not pixel values (non-linear)."
    linear = False
    lengths = ("radius",)

    radius: float = radius_field()
    edges: str = edges_field()

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> LightBlur:
        return LightBlur(disk_kernel(self.radius), image_shape, self.edges)
