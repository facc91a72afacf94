"""The network of guided-diffusion, written from the paper and its published weights' names: tensors and a forward pass.

It shares no code with the package, and nothing of it is fast.
"""

import math

import torch
import torch.nn.functional as F

FFHQ = {"width": 32, "depth": 1, "multipliers": (1, 1, 2, 2, 4, 4), "attention": (4,)}
IMAGENET = {"width": 32, "depth": 2, "multipliers": (1, 1, 2, 2, 4, 4), "attention": (3, 4, 5)}
"""The two published networks for 256 pixels, with fewer channels."""
SMALL = {"width": 32, "depth": 1, "multipliers": (1, 1, 1, 1, 4), "attention": (4,)}
HEAD = 64


def plan(depth, multipliers, attention, **_):
    """The blocks on the way down, then up: (name, kind, level), in the order in which they are run."""
    levels, down, up = len(multipliers), [], []
    index = 1
    for level in range(levels):
        for _ in range(depth):
            down.append((f"input_blocks.{index}", "block", level))
            index += 1
        if level < levels - 1:
            down.append((f"input_blocks.{index}", "down", level))
            index += 1
    index = 0
    for level in reversed(range(levels)):
        for step in range(depth + 1):
            up.append((f"output_blocks.{index}", "up" if level and step == depth else "block", level))
            index += 1
    return down, up


def random_weights(width, depth, multipliers, attention, out_channels=6, seed=0):
    """Tensors by their original names, of a size that lets every one matter."""
    generator, tensors, time = torch.Generator().manual_seed(seed), {}, 4 * width

    def layer(name, *shape, gain=1.0):
        fan = max(1, math.prod(shape[1:]))
        tensors[f"{name}.weight"] = gain * torch.randn(shape, generator=generator) / fan**0.5
        tensors[f"{name}.bias"] = 0.2 * torch.randn(shape[0], generator=generator)

    def norm(name, channels):
        tensors[f"{name}.weight"] = 1 + 0.3 * torch.randn(channels, generator=generator)
        tensors[f"{name}.bias"] = 0.3 * torch.randn(channels, generator=generator)

    def residual(name, before, after):
        norm(f"{name}.in_layers.0", before)
        layer(f"{name}.in_layers.2", after, before, 3, 3)
        layer(f"{name}.emb_layers.1", 2 * after, time)
        norm(f"{name}.out_layers.0", after)
        layer(f"{name}.out_layers.3", after, after, 3, 3)
        if before != after:
            layer(f"{name}.skip_connection", after, before, 1, 1)

    def attend(name, channels):
        norm(f"{name}.norm", channels)
        layer(f"{name}.qkv", 3 * channels, channels, 1, gain=2.0)
        layer(f"{name}.proj_out", channels, channels, 1)

    layer("time_embed.0", time, width)
    layer("time_embed.2", time, time)
    layer("input_blocks.0.0", width, 3, 3, 3)
    down, up = plan(depth, multipliers, attention)
    channels, kept = width, [width]
    for name, kind, level in down:
        after = channels if kind == "down" else width * multipliers[level]
        residual(f"{name}.0", channels, after)
        channels = after
        kept.append(channels)
        if kind == "block" and level in attention:
            attend(f"{name}.1", channels)
    residual("middle_block.0", channels, channels)
    attend("middle_block.1", channels)
    residual("middle_block.2", channels, channels)
    for name, kind, level in up:
        after = width * multipliers[level]
        residual(f"{name}.0", channels + kept.pop(), after)
        channels = after
        if level in attention:
            attend(f"{name}.1", channels)
        if kind == "up":
            residual(f"{name}.{2 if level in attention else 1}", channels, channels)
    norm("out.0", channels)
    layer("out.2", out_channels, width, 3, 3)
    return tensors


def forward(tensors, x, t, **shape):
    """Its output for images x (B, 3, H, W) and times t (B,), in their precision."""
    w = {name: value.to(x.dtype) for name, value in tensors.items()}
    width = w["time_embed.0.weight"].shape[1]
    angles = t[:, None] * torch.exp(-math.log(10_000) * torch.arange(width // 2, dtype=x.dtype) / (width // 2))
    waves = torch.cat([angles.cos(), angles.sin()], 1)
    embedding = linear(w, "time_embed.2", F.silu(linear(w, "time_embed.0", waves)))
    down, up = plan(**shape)
    x = conv(w, "input_blocks.0.0", x)
    kept = [x]

    def block(name, x, kind, level):
        x = residual(w, f"{name}.0", x, embedding, halved if kind == "down" else None)
        return attention(w, f"{name}.1", x) if kind != "down" and level in shape["attention"] else x

    for name, kind, level in down:
        x = block(name, x, kind, level)
        kept.append(x)
    x = residual(w, "middle_block.0", x, embedding)
    x = attention(w, "middle_block.1", x)
    x = residual(w, "middle_block.2", x, embedding)
    for name, kind, level in up:
        x = block(name, torch.cat([x, kept.pop()], 1), "block", level)
        if kind == "up":
            x = residual(w, f"{name}.{2 if level in shape['attention'] else 1}", x, embedding, doubled)
    return conv(w, "out.2", F.silu(norm(w, "out.0", x)))


def residual(w, name, x, embedding, resize=None):
    h = F.silu(norm(w, f"{name}.in_layers.0", x))
    x, h = (x, h) if resize is None else (resize(x), resize(h))
    h = conv(w, f"{name}.in_layers.2", h)
    scale, shift = linear(w, f"{name}.emb_layers.1", F.silu(embedding))[..., None, None].chunk(2, 1)
    h = F.silu(norm(w, f"{name}.out_layers.0", h) * (1 + scale) + shift)
    h = conv(w, f"{name}.out_layers.3", h)
    return h + (conv(w, f"{name}.skip_connection", x) if f"{name}.skip_connection.weight" in w else x)


def attention(w, name, x):
    """The rows of `qkv` are q, k and v of the first head, then those of the next."""
    pixels = norm(w, f"{name}.norm", x).flatten(2)
    rows = w[f"{name}.qkv.weight"][:, :, 0] @ pixels + w[f"{name}.qkv.bias"][:, None]
    heads = []
    for start in range(0, rows.shape[1], 3 * HEAD):
        q, k, v = (rows[:, start + part * HEAD : start + (part + 1) * HEAD] for part in range(3))
        heads.append(v @ (q.transpose(1, 2) @ k / HEAD**0.5).softmax(2).transpose(1, 2))
    out = w[f"{name}.proj_out.weight"][:, :, 0] @ torch.cat(heads, 1) + w[f"{name}.proj_out.bias"][:, None]
    return x + out.reshape(x.shape)


def norm(w, name, x):
    groups = x.unflatten(1, (32, -1))
    mean = groups.mean((2, 3, 4), keepdim=True)
    variance = groups.var((2, 3, 4), correction=0, keepdim=True)
    level = ((groups - mean) / (variance + 1e-5).sqrt()).flatten(1, 2)
    return level * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]


def conv(w, name, x):
    weight = w[f"{name}.weight"]
    return F.conv2d(x, weight, w[f"{name}.bias"], padding=weight.shape[-1] // 2)


def linear(w, name, x):
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def halved(x):
    return F.avg_pool2d(x, 2)


def doubled(x):
    return x.repeat_interleave(2, -2).repeat_interleave(2, -1)
