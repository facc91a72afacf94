"""The Inception network of FID and KID: Inception-v3 as TensorFlow's "2015-12-05" had it, to its 2048 pooled features.

Szegedy et al. 2016 (arXiv 1512.00567), with what sets this one apart: means over a border leave it out, and the last
block takes a maximum. Names of layers are those of its usual file of weights. Pictures are resized as TensorFlow 1 did,
by lines between pixels whose centers are not kept.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inverse.evaluation.evaluate.weights import Weights, fill

SIDE = 299
FEATURES = 2048

Kernel = tuple[int, int]


class Convolution(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Kernel, stride: int = 1, border: bool = True) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if border else (0, 0)
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


def _mean(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def _largest(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 3, 1, 1)


class Block(nn.Module):
    """Branches side by side, each of layers one after another; "a|b" are two layers on the same input.

    Args:
        inputs: channels.
        branches: of each the layers, as (names, channels out, kernel of each name); what is called "_pool" pools first.
        pool: how.
        halves: the last layer of each branch has a stride of 2, and a pooled input is a branch of its own.
    """

    def __init__(
        self, inputs: int, branches: list[list[tuple]], pool: Callable[[Tensor], Tensor] = _mean, halves: bool = False
    ) -> None:
        super().__init__()
        self.branches, self.pool, self.halves = branches, pool, halves
        for branch in branches:
            channels = inputs
            for place, (names, outputs, *kernels) in enumerate(branch):
                stride = 2 if halves and place == len(branch) - 1 else 1
                split = names.split("|")
                for name, kernel in zip(split, kernels, strict=True):
                    layer = Convolution(channels, outputs, kernel, stride, border=stride == 1)
                    self.add_module(f"branch{name}", layer)
                channels = outputs * len(split)

    def forward(self, x: Tensor) -> Tensor:
        found = []
        for branch in self.branches:
            y = self.pool(x) if branch[0][0] == "_pool" else x
            for names, *_ in branch:
                y = torch.cat([self.get_submodule(f"branch{name}")(y) for name in names.split("|")], 1)
            found.append(y)
        return torch.cat([*found, F.max_pool2d(x, 3, 2)] if self.halves else found, 1)


ONE, THREE, FIVE, WIDE, TALL, LINE, COLUMN = (1, 1), (3, 3), (5, 5), (1, 7), (7, 1), (1, 3), (3, 1)


def _a(inputs: int, pooled: int) -> Block:
    double = [("3x3dbl_1", 64, ONE), ("3x3dbl_2", 96, THREE), ("3x3dbl_3", 96, THREE)]
    five = [("5x5_1", 48, ONE), ("5x5_2", 64, FIVE)]
    return Block(inputs, [[("1x1", 64, ONE)], five, double, [("_pool", pooled, ONE)]])


def _b(inputs: int) -> Block:
    double = [("3x3dbl_1", 64, ONE), ("3x3dbl_2", 96, THREE), ("3x3dbl_3", 96, THREE)]
    return Block(inputs, [[("3x3", 384, THREE)], double], halves=True)


def _c(inputs: int, inner: int) -> Block:
    seven = [("7x7_1", inner, ONE), ("7x7_2", inner, WIDE), ("7x7_3", 192, TALL)]
    double = [("7x7dbl_1", inner, ONE), ("7x7dbl_2", inner, TALL), ("7x7dbl_3", inner, WIDE)]
    double += [("7x7dbl_4", inner, TALL), ("7x7dbl_5", 192, WIDE)]
    return Block(inputs, [[("1x1", 192, ONE)], seven, double, [("_pool", 192, ONE)]])


def _d(inputs: int) -> Block:
    three = [("3x3_1", 192, ONE), ("3x3_2", 320, THREE)]
    seven = [("7x7x3_1", 192, ONE), ("7x7x3_2", 192, WIDE), ("7x7x3_3", 192, TALL), ("7x7x3_4", 192, THREE)]
    return Block(inputs, [three, seven], halves=True)


def _e(inputs: int, last: bool) -> Block:
    three = [("3x3_1", 384, ONE), ("3x3_2a|3x3_2b", 384, LINE, COLUMN)]
    double = [("3x3dbl_1", 448, ONE), ("3x3dbl_2", 384, THREE), ("3x3dbl_3a|3x3dbl_3b", 384, LINE, COLUMN)]
    pool = _largest if last else _mean
    return Block(inputs, [[("1x1", 320, ONE)], three, double, [("_pool", 192, ONE)]], pool)


class Inception(nn.Module):
    """From pictures (B, 3, H, W) on [-1, 1] to features (B, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Convolution(3, 32, THREE, 2, border=False)
        self.Conv2d_2a_3x3 = Convolution(32, 32, THREE, border=False)
        self.Conv2d_2b_3x3 = Convolution(32, 64, THREE)
        self.Conv2d_3b_1x1 = Convolution(64, 80, ONE)
        self.Conv2d_4a_3x3 = Convolution(80, 192, THREE, border=False)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = _a(192, 32), _a(256, 64), _a(288, 64)
        self.Mixed_6a, self.Mixed_6b = _b(288), _c(768, 128)
        self.Mixed_6c, self.Mixed_6d, self.Mixed_6e = _c(768, 160), _c(768, 160), _c(768, 192)
        self.Mixed_7a, self.Mixed_7b, self.Mixed_7c = _d(768), _e(1280, last=False), _e(2048, last=True)

    def forward(self, x: Tensor) -> Tensor:
        # Grey levels, as of a file, by (g - 128) / 128.
        x = (resized(((x.clamp(-1, 1) + 1) * 127.5).round(), SIDE) - 128) / 128
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = F.max_pool2d(x, 3, 2)
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x))
        x = F.max_pool2d(x, 3, 2)
        for name, block in self.named_children():
            if name.startswith("Mixed"):
                x = block(x)
        return x.mean(dim=(2, 3))


def resized(x: Tensor, side: int) -> Tensor:
    """Pictures (B, C, H, W) by linear interpolation at i H / side, i = 0, 1, ..., (B, C, side, side)."""
    rows, columns = (_lines(length, side).to(x) for length in x.shape[-2:])
    return rows @ x @ columns.T


def _lines(length: int, side: int) -> Tensor:
    """The weights of the pixels of a line, (side, length)."""
    at = torch.arange(side) * (length / side)
    low = at.long().clamp(max=length - 1)
    high, share = (low + 1).clamp(max=length - 1), (at - low)[:, None]
    return (1 - share) * F.one_hot(low, length) + share * F.one_hot(high, length)


def inception(weights: Weights) -> Inception:
    """The network with the weights that were named, on its device."""
    network = Inception()
    fill(network, weights.tensors("inception"), "inception")
    return network.to(weights.device)
