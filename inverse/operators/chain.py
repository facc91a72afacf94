"""Several damages, one after another, as one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ParameterError, ProblemError
from inverse.imaging import images
from inverse.operators.base import Operator, Shape, is_linear
from inverse.operators.chained import chained
from inverse.operators.task import Task, make_task
from inverse.parameters import Spec, shown

LONGEST = 4
"""Damages in a chain, at most."""
COMMONEST = "jpeg"
"""What happens to most photos in the end."""
ALONE = ("keep_known",)
"""Parameters that mean something for a task alone: other damages leave no pixel as it was."""
WEIGHTIEST = ("Colours and tones", "Raw measurements", "Low resolution", "Blur", "Missing pixels")
"""Groups of linear tasks, by how much they decide which solver and which preset suit a chain."""


@dataclass(frozen=True)
class Chain(Task):
    """What the first task does, then what the next one does to that, and so on.

    It is no task of the menu. Noise comes where a sensor adds it: after all that is linear, and before the first that
    rounds or clips. The picture that a task may need is for the one that needs it, at the size that it meets.

    Attributes:
        links: the tasks, at least two, in the order in which they happened.
        name: that of the task that weighs most, whose solver and presets serve: of what is not linear the last one,
            otherwise by `WEIGHTIEST`. Nobody has tuned them for chains.
        title, summary, auxiliary, linear: of the whole.
    """

    learnable = False  # estimators have learned single damages

    links: tuple[Task, ...] = ()

    def __post_init__(self) -> None:
        if not 2 <= len(self.links) <= LONGEST:
            raise ParameterError(
                f"A chain has 2 to {LONGEST} damages, and this one has {len(self.links)}. Leave some of them out."
            )
        for link in self.links:
            if link.alone:
                raise ParameterError(
                    f"{link.name} goes with no other damage. Leave the others out, or restore the photo in two steps."
                )
        needy = [link for link in self.links if link.auxiliary]
        if len(needy) > 1:
            raise ParameterError(
                f"Of these damages, {' and '.join(link.name for link in needy)} need a picture each, and there is one "
                "for all of them. Leave one out."
            )
        for link in self.links:
            if link.to_dict().get("keep_known") == "always":
                raise ParameterError(
                    f"keep_known = always is for {link.name} alone: other damages leave no pixel as it was. "
                    "Leave it out, or the other damages."
                )
        linear = all(link.linear for link in self.links)
        own = {
            "name": _weightiest(self.links).name,
            "title": ", then ".join([self.links[0].title, *(_after(link.title) for link in self.links[1:])]),
            "summary": " Then: ".join(link.summary for link in self.links),
            "auxiliary": needy[0].auxiliary if needy else "",
            "linear": linear,
        }
        for name, value in own.items():
            object.__setattr__(self, name, value)

    @classmethod
    def specs(cls) -> dict[str, Spec]:
        return {}

    def load(self, picture: images.Photo, max_side: int | None = None) -> Image.Image:
        return self._needy.load(picture, max_side)

    def prepare(self, picture: Image.Image, size: tuple[int, int]) -> Tensor:
        for link in self.links:
            if link is self._needy:
                break
            size = link.measurement_size(size)
        return self._needy.prepare(picture, size)

    @property
    def has_svd(self) -> bool:
        """Whether the decomposition of the whole is known, as a small picture shows."""
        return _has_svd(self)

    @property
    def _needy(self) -> Task:
        return next((link for link in self.links if link.auxiliary), self.links[0])

    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Operator:
        made: list[Operator] = []
        shape = tuple(image_shape)
        for before, link in zip((None, *self.links), self.links, strict=False):
            if before is not None and not made[-1].measures_pictures:
                raise ProblemError(
                    f"What {before.name} measures is no picture, so {link.name} cannot follow it. Put it last."
                )
            made.append(link.operator(shape, generator, auxiliary if link is self._needy else None))
            shape = tuple(made[-1].measurement_shape)
        return reduce(chained, made)

    @property
    def multiple(self) -> int:
        product = 1
        for link in self.links:
            product *= link.multiple
        return product

    def image_shape(self, measurement_size: tuple[int, int]) -> tuple[int, int]:
        return reduce(lambda size, link: link.image_shape(size), reversed(self.links), measurement_size)

    def measurement_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        return reduce(lambda size, link: link.measurement_size(size), self.links, image_size)


def in_order(task: Task, then: Sequence[Task]) -> Task:
    """The task, or the chain that begins with it."""
    return Chain((task, *then)) if then else task


def link(value: Any) -> Task:
    """A further damage: a task, its name, or what JSON has of it, {"name": ..., "parameters": {...}}.

    Raises:
        ParameterError: it is none of these, or unknown.
    """
    if isinstance(value, Chain) or not isinstance(value, Task | str | Mapping):
        raise ParameterError(f"{shown(value)} is no damage. Give the name of a task, or its name and its parameters.")
    if not isinstance(value, Mapping):
        return make_task(value)
    if not set(value) <= {"name", "parameters"} or "name" not in value:
        raise ParameterError(f"A damage has a name and parameters, and {shown(dict(value))} has others. Write those.")
    return make_task(value["name"], value.get("parameters"))


@lru_cache(maxsize=256)
def _has_svd(chain: Chain) -> bool:
    side = -(-16 // chain.multiple) * chain.multiple
    auxiliary = None
    if chain.auxiliary:
        auxiliary = Image.new("L", (side, side) if chain.auxiliary == "mask" else (3, 3))
        auxiliary.paste("white", (0, 0, 2, 2))
        auxiliary = chain.prepare(auxiliary, (side, side))
    try:
        operator = chain.operator((3, side, side), torch.Generator().manual_seed(0), auxiliary)
    except ProblemError:  # it will be said where it is used
        return False
    return is_linear(operator) and operator.has_svd


def _weightiest(links: Sequence[Task]) -> Task:
    hard = [link for link in links if not link.linear]
    rank = {group: place for place, group in enumerate(WEIGHTIEST)}
    return hard[-1] if hard else min(links, key=lambda link: rank.get(link.group, len(rank)))


def _after(title: str) -> str:
    """A title within a sentence; JPEG stays as it is."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
