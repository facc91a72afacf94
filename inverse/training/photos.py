"""A folder of photographs in memory: decoded once, weighted by name, some kept out for validation."""

from __future__ import annotations

import fnmatch
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from inverse.errors import ImageError, ProblemError
from inverse.imaging import images

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif")
SMALLEST_SIDE = 64
"""In fitting photographs into memory, none is shrunk below this shorter side."""

Weights = Sequence[tuple[str, float]]
"""Pairs of a pattern of file names and a weight; the first pattern that matches decides, otherwise 1."""


@dataclass(frozen=True)
class Photos:
    """Decoded photographs.

    Attributes:
        names: paths relative to the folder, with forward slashes.
        pixels: one (H, W, 3) uint8 array a photograph.
        weights: how often each is drawn, relative to the others.
    """

    names: tuple[str, ...]
    pixels: tuple[np.ndarray, ...]
    weights: tuple[float, ...]


@dataclass(frozen=True)
class Rejected:
    """A file that was left out.

    Attributes:
        name: its path relative to the folder.
        reason: a sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Collection:
    """What became of a folder.

    Attributes:
        training, validation: the photographs; no file is in both.
        rejected: pictures that could not be used.
    """

    training: Photos
    validation: Photos
    rejected: tuple[Rejected, ...]


def read_weights(path: Path) -> Weights:
    """Reads lines of `pattern<TAB>weight`, such as `flowers/*<TAB>0.5`; empty lines and lines with # are skipped.

    Raises:
        ProblemError: the file is missing or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise ProblemError(f"The weights {path.name} cannot be read. Give a text file.") from None
    weights = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        pattern, _, text = line.rstrip().rpartition("\t")
        try:
            weight = float(text)
        except ValueError:
            weight = math.nan
        if not pattern or not 0 <= weight < math.inf:
            raise ProblemError(
                f"Line {number} of {path.name} is not a weight. Write a pattern of file names, a tab, "
                "and a number that is not negative."
            )
        weights.append((pattern.strip(), weight))
    return weights


def load_photos(
    folder: Path, *, smallest: int, memory: float, held_out: float = 0.05, weights: Weights = ()
) -> Collection:
    """Decodes every picture of a folder and its subfolders.

    Photographs are kept in their own size; if they do not fit into the memory, all those above a common limit of the
    shorter side are shrunk to it. Which ones are kept out depends on their names only, so that the same photograph
    stays on the same side when others join the folder.

    Args:
        folder: where to look.
        smallest: photographs with a shorter side below this are rejected.
        memory: how much may be filled with pixels, in gigabytes.
        held_out: share that is kept out for validation.
        weights: of the photographs; a weight of 0 leaves them out.

    Raises:
        ProblemError: there are not at least two usable photographs, or they do not fit.
    """
    if not folder.is_dir():
        raise ProblemError(f"{folder} is not a folder. Give a folder of photographs.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    chosen = {name: (path, _weight(name, weights)) for name, path in zip(names, paths, strict=True)}
    chosen = {name: pair for name, pair in chosen.items() if pair[1] > 0}
    limit = _side_limit([_size(path) for path, _ in chosen.values()], memory, max(smallest, SMALLEST_SIDE))

    kept: dict[str, np.ndarray] = {}
    rejected = []
    for name, (path, _) in chosen.items():
        try:
            kept[name] = _decode(path, smallest, limit)
        except ImageError as error:
            rejected.append(Rejected(name, str(error)))
    if len(kept) < 2:
        first = f" The first of {len(rejected)} that were rejected: {rejected[0].reason}" if rejected else ""
        raise ProblemError(f"Training needs at least 2 photographs, and {folder} has {len(kept)} usable ones.{first}")
    order = sorted(kept, key=rank)
    count = min(max(1, sum(rank(name) < held_out for name in order)), len(order) - 1)

    def select(names: list[str]) -> Photos:
        return Photos(tuple(names), tuple(kept[n] for n in names), tuple(chosen[n][1] for n in names))

    return Collection(select(sorted(order[count:])), select(sorted(order[:count])), tuple(rejected))


def _weight(name: str, weights: Weights) -> float:
    return next((weight for pattern, weight in weights if fnmatch.fnmatchcase(name, pattern)), 1.0)


def rank(name: str) -> float:
    """A number in [0, 1) that depends on the name only."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest()) / 2**48


def _size(path: Path) -> tuple[int, int]:
    """Width and height from the header; (0, 0) for what is not a picture, which decoding then explains."""
    try:
        with Image.open(path, formats=images.FORMATS) as image:
            return image.size if image.width * image.height <= images.MAX_PIXELS else (0, 0)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return 0, 0


def _side_limit(sizes: list[tuple[int, int]], memory: float, smallest: int) -> int:
    """The largest shorter side with which all fit."""
    if not sizes:
        return smallest
    size = np.array(sizes, dtype=np.float64)
    shorter, area = size.min(axis=1), size.prod(axis=1)

    def gigabytes(limit: int) -> float:
        return float((3 * area * np.minimum(1.0, limit / np.maximum(shorter, 1.0)) ** 2).sum() / 1e9)

    limit = int(max(shorter.max(), smallest))
    while gigabytes(limit) > memory:
        if limit == smallest:
            raise ProblemError(
                f"{len(sizes)} photographs of {smallest} pixels take {gigabytes(limit):.1f} GB, over the limit of "
                f"{memory:g} GB. Allow more memory, or give fewer photographs."
            )
        limit = max(smallest, int(limit * 0.95))
    return limit


def _decode(path: Path, smallest: int, limit: int) -> np.ndarray:
    image = images.load(path)
    if min(image.size) < smallest:
        raise ImageError(f"It is {image.width}x{image.height}, smaller than {smallest} pixels. Train on smaller crops.")
    return np.array(images.fit(image, limit) if min(image.size) > limit else image)
