"""Tasks, operators and noise drawn at random: what an estimator learns from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from inverse.errors import ParameterError, ProblemError
from inverse.operators import TASKS, Task
from inverse.operators.base import LinearOperator, as_linear
from inverse.parameters import Choice, Flag, Integer, Real

LINEAR = tuple(name for name, task in TASKS.items() if task().estimable)
"""Names of the tasks that an estimator can learn."""
SPREAD = 2.0
"""Parameters are drawn from their default divided by this to their default times it, within their range."""
ATTEMPTS = 20


@dataclass(frozen=True)
class Measurement:
    """Crops and what is measured of them.

    Attributes:
        x0: the crops, cut to what the task takes, (B, C, H, W).
        operator: H, the same for all.
        y: (B, *measurement_shape).
        sigma_y: standard deviation of its noise.
    """

    x0: Tensor
    operator: LinearOperator
    y: Tensor
    sigma_y: float


def draw_measurement(
    x0: Tensor, tasks: Sequence[str], noise: tuple[float, float], generator: torch.Generator
) -> Measurement:
    """A measurement of crops by a task that is drawn, with parameters that are drawn.

    Args:
        x0: clean crops, (B, C, H, W).
        tasks: names of linear tasks, one as likely as another.
        noise: sigma_y is drawn between these, log-uniformly.
        generator: a CPU generator, the only source of randomness.
    """
    random = np.random.default_rng(generator.initial_seed())
    sigma_y = float(np.exp(random.uniform(*np.log(noise))))
    for _ in range(ATTEMPTS):
        try:
            task = _drawn(TASKS[tasks[int(random.integers(len(tasks)))]], random)
            return measured(x0, task, sigma_y, generator, random)
        except (ParameterError, ProblemError):  # a combination that this task, or so small a crop, does not allow
            continue
    raise ProblemError(f"None of the tasks {', '.join(tasks)} fits crops of {x0.shape[-1]} pixels. Use larger crops.")


def measured(
    x0: Tensor, task: Task, sigma_y: float, generator: torch.Generator, random: np.random.Generator
) -> Measurement:
    """A measurement of crops by one task; `random` draws the picture that some tasks need beside them."""
    height, width = (side // task.multiple * task.multiple for side in x0.shape[-2:])
    if min(height, width) < 1:
        raise ProblemError(f"These crops are too small for {task.name}. Use larger ones.")
    x0 = x0[..., :height, :width]
    auxiliary = None
    if task.auxiliary:
        picture = _strokes(random, (height, width)) if task.auxiliary == "mask" else _kernel(random)
        auxiliary = task.prepare(task.load(picture), (height, width))
    operator = as_linear(task.operator((x0.shape[1], height, width), generator, auxiliary)).to(x0.device, x0.dtype)
    noise = sigma_y * torch.randn((len(x0), *operator.measurement_shape), generator=generator)
    return Measurement(x0, operator, operator.measure(x0, lambda y: y + noise.to(y)), sigma_y)


def _drawn(kind: type[Task], random: np.random.Generator) -> Task:
    """A task with every parameter near its default, choices and angles anywhere."""
    values: dict[str, Any] = {}
    defaults = kind.defaults()
    for name, spec in kind.specs().items():
        default = defaults[name]
        if isinstance(spec, Choice):
            values[name] = spec.options[random.integers(len(spec.options))]
        elif isinstance(spec, Flag):
            values[name] = bool(random.integers(2))
        elif isinstance(spec, Real | Integer):
            low, high = (spec.low, spec.high) if spec.unit == "degrees" else (default / SPREAD, default * SPREAD)
            value = random.uniform(max(spec.low, low), min(spec.high, high))
            values[name] = round(value) if isinstance(spec, Integer) else value
    return kind.create(values)


def _strokes(random: np.random.Generator, size: tuple[int, int]) -> Image.Image:
    """White strokes and a blot on black: what is missing."""
    height, width = size
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    for _ in range(random.integers(1, 7)):
        points = [(float(random.uniform(0, width)), float(random.uniform(0, height))) for _ in range(3)]
        draw.line(points, 255, int(random.integers(2, max(3, min(size) // 8))), joint="curve")
    if random.random() < 0.5:
        x, y, radius = random.uniform(0, width), random.uniform(0, height), random.uniform(0.05, 0.25) * min(size)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return picture


def _kernel(random: np.random.Generator) -> Image.Image:
    """A crooked line, as of a shaken camera."""
    side = 2 * int(random.integers(3, 9)) + 1
    picture = Image.new("L", (8 * side, 8 * side))
    draw = ImageDraw.Draw(picture)
    angle = random.uniform(0, 2 * math.pi)
    points = [(4.0 * side, 4.0 * side)]
    for _ in range(4):
        angle += random.uniform(-1, 1)
        points.append((points[-1][0] + side * math.cos(angle), points[-1][1] + side * math.sin(angle)))
    draw.line(points, 255, 10, joint="curve")
    return picture.resize((side, side), Image.Resampling.BOX)
