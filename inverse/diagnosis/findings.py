"""What is wrong with a photo, in plain words, and the settings that these words mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageChops

from inverse.diagnosis.holes import find_holes, opacity
from inverse.diagnosis.jpeg_file import JpegFile, jpeg_file
from inverse.diagnosis.scratches import find_scratches
from inverse.diagnosis.sharpness import blur_std
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.operators import Task, make_task, noise
from inverse.settings import DEGRADED, Settings

TITLES = {
    "missing": "Parts are missing",
    "scratched": "Scratched",
    "blurry": "Blurry",
    "small": "Too small",
    "grainy": "Grainy",
    "blocky": "Blocky (JPEG)",
    "grey": "Black and white",
    "faded": "Faded",
}
"""All that may be found, or said, in the order in which it is offered."""
HAPPENED = ("grey", "blurry", "small", "blocky", "missing", "scratched")
"""Those that a task undoes, in the order in which they happen to a photo; grain is the noise beside any task."""
EXPECTED = {
    "missing": "What fills the holes is invented to fit their surroundings. Small holes vanish; a missing face is not "
    "brought back.",
    "scratched": "Thin scratches usually vanish, and where nothing else is repaired, all other pixels stay as they "
    "are. Look at the mask before you restore: edges and wires are thin lines too.",
    "blurry": "A light blur sharpens well. Of a strong one outlines come back and fine detail does not; where parts of "
    "the photo are blurred differently, some of them suffer.",
    "small": "Edges and plain textures become crisp. Letters and faces of a few pixels become plausible, and not true.",
    "grainy": "Grain goes; the finest texture goes with it.",
    "blocky": "Blocks and halos go. Detail that the JPEG dropped is guessed, and colours can shift a little.",
    "grey": "Colours are guesses of what is likely, often pale. They say nothing about what the colours were.",
    "faded": "Nothing here undoes that: no detail is lost, and stretching the levels in any photo program brings the "
    "contrast back.",
}
"""What may be expected of a restoration, by kind."""
NOT_BY_ITSELF = ("grey", "faded")
"""What is found, and yet is no reason to change anything unless somebody says so."""

SMALL = 320
"""Shorter side in pixels below which a photo is small."""
GRAINY = 0.035
"""sigma_y from which grain is seen, 4.5 of 255 levels."""
BLURRY = 1.2
"""Std in pixels from which a photo is blurry; the sharpest have 0.5 to 0.9."""
BLOCKY = 60
"""JPEG quality up to which blocks are seen."""
PART = 512
"""Side in pixels of the parts of a large photo by which its noise is told."""
FLAT = 128
"""Levels between the darkest and the brightest hundredth, below which a photo is faded."""
SCRATCHES = (0.0005, 0.12)
"""Shares of the photo between which what was found may be scratches."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: a key of `TITLES`.
        words: what was found, a sentence.
        damage: the task that undoes it, as far as the photo tells its parameters; None where none does.
    """

    kind: str
    words: str
    damage: Task | None = None

    @property
    def title(self) -> str:
        return TITLES[self.kind]

    @property
    def expectation(self) -> str:
        """What may be expected of a restoration."""
        return EXPECTED[self.kind]


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        size: (W, H) of the photo, upright.
        sigma_y: standard deviation of its noise, on [-1, 1], at least 0.01.
        blur: std in pixels of a Gaussian that blurs as much; None where no edges tell.
        jpeg: how its file was saved; None where that is no JPEG.
        findings: by `TITLES`' order.
        masks: what is missing, and what may be scratched, mode L, 255 there, by kind.
    """

    size: tuple[int, int]
    sigma_y: float
    blur: float | None
    jpeg: JpegFile | None
    findings: tuple[Finding, ...]
    masks: Mapping[str, Image.Image] = field(default_factory=dict)

    @property
    def mask(self) -> Image.Image | None:
        """What may be missing or scratched, as one mask; None where nothing is."""
        return self._mask(self.masks)

    def _mask(self, kinds: Collection[str]) -> Image.Image | None:
        found = [self.masks[kind] for kind in kinds if kind in self.masks]
        return reduce(ImageChops.lighter, found) if found else None

    @property
    def kinds(self) -> list[str]:
        return [each.kind for each in self.findings]

    @property
    def suggested(self) -> list[str]:
        """Kinds that were found and that are worth a restoration by themselves."""
        whole = [kind for kind in self.kinds if kind not in NOT_BY_ITSELF]
        # A photo that is repaired where it is damaged keeps all other pixels, and enlarged it would not.
        return [kind for kind in whole if kind != "small" or not {"missing", "scratched"} & set(whole)]

    def settings(self, kinds: Collection[str] | None = None) -> Settings:
        """Settings that restore what is said to be wrong: those suggested when None. Nothing wrong is light denoising.

        Kinds that were not found have the parameters that are usual.

        Raises:
            ParameterError: a kind is unknown.
        """
        wrong = self.suggested if kinds is None else kinds
        for kind in wrong:
            if kind not in TITLES:
                raise ParameterError(
                    f"{kind!r} is nothing that is known to be wrong with photos. Use {_named(TITLES)}."
                )
        chain: list[Task] = []
        for kind in HAPPENED:
            if kind in wrong and not (kind == "scratched" and "missing" in wrong):
                own = next((each.damage for each in self.findings if each.kind == kind), None)
                chain.append(own or usual(kind))
        first, *then = chain or [make_task("denoise")]
        made = Settings.create(mode=DEGRADED, task=first, then=then, sigma_y=round(self.sigma_y, 3))
        return made.with_auxiliary(self._mask(wrong))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, without the mask."""
        return {
            "width": self.size[0],
            "height": self.size[1],
            "sigma_y": round(self.sigma_y, 4),
            "blur": None if self.blur is None else round(self.blur, 2),
            "jpeg": self.jpeg
            and {
                "quality": self.jpeg.quality,
                "exact": self.jpeg.exact,
                "subsampling": self.jpeg.subsampling,
                "tables": [table.tolist() for table in self.jpeg.tables],
            },
            "findings": [
                {"kind": each.kind, "title": each.title, "words": each.words, "expectation": each.expectation}
                for each in self.findings
            ],
            "suggested": self.suggested,
        }


def usual(kind: str) -> Task:
    """The task that undoes what is said to be wrong, where the photo does not tell how much."""
    names = {
        "grey": "colorize", "blurry": "deblur-gaussian", "small": "super-resolution", "blocky": "jpeg",
        "missing": "inpaint-mask", "scratched": "inpaint-mask",
    }  # fmt: skip
    return make_task(names[kind], {"quality": 30} if kind == "blocky" else {"factor": 2} if kind == "small" else {})


def diagnose(photo: images.Photo, max_side: int | None = None) -> Diagnosis:
    """What is wrong with a photo, as its file and its pixels tell: a suggestion, and nothing is changed.

    Args:
        photo: as `images.load` takes it. Of a file more is known than of a decoded picture.
        max_side: look at it shrunk to this longer side, as whoever restores it at that size.

    Raises:
        ImageError: it cannot be read.
    """
    if hasattr(photo, "read"):
        photo = photo.read()  # pyright: ignore[reportAttributeAccessIssue]
    picture, file = images.load(photo, max_side), jpeg_file(photo)
    whole = max_side is None or max(picture.size) < max_side
    alpha = opacity(photo) if file is None else None
    holes = find_holes(picture, None if alpha is None else alpha.resize(picture.size))
    sigma_y = _noise(picture, holes)
    luma = np.asarray(picture.convert("L"))
    blur = blur_std(luma, 127.5 * sigma_y if sigma_y > noise.LEAST else 0.0)
    scratches = np.asarray(find_scratches(picture, clear=True)) > 0
    scratched = SCRATCHES[0] < float(scratches.mean()) < SCRATCHES[1]
    findings = [
        _missing(holes),
        Finding("scratched", "There are thin lines across it, as scratches are.", make_task("inpaint-mask"))
        if scratched else None,
        _blurry(blur),
        _small(picture.size),
        _grainy(sigma_y),
        _blocky(file) if whole else None,
        _grey(np.asarray(picture)),
        _faded(luma[~holes]),
    ]  # fmt: skip
    found = {"missing": holes, "scratched": scratches if scratched else np.zeros_like(scratches)}
    masks = {kind: Image.fromarray(each.astype(np.uint8) * 255) for kind, each in found.items() if each.any()}
    return Diagnosis(picture.size, sigma_y, blur, file, tuple(filter(None, findings)), masks)


def _noise(picture: Image.Image, holes: np.ndarray) -> float:
    """sigma_y, of a large photo that of four parts."""
    width, height = picture.size
    if width * height <= 4 * PART**2:
        corners = [(0, 0, width, height)]
    else:
        side = min(PART, width // 2, height // 2) // 8 * 8
        corners = [
            (x, y, x + side, y + side)
            for x in (width // 4 - side // 2, 3 * width // 4 - side // 2)
            for y in (height // 4 - side // 2, 3 * height // 4 - side // 2)
        ]
    parts = [
        images.to_tensor(picture.crop(box)).masked_fill(
            torch.from_numpy(holes[box[1] : box[3], box[0] : box[2]]), float("nan")
        )
        for box in corners
    ]
    return noise.estimate(torch.cat(parts, dim=-1))


def _missing(holes: np.ndarray) -> Finding | None:
    share = float(holes.mean())
    if not 0 < share < 0.95:
        return None
    return Finding("missing", f"{share:.1%} of it is erased, or cut out.", make_task("inpaint-mask"))


def _blurry(std: float | None) -> Finding | None:
    if std is None or std < BLURRY:
        return None
    task = make_task("deblur-gaussian", {"std": round(min(std, 20.0), 1)})
    return Finding("blurry", f"Its sharpest edges are soft, as after a blur of about {std:.1f} pixels.", task)


def _small(size: tuple[int, int]) -> Finding | None:
    if min(size) >= SMALL:
        return None
    task = make_task("super-resolution", {"factor": 4 if min(size) <= SMALL / 2 else 2})
    return Finding("small", f"It has {size[0]} × {size[1]} pixels.", task)


def _grainy(sigma_y: float) -> Finding | None:
    if sigma_y < GRAINY:
        return None
    return Finding("grainy", f"Its pixels vary at random by about {127.5 * sigma_y:.0f} of 255 levels.")


def _blocky(file: JpegFile | None) -> Finding | None:
    if file is None or file.quality > BLOCKY:
        return None
    halved = "4:4:4" if file.subsampling == "4:4:4" else "4:2:0"
    task = make_task("jpeg", {"quality": max(file.quality, 2), "subsampling": halved})
    about = "" if file.exact else "about "
    return Finding("blocky", f"It was saved as a JPEG of quality {about}{file.quality} of 100, as its file says.", task)


def _grey(pixels: np.ndarray) -> Finding | None:
    step = max(1, round((pixels.shape[0] * pixels.shape[1] / 250_000) ** 0.5))
    sample = pixels[::step, ::step]
    spread = sample.max(-1).astype(int) - sample.min(-1)
    if np.percentile(spread, 99) > 6:
        return None
    return Finding("grey", "It has no colours.", make_task("colorize", {"weights": "luma"}))


def _faded(luma: np.ndarray) -> Finding | None:
    if not luma.size:
        return None
    low, high = np.percentile(luma, (1, 99))
    if high - low >= FLAT or high - low < 8:
        return None
    return Finding("faded", f"Its brightness goes from {low:.0f} to {high:.0f} only, of 0 to 255.")


def _named(kinds: Collection[str]) -> str:
    return ", ".join(kinds)
