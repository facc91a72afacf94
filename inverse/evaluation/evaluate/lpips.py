"""LPIPS: how different two pictures look, by the layers of AlexNet (Zhang et al., CVPR 2018, arXiv 1801.03924).

Version 0.1 with AlexNet, which papers mean by LPIPS unless they say otherwise: features after each ReLU, of length 1 at
every pixel; squares of differences, weighed by what people judged, summed over channels, their mean over pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inverse.evaluation.evaluate.weights import Weights, fill

CHANNELS = (64, 192, 384, 256, 256)
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
"""To what AlexNet was trained on, for pictures on [-1, 1]."""


class Lpips(nn.Module):
    """From two pictures (B, 3, H, W) on [-1, 1] to a distance for each, (B,)."""

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, 1, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, 1, 1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, 1, 1), nn.ReLU(),
        )  # fmt: skip
        for place, channels in enumerate(CHANNELS):
            self.add_module(f"lin{place}", nn.Sequential(nn.Identity(), nn.Conv2d(channels, 1, 1, bias=False)))
        self.register_buffer("shift", torch.tensor(SHIFT).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor(SCALE).view(1, 3, 1, 1), persistent=False)

    def _layers(self, x: Tensor) -> list[Tensor]:
        found, y = [], (x - self.shift) / self.scale
        for layer in self.features:
            y = layer(y)
            if isinstance(layer, nn.ReLU):
                found.append(y / (y.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    def forward(self, x: Tensor, truth: Tensor) -> Tensor:
        total = x.new_zeros(len(x))
        for place, (a, b) in enumerate(zip(self._layers(x), self._layers(truth), strict=True)):
            total += self.get_submodule(f"lin{place}")((a - b).square()).mean(dim=(1, 2, 3))
        return total


def lpips(weights: Weights) -> Lpips:
    """The network with the weights that were named, on its device: the trunk and the heads are files of their own."""
    network = Lpips()
    heads = {key.replace(".model.", "."): value for key, value in weights.tensors("lpips").items()}
    trunk = {key: value for key, value in weights.tensors("alexnet").items() if key.startswith("features.")}
    fill(network, {**heads, **trunk}, "alexnet")
    return network.to(weights.device)
