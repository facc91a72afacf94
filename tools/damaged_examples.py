"""assets/examples/damaged: one small photo for each thing that may be wrong with one, made from the good examples.

    python tools/damaged_examples.py

What happened to each is known, so that a test can see whether the diagnosis finds it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from inverse.resources import EXAMPLES

Pixels = np.ndarray
SHORTER = 336
"""Pixels, a little more than what counts as small, so that each is restored within seconds."""


def scratched(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Thin bright lines, as on an old print."""
    height, width = pixels.shape[:2]
    damaged = pixels.copy()
    for _ in range(11):
        start = random.uniform((0.05 * width, 0.05 * height), (0.8 * width, 0.8 * height))
        angle, length = random.uniform(0, 0.7 * np.pi), random.uniform(0.3, 0.75) * min(width, height)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        tone = int(random.uniform(238, 252))
        cv2.line(damaged, tuple(map(int, start)), tuple(map(int, end)), (tone, tone, tone), 2, cv2.LINE_8)
    return damaged


def missing(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A corner that was torn off, and a hole; both white, as on a scan."""
    height, width = pixels.shape[:2]
    damaged, steps = pixels.copy(), np.linspace(0, 1, 24)
    edge = np.stack([width * (0.62 + 0.38 * steps), height * 0.34 * steps], axis=-1) + random.normal(0, 3, (24, 2))
    corner = np.concatenate([edge, [[width + 9, height * 0.34], [width + 9, -9], [width * 0.62, -9]]])
    cv2.fillPoly(damaged, [corner.astype(np.int32)], (255, 255, 255))
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    radius = 0.055 * width * (1 + 0.12 * np.sin(2 * turn) + 0.08 * np.sin(5 * turn) + random.normal(0, 0.04, turn.size))
    hole = np.stack([0.2 * width + radius * np.cos(turn), 0.7 * height + radius * np.sin(turn)], axis=-1)
    cv2.fillPoly(damaged, [hole.astype(np.int32)], (255, 255, 255))
    return damaged


def blurry(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Out of focus: a Gaussian of two pixels, and the little noise of a camera."""
    soft = cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), 2.0, borderType=cv2.BORDER_REFLECT)
    return _whole(soft + random.normal(0, 1.5, soft.shape))


def small(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """A thumbnail."""
    height, width = pixels.shape[:2]
    return cv2.resize(pixels, (176 * width // height, 176), interpolation=cv2.INTER_AREA)


def grainy(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Taken in the dark."""
    return _whole(pixels + random.normal(0, 18, pixels.shape))


def blocky(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Sent by a messenger, which saves it anew."""
    return pixels


def grey(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Black and white."""
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)


def faded(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Bleached by the sun."""
    return _whole(118 + 0.34 * pixels.astype(np.float32))


EXAMPLE: dict[str, tuple[str, Callable[[Pixels, np.random.Generator], Pixels]]] = {
    "scratched": ("chelsea", scratched),
    "missing": ("astronaut", missing),
    "blurry": ("coffee", blurry),
    "small": ("chelsea", small),
    "grainy": ("rocket", grainy),
    "blocky": ("coffee", blocky),
    "grey": ("astronaut", grey),
    "faded": ("coffee", faded),
}
"""By the kind of damage, as `inverse.diagnosis` calls it: the photo, and what happens to it."""
SAVED = {
    "blocky": ("jpg", {"quality": 12, "subsampling": "4:2:0"}),
    "missing": ("png", {"optimize": True}),  # what is missing is of one colour exactly
}
"""How each is saved, by kind."""
SEED = 11
"""By which no scratch happens to lie where it is not found, on something as bright."""
GOOD = ("jpg", {"quality": 93, "subsampling": "4:4:4"})
"""How all others are."""


def _whole(pixels: Pixels) -> Pixels:
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def main() -> None:
    folder = EXAMPLES / "damaged"
    folder.mkdir(exist_ok=True)
    for seed, (kind, (name, damage)) in enumerate(EXAMPLE.items()):
        with Image.open(EXAMPLES / f"{name}.jpg") as photo:
            scale = SHORTER / min(photo.size)
            size = (round(scale * photo.width), round(scale * photo.height))
            good = np.asarray(photo.convert("RGB").resize(size, Image.Resampling.LANCZOS))
        damaged = Image.fromarray(damage(good, np.random.default_rng(SEED + seed)))
        ending, saved = SAVED.get(kind, GOOD)
        damaged.save(folder / f"{kind}.{ending}", **saved)


if __name__ == "__main__":
    main()
