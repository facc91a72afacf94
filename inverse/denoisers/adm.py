"""The network of guided-diffusion (ADM), told by its shapes and renamed to diffusers' `UNet2DModel`.

Dhariwal and Nichol 2021 (arXiv 2105.05233), https://github.com/openai/guided-diffusion. The names are the only thing
that differs, but for the attention's weights, which are in another order, and for three settings without which other
numbers come out, and no error: that order, a norm before the attention in the middle, and the eps of all norms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inverse.denoisers import weights
from inverse.denoisers.network import MAX_DEPTH, MAX_LEVELS, MAX_WIDTH
from inverse.errors import PriorError

Shapes = Mapping[str, tuple[int, ...]]

HEAD, GROUPS = 64, 32
"""Channels of a head of attention, and groups of every norm: those of each published network from 128 pixels on. No
shape tells them."""
MIN_LEVELS = 5
"""Resolutions of a network for 128 pixels. Smaller ones were trained with another table of noise and another order of
the attention's weights, neither of which a file says."""
SCHEDULE = {
    "_class_name": "DDPMScheduler", "num_train_timesteps": 1000, "beta_schedule": "linear", "beta_start": 0.0001,
    "beta_end": 0.02, "prediction_type": "epsilon", "clip_sample": False,
}  # fmt: skip
"""Of each published network from 128 pixels on, as diffusers writes it."""

MODULES = {
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2", "input_blocks.0.0": "conv_in",
    "middle_block.0": "mid_block.resnets.0", "middle_block.1": "mid_block.attentions.0",
    "middle_block.2": "mid_block.resnets.1", "out.0": "conv_norm_out", "out.2": "conv_out",
}  # fmt: skip
"""Those that every network has; `_blocks` adds the blocks on the way down and up."""
LAYERS = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2",
    "out_layers.3": "conv2", "skip_connection": "conv_shortcut", "norm": "group_norm", "proj_out": "to_out.0",
}  # fmt: skip
"""Of a residual block and of an attention; `qkv` becomes three."""
ATTENTION = ("to_q", "to_k", "to_v")
UNWHOLE = "The network of guided-diffusion in this file is damaged, or of an unknown kind. Download it again."


def is_original(names: Iterable[str]) -> bool:
    """Whether tensors are named as in the original network."""
    return {"time_embed.0.weight", "input_blocks.0.0.weight", "out.2.weight"} <= set(names)


def is_checkpoint(path: Path) -> bool:
    """Whether a file is one, or a pickle, which could be: by its content and not by its name. No pickle is opened."""
    try:
        return weights.is_pickle(path) or is_original(weights.shapes(path))
    except PriorError:
        return False


def is_adm(config: Mapping[str, Any]) -> bool:
    """Whether a configuration of diffusers is that of such a network, as written here or by a conversion on the Hub."""
    return config.get("resnet_time_scale_shift") == "scale_shift" or is_conversion(config)


def is_conversion(config: Mapping[str, Any]) -> bool:
    """Whether it is as huggingface/diffusers#6730 writes it, in words that diffusers itself has not got."""
    return config.get("time_embedding_type") == "adm" or "attention_legacy_order" in config


def configuration(shapes: Shapes) -> dict[str, Any]:
    """The configuration of the `UNet2DModel` that tensors with the original names are.

    Args:
        shapes: by name. In networks that change the resolution by residual blocks these look like any other, so the
            blocks of a resolution are counted on the way up, where the first such block ends them.

    Raises:
        PriorError: the network is conditional, of another family, larger than any prior, or not whole.
    """
    if not is_original(shapes):
        raise PriorError("This file holds no network of guided-diffusion. Use one, or a prior that `priors` lists.")
    if "label_emb.weight" in shapes:
        raise PriorError("This network needs a class label. Use an unconditional diffusion model.")
    with weights.understood(UNWHOLE):
        return _configuration(shapes)


def _configuration(shapes: Shapes) -> dict[str, Any]:
    first, channels = shapes["input_blocks.0.0.weight"][:2]
    out_channels, blocks_up = shapes["out.2.weight"][0], _count(shapes, "output_blocks")
    ups = (k for k in range(blocks_up) for place in (1, 2) if f"output_blocks.{k}.{place}.in_layers.2.weight" in shapes)
    depth = next(ups, 0)
    levels = blocks_up // (depth + 1)
    block = "input_blocks.1.0."
    if not depth or shapes[f"{block}emb_layers.1.weight"][0] != 2 * shapes[f"{block}in_layers.2.weight"][0]:
        raise PriorError(
            "This network of guided-diffusion is of an older kind (without resblock_updown or use_scale_shift_norm). "
            "Use one of those for 256 pixels."
        )
    if blocks_up != levels * (depth + 1) or blocks_up != _count(shapes, "input_blocks"):
        raise PriorError(UNWHOLE)
    if levels > MAX_LEVELS or depth > MAX_DEPTH:
        raise PriorError("This network is far larger than any prior. Use another one.")
    if levels < MIN_LEVELS:
        raise PriorError(
            "This is a network for pictures of 64 pixels or fewer, and its file does not say its noise levels. Use "
            "one of those for 256 pixels."
        )
    if channels != 3 or out_channels not in (3, 6):
        raise PriorError("This network does not predict a colour picture. Use an unconditional model of photos.")
    widths = [shapes[f"input_blocks.{_down(level, 0, depth)}.0.in_layers.2.weight"][0] for level in range(levels)]
    if not all(0 < width <= MAX_WIDTH and width % GROUPS == 0 for width in (first, *widths)):
        raise PriorError("This network has widths that no published one has. Use another prior.")
    if not first == widths[0] == shapes["time_embed.0.weight"][1]:
        raise PriorError("This network begins narrower than it counts time, as that for 512 pixels. Use another prior.")
    attends = [f"input_blocks.{_down(level, 0, depth)}.1.qkv.weight" in shapes for level in range(levels)]
    if any(width % HEAD for width, attended in zip(widths, [*attends[:-1], True], strict=True) if attended):
        raise PriorError("This network's heads of attention are of an unknown width. Use another prior.")
    return {
        "_class_name": "UNet2DModel",
        "sample_size": 8 * 2 ** (levels - 1),
        "in_channels": channels,
        "out_channels": out_channels,
        "block_out_channels": widths,
        "layers_per_block": depth,
        "down_block_types": ["AttnDownBlock2D" if attended else "ResnetDownsampleBlock2D" for attended in attends],
        "up_block_types": ["AttnUpBlock2D" if attended else "ResnetUpsampleBlock2D" for attended in attends[::-1]],
        "downsample_type": "resnet",
        "upsample_type": "resnet",
        "resnet_time_scale_shift": "scale_shift",
        "attention_head_dim": HEAD,
        "norm_num_groups": GROUPS,
        "attn_norm_num_groups": GROUPS,
        "norm_eps": 1e-5,
        "flip_sin_to_cos": True,
        "freq_shift": 0,
    }


def schedule(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of the scheduler beside it."""
    learned = config["out_channels"] == 2 * config["in_channels"]
    return {**SCHEDULE, "variance_type": "learned_range" if learned else "fixed_large"}


def renamed(tensors: Mapping[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors under diffusers' names.

    Raises:
        PriorError: there is one that no such network has.
    """
    modules = MODULES | _blocks(config)
    found: dict[str, Tensor] = {}
    with weights.understood(UNWHOLE):
        for name, value in tensors.items():
            parts = name.split(".")
            depth = 3 if parts[0] in ("input_blocks", "output_blocks") else 2
            module, layer, kind = modules[".".join(parts[:depth])], ".".join(parts[depth:-1]), parts[-1]
            if layer == "qkv":
                rows = split(value, _heads(value, config))
                found |= {f"{module}.{to}.{kind}": row for to, row in zip(ATTENTION, rows, strict=True)}
            else:
                target = f"{module}.{LAYERS[layer]}.{kind}" if layer else f"{module}.{kind}"
                found[target] = value.squeeze(-1) if layer == "proj_out" and kind == "weight" else value
    return found


def split(qkv: Tensor, heads: int) -> tuple[Tensor, ...]:
    """Weights or biases of q, k and v from those of all, (3 C, ...) -> three of (C, C) or (C,).

    The rows are those of one head after the other, q, k and v of each, so that a plain `chunk(3)` would fit as well,
    and mix them up.
    """
    rows = (qkv.squeeze(-1) if qkv.ndim == 3 else qkv).unflatten(0, (heads, 3, -1))
    return tuple(part.flatten(0, 1).contiguous() for part in rows.unbind(1))


def understood(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a conversion on the Hub as diffusers' own network needs them; all others as they are.

    Those conversions keep the rows of q, k and v where the original has them, in "legacy order", and apply the order
    when they are run.
    """
    if not config.get("attention_legacy_order"):
        return dict(tensors)
    found = dict(tensors)
    for name in tensors:
        block, to, kind = name.rpartition(".to_q.")
        if to:
            names = [f"{block}.{each}.{kind}" for each in ATTENTION]
            rows = torch.cat([tensors[each] for each in names])
            found |= dict(zip(names, split(rows, _heads(rows, config)), strict=True))
    return found


def plain(config: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a conversion on the Hub in words that diffusers has; any other as it is.

    Its time embedding is the positional one, and the norm before the attention in the middle, which diffusers leaves
    out with scale and shift unless it is asked for, is there.
    """
    if not is_conversion(config):
        return dict(config)
    groups = config.get("attn_norm_num_groups") or config.get("norm_num_groups", GROUPS)
    changes: dict[str, Any] = {"attn_norm_num_groups": groups}
    if config.get("time_embedding_type") == "adm":
        changes |= {"time_embedding_type": "positional", "flip_sin_to_cos": True, "freq_shift": 0}
    return {name: value for name, value in config.items() if name != "attention_legacy_order"} | changes


def _blocks(config: Mapping[str, Any]) -> dict[str, str]:
    """The blocks on the way down and up, by their original names."""
    depth, found = config["layers_per_block"], {}
    for level, (down_type, up_type) in enumerate(
        zip(config["down_block_types"], config["up_block_types"], strict=True)
    ):
        down, up = f"down_blocks.{level}", f"up_blocks.{level}"
        for index in range(depth + 1):
            block = f"output_blocks.{level * (depth + 1) + index}"
            found[f"{block}.0"] = f"{up}.resnets.{index}"
            if up_type.startswith("Attn"):
                found[f"{block}.1"] = f"{up}.attentions.{index}"
            block = f"input_blocks.{_down(level, index, depth)}"
            found[f"{block}.0"] = f"{down}.resnets.{index}" if index < depth else f"{down}.downsamplers.0"
            if down_type.startswith("Attn") and index < depth:
                found[f"{block}.1"] = f"{down}.attentions.{index}"
        last = f"output_blocks.{level * (depth + 1) + depth}"
        found[f"{last}.{2 if up_type.startswith('Attn') else 1}"] = f"{up}.upsamplers.0"
    return found


def _down(level: int, index: int, depth: int) -> int:
    """Which of the input blocks it is; the first is a convolution, and a resolution's last goes on to the next."""
    return 1 + level * (depth + 1) + index


def _count(shapes: Shapes, blocks: str) -> int:
    return len({name.split(".")[1] for name in shapes if name.startswith(f"{blocks}.")})


def _heads(qkv: Tensor, config: Mapping[str, Any]) -> int:
    return qkv.shape[0] // (3 * config["attention_head_dim"])
