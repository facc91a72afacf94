"""Every operator at several settings, and pictures and measurements for it."""

from __future__ import annotations

import functools

import numpy as np
import torch
from PIL import Image

from inverse.operators import TASKS

SQUARE, ODD, BLOCKS = (3, 16, 16), (3, 17, 13), (3, 12, 24)
# Every task needs at least one row here: parameters that differ from the defaults, and the shape of the images.
SETTINGS = {
    "inpaint-random": [({}, ODD), ({"missing": 0.0}, SQUARE)],
    "inpaint-box": [({}, SQUARE), ({"box_height": 0.9, "box_x": 0.0}, ODD)],
    "inpaint-half": [({"half": half}, ODD) for half in ("left", "right", "top", "bottom")],
    "inpaint-periodic": [({}, ODD), ({"period": 16}, SQUARE)],
    "inpaint-mask": [({}, ODD)],
    "deblur-gaussian": [({"edges": "circular"}, SQUARE), ({"std": 1.0}, ODD), ({"std": 20.0}, ODD)],
    "deblur-uniform": [({}, SQUARE), ({"kernel_size": 4, "edges": "circular"}, ODD), ({"kernel_size": 61}, ODD)],
    "deblur-motion": [({"length": 7.0}, ODD), ({"angle": 30.0}, SQUARE), ({"angle": 90.0, "length": 4.0}, ODD)],
    "deblur-shake": [({"kernel_size": 9}, ODD), ({"edges": "circular", "turning": 0.1}, SQUARE)],
    "deblur-disk": [({"edges": "circular"}, ODD), ({"radius": 1.7}, SQUARE), ({"radius": 30.0}, ODD)],
    "deblur-kernel": [({}, ODD), ({"edges": "circular"}, SQUARE)],
    "deblur-nonlinear": [({}, SQUARE), ({"radius": 1.5, "edges": "circular"}, ODD)],
    "super-resolution": [({"factor": 2}, SQUARE), ({}, BLOCKS), ({"factor": 3}, (3, 15, 9))],
    "super-resolution-bicubic": [
        ({"factor": 2}, SQUARE), ({"factor": 3, "edges": "circular"}, (3, 15, 9)), ({}, BLOCKS),
        ({"factor": 8}, SQUARE),
    ],
    "colorize": [({}, ODD), ({"weights": "luma"}, ODD)],
    "colorize-strokes": [({}, ODD), ({"invent": True, "weights": "mean"}, SQUARE)],
    "denoise": [({}, ODD)],
    "jpeg": [({}, ODD), ({"quality": 95, "subsampling": "4:4:4"}, SQUARE), ({"quality": 2}, SQUARE)],
    "hdr": [({}, ODD), ({"clipped": "highlights", "exposure": 4.0}, ODD)],
    "bit-depth": [({}, ODD), ({"bits": 1}, SQUARE)],
    "demosaic": [({}, ODD), ({"pattern": "GBRG"}, SQUARE)],
    "compressed-sensing": [({}, ODD), ({"ratio": 0.5}, SQUARE)],
    "phase-retrieval": [({}, ODD), ({"oversampling": 1}, SQUARE)],
}  # fmt: skip
CASES = [(name, *row) for name, rows in SETTINGS.items() for row in rows]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@functools.cache
def operator_of(index, dtype=torch.float64):
    name, parameters, shape = CASES[index]
    task = TASKS[name].create(parameters)
    height, width = (6, 9) if task.auxiliary == "kernel" else shape[-2:]
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)
    if task.auxiliary == "strokes":
        picture = np.dstack([picture, 255 * (np.random.default_rng(2).random((height, width)) < 0.3).astype(np.uint8)])
    picture = Image.fromarray(picture)
    auxiliary = task.prepare(picture, shape[-2:]) if task.auxiliary else None
    return task.operator(shape, generator(), auxiliary).to("cpu", dtype)


def columns(x):
    return x.flatten(1).mT


def images(operator, batch=2, seed=1, dtype=torch.float64):
    """Random pictures on [-1, 1]."""
    return (2 * torch.rand(batch, *operator.image_shape, generator=generator(seed), dtype=torch.float64) - 1).to(dtype)


def measurements(operator, batch=2, seed=2):
    return torch.randn(batch, *operator.measurement_shape, generator=generator(seed), dtype=torch.float64)


def label(index):
    name, parameters, shape = CASES[index]
    settings = "-".join(str(value) for value in parameters.values())
    return f"{name}-{settings or 'default'}-{shape[1]}x{shape[2]}"
