"""Start a larger network from a smaller one's weights, so that at first it computes the same."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from inverse.denoisers.network import ResidualBlock, ResidualUNet


@torch.no_grad()
def inherit(network: ResidualUNet, source: ResidualUNet) -> None:
    """Copies what both have; in the way of Chen et al. 2016 (Net2Net, arXiv 1511.05641), but with zeros.

    Channels that the source lacks keep their initial weights, and the inherited channels do not read them yet; blocks
    that it lacks add nothing yet. Where the network has at least the source's widths and depths, at the same number of
    resolutions, its function is the source's; otherwise it only starts closer to it.
    """
    targets, sources = dict(network.named_modules()), dict(source.named_modules())
    for name, target in targets.items():
        if isinstance(target, ResidualBlock):
            _inherit_block(target, sources.get(name))
        elif isinstance(target, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and name in sources:
            inside_block = isinstance(targets.get(name.rpartition(".")[0]), ResidualBlock)
            if not inside_block:
                _copy(target, sources[name])


def _inherit_block(target: ResidualBlock, source: nn.Module | None) -> None:
    if target.context is not None:
        _silence(target.context)
    if not isinstance(source, ResidualBlock):
        _silence(target.conv_out)
        return
    _copy(target.conv_in, source.conv_in)
    _copy(target.conv_out, source.conv_out)
    if target.context is not None and source.context is not None:
        _copy(target.context, source.context)
    # The linear layer's output is two halves, scale and shift, which grow separately.
    for to, of in zip(_film_halves(target.film), _film_halves(source.film), strict=True):
        _copy_tensor(to, of, inputs=1 if to.ndim > 1 else None)


def _silence(layer: nn.Module) -> None:
    for parameter in layer.parameters():
        parameter.zero_()


def _film_halves(film: nn.Linear) -> list[Tensor]:
    return [*film.weight.chunk(2), *film.bias.chunk(2)]


def _copy(target: nn.Module, source: nn.Module) -> None:
    transposed = isinstance(target, nn.ConvTranspose2d)
    _copy_tensor(target.get_parameter("weight"), source.get_parameter("weight"), inputs=0 if transposed else 1)
    _copy_tensor(target.get_parameter("bias"), source.get_parameter("bias"), inputs=None)


def _copy_tensor(target: Tensor, source: Tensor, inputs: int | None) -> None:
    """Copies the common corner; the rest of what its outputs read along the axis `inputs` becomes 0."""
    common = [slice(min(a, b)) for a, b in zip(target.shape, source.shape, strict=True)]
    if inputs is not None:
        rows = list(common)
        rows[inputs] = slice(None)
        target[tuple(rows)] = 0
    target[tuple(common)] = source[tuple(common)]
