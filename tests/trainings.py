"""A training that is small enough for a test, and photographs for it."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from inverse.denoisers.network import NetworkConfig
from inverse.training.settings import PriorTraining

TINY = NetworkConfig(widths=(8, 12), depths=(1, 1), embedding=16, frequencies=4)


@dataclass(frozen=True)
class Tiny(PriorTraining):
    """Small enough to train in a test."""

    @property
    def config(self):
        return TINY


def settings(**changes):
    values = {
        "crop": 16, "batch": 4, "iterations": 20, "learning_rate": 3e-3, "warmup": 2, "average": 0.9,
        "report_every": 5, "validate_every": 10, "precision": "float32",
    }  # fmt: skip
    return Tiny(**(values | changes))


def photographs(folder):
    """Eight photographs in two subfolders, a text that calls itself a picture, and one that is too small."""
    folder.mkdir(exist_ok=True)
    y, x = np.mgrid[0:40, 0:48] / 48
    for index in range(8):
        pixels = np.stack([np.sin((index + 2) * x + k * y) for k in range(3)], -1)
        place = folder / ("flat" if index % 2 else "deep")
        place.mkdir(exist_ok=True)
        Image.fromarray((127.5 + 120 * pixels).astype(np.uint8)).save(place / f"photo{index}.png")
    (folder / "broken.jpg").write_text("this is not a picture")
    Image.new("RGB", (12, 40)).save(folder / "small.png")
    return folder
