"""A task: what was done to the photo, as a small validated group of parameters that builds an operator."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from PIL import Image
from torch import Tensor

from inverse.errors import ProblemError
from inverse.imaging import images
from inverse.operators.base import Operator, Shape
from inverse.parameters import Integer, Parameters, Real, Registry, named


@dataclass(frozen=True)
class Task(Parameters):
    """Base of every task. A new one is a subclass with fields, decorated with `TASKS.register`.

    Attributes:
        name, title, summary, group: as in `Parameters`.
        auxiliary: kind of picture that has to come with the photo ("mask", "kernel", "strokes"), or empty.
        learnable: what it measures can be drawn from photographs, for a conditional estimator to learn.
        alone: no other damage comes before or after it, and it is not done by parts of a photo at full size.
        linear: its operators are linear; some solvers need that.
        lengths: parameters that are lengths on the photo, in pixels.
    """

    auxiliary: ClassVar[str] = ""
    alone: ClassVar[bool] = False
    linear: ClassVar[bool] = True
    learnable: ClassVar[bool] = True
    lengths: ClassVar[tuple[str, ...]] = ()

    @property
    def estimable(self) -> bool:
        """Whether a conditional estimator can have learned it."""
        return self.linear and self.learnable

    def keeps_known(self, sigma_y: float, degraded: bool) -> bool:
        """Whether a result takes known pixels over from the measurement exactly, by `Selection.keep`.

        That may depend on its noise, and on whether the photo was degraded already, and not here.
        """
        return False

    @abstractmethod
    def operator(self, image_shape: Shape, generator: torch.Generator, auxiliary: Tensor | None) -> Operator:
        """The operator for images of shape (C, H, W).

        Args:
            image_shape: (C, H, W) with H and W multiples of `multiple`.
            generator: source of whatever the operator draws at random.
            auxiliary: the picture that `auxiliary` names, as `prepare` gives it.

        Raises:
            ProblemError: the operator cannot be built for this image.
        """

    def load(self, picture: images.Photo, max_side: int | None = None) -> Image.Image:
        """The picture that `auxiliary` names, shrunk to a longer side if asked to.

        It is loaded from what `images.load` takes, or is what this function returned.

        Raises:
            ImageError: it cannot be read, or is no such picture.
        """
        return images.load(picture, max_side)

    def enlarged(self, factor: float, picture: Image.Image | None = None) -> tuple[Self, Image.Image | None]:
        """The same damage of a photo that has `factor` times as many pixels a side; and the picture from `load` for it.

        Raises:
            ProblemError: a length, or the picture, is then beyond what can be undone.
        """
        specs = {name: spec for name, spec in self.specs().items() if isinstance(spec, Integer | Real)}
        longer = {name: factor * getattr(self, name) for name in self.lengths}
        for name, value in longer.items():
            if value > (most := specs[name].high):
                raise ProblemError(
                    f"{getattr(self, name):g} pixels are {value:.0f} on a photo that is {factor:.1f} times as large, "
                    f"and at most {most:g} can be undone. Shrink the photo first."
                )
        whole = {name: round(value) for name, value in longer.items() if isinstance(specs[name], Integer)}
        return self.replace(**{**longer, **whole}), picture

    def prepare(self, picture: Image.Image, size: tuple[int, int]) -> Tensor:
        """The picture from `load` as `operator` wants it for images of `size`, (H, W): (h, w), or (4, h, w), on [0, 1].

        Raises:
            ProblemError: it does not fit the image.
        """
        raise NotImplementedError

    @property
    def multiple(self) -> int:
        """The sides of the image must be multiples of this."""
        return 1

    def image_shape(self, measurement_size: tuple[int, int]) -> tuple[int, int]:
        """(H, W) of the image behind an already degraded photo of size (h, w)."""
        return measurement_size

    def measurement_size(self, image_size: tuple[int, int]) -> tuple[int, int]:
        """(h, w) of what is left of an image of size (H, W), whose sides are multiples of `multiple`."""
        return image_size


TASKS: Registry[type[Task]] = Registry("task")


def make_task(task: str | Task, parameters: Mapping[str, Any] | None = None) -> Task:
    """A task by name, with some of its parameters set.

    Raises:
        ParameterError: the name or a parameter is unknown, or a value is out of its range.
    """
    parameters = named(parameters, "task")
    return task.replace(**parameters) if isinstance(task, Task) else TASKS.find(task).create(parameters)
