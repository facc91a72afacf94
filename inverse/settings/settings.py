"""All settings of one restoration, but for the photo: one object that the app, the command line and files share.

    settings, notes = Settings.from_dict(carriers.read(Path("restored.png").read_bytes()))
    problem = settings.problem("photo.jpg")

A setting is declared here, once, and by its declaration it is in the JSON, in PNGs and links, among the flags of the
command line, in the snippets, and in what two runs may differ by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Self

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.operators import Task, make_task, noise
from inverse.operators.chain import Chain, in_order
from inverse.parameters import Flag, Integer, Real
from inverse.results.problem import Problem
from inverse.settings import carriers, prior_use, problems, saved
from inverse.settings.fields import (
    AUXILIARY,
    CLEAN,
    DEGRADED,
    ESTIMATOR_SCALE,
    FULL_SIZE,
    KEEP_METADATA,
    MODE,
    NOISE,
    PRIOR,
    PYRAMID,
    SAMPLES,
    SEED,
    SIZE,
    STRENGTH,
    THEN,
    Setting,
    setting,
)
from inverse.solvers import Solver
from inverse.solvers.presets import default_task, make_solver
from inverse.solvers.qualities import at_quality, quality_of


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One restoration, but for the photo. An instance is always valid.

    Attributes:
        mode: whether the photo is clean or degraded.
        size: shorter side at which the photo is used; None for its own.
        task, solver: with their parameters.
        then: further tasks, what happened to the photo afterwards; see `damage`.
        sigma_y: standard deviation of the noise, on [-1, 1]; None to estimate it in a degraded photo.
        photons: of a white pixel, for a clean photo; None for Gaussian noise only.
        seed: of everything random.
        samples: how many restorations are drawn.
        estimator_scale: weight of the conditional estimator; 0 is 1 for a solver that needs one.
        strength: how much of the restoration is kept.
        pyramid: the prior answers high noise at a coarse scale, where its thresholds were measured; see
            `denoisers.pyramid`.
        full_size: it is done at the photo's own resolution by windows or blocks, see `inverse.fullsize`.
        keep_metadata: what EXIF says but for the place, and the colour profile, go with what is written at full size.
        prior: by what the prior is known for ever, see `denoisers.identity`.
        auxiliary: the picture that the task needs, in base64 of a PNG; empty where there is none.
    """

    mode: str = setting(CLEAN, MODE)
    size: int | None = setting(None, SIZE, none="the photo's own")
    task: Task
    then: tuple[Task, ...] = setting((), THEN)
    sigma_y: float | None = setting(None, noise.SIGMA_Y, none=NOISE, axis=True)
    photons: float | None = setting(None, noise.PHOTONS, none="Gaussian noise only", clean_only=True)
    solver: Solver
    seed: int = setting(0, SEED, axis=True)
    samples: int = setting(1, SAMPLES)
    estimator_scale: float = setting(0.0, ESTIMATOR_SCALE, linear_only=True, axis=True)
    strength: float = setting(1.0, STRENGTH, axis=True)
    pyramid: bool = setting(True, PYRAMID, axis=True)
    full_size: bool = setting(False, FULL_SIZE)
    keep_metadata: bool = setting(False, KEEP_METADATA)
    prior: str = setting(EMBEDDED, PRIOR, axis=True)
    auxiliary: str = setting("", AUXILIARY)

    def __post_init__(self) -> None:
        for name, known in self.specs().items():
            value = known.check(name, getattr(self, name))
            if known.clean_only and value is not None and self.mode != CLEAN:
                raise ParameterError(
                    f"{name} is for a clean photo, which is degraded here. Leave it out, or give sigma_y."
                )
            object.__setattr__(self, name, value)
        problems.check(self)
        if self.sigma_y is None and self.mode == CLEAN:
            object.__setattr__(self, "sigma_y", noise.DEFAULT_SIGMA_Y)

    @classmethod
    def specs(cls) -> dict[str, Setting]:
        """What is known of every setting besides task and solver, in the order in which they are written."""
        return {each.name: each.metadata["setting"] for each in fields(cls) if "setting" in each.metadata}

    @classmethod
    def numbers(cls) -> dict[str, Setting]:
        """Those that are numbers, which have a flag and a control each."""
        return {name: known for name, known in cls.specs().items() if isinstance(known.spec, Integer | Real)}

    @classmethod
    def flags(cls) -> dict[str, Setting]:
        """Those that are switches, which have a flag without a value."""
        return {name: known for name, known in cls.specs().items() if isinstance(known.spec, Flag)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """What every setting besides task and solver is by itself."""
        return {each.name: each.default for each in fields(cls) if "setting" in each.metadata}

    @classmethod
    def create(
        cls,
        *,
        mode: str = CLEAN,
        task: str | Task | None = None,
        task_parameters: Mapping[str, Any] | None = None,
        solver: str | Solver | None = None,
        solver_parameters: Mapping[str, Any] | None = None,
        quality: str | None = None,
        kind: str | None = None,
        estimator: bool | None = None,
        **values: Any,
    ) -> Self:
        """Settings with names for task and solver, of which the default is taken where there is none.

        Args:
            mode: see `MODE`.
            task, solver: names, or instances.
            task_parameters, solver_parameters: what differs from the defaults and the preset.
            quality: in the place of a solver, one of `qualities.QUALITIES`; what it means for the task is chosen.
            kind: of the prior, for which the preset is; None where its name tells it, see `kind_of`.
            estimator: whether the prior has a conditional estimator, for the default; None where its name tells it.
            values: of other settings; a name that is none is a TypeError.

        Raises:
            ParameterError: with a sentence that names the field and its range.
        """
        degraded = MODE.check("mode", mode) == DEGRADED
        then = THEN.check("then", values.pop("then", ()))
        if isinstance(task, Chain):
            (task, *more) = task.links
            then = (*more, *then)
        made = make_task(default_task(degraded) if task is None else task, task_parameters)
        prior = str(values.get("prior", EMBEDDED))
        kind = kind_of(prior) if kind is None else kind
        estimator = prior == EMBEDDED if estimator is None else estimator
        if quality is not None:
            if solver is not None:
                raise ParameterError("A quality chooses the solver. Leave one of the two out.")
            solver = at_quality(quality, in_order(made, then), kind, estimator)
        solver = make_solver(solver, in_order(made, then), solver_parameters, kind, estimator)
        return cls(mode=mode, task=made, then=then, solver=solver, **values)

    @property
    def quality(self) -> str:
        """The name of the quality that these are, see `qualities`; empty where they are none."""
        return quality_of(self.solver, self.damage, kind_of(self.prior), self.prior == EMBEDDED)

    @property
    def damage(self) -> Task:
        """All that happened to the photo: the task, or the chain that begins with it.

        Raises:
            ParameterError: these tasks cannot follow each other.
        """
        return in_order(self.task, self.then)

    @property
    def degraded(self) -> bool:
        """The photo is degraded already."""
        return self.mode == DEGRADED

    # As plain data, files and links

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version that wrote it."""
        return saved.written({each.name: getattr(self, each.name) for each in fields(self)})

    def to_json(self, indent: int | None = None, **also: Any) -> str:
        """`to_dict` as text; `also` are keys to add, of those that are known."""
        return json.dumps({**self.to_dict(), **also}, ensure_ascii=False, allow_nan=False, indent=indent)

    @classmethod
    def from_dict(cls, data: Any, kind: str | None = None) -> tuple[Self, list[str]]:
        """Settings of plain data, and sentences on what in it could not be honoured; `kind` as in `create`.

        What is missing takes its default, or the preset's value. None says something of size, sigma_y and photons
        only; elsewhere it is refused like any value of the wrong type. Before schema 2 all tasks had the same default
        solver, and then it is that.

        Raises:
            ParameterError: this is no set of settings, its schema is newer, or a value is not allowed.
        """
        values, notes = saved.understood(data, cls.specs())
        return cls.create(kind=kind, **values), notes

    @property
    def png_text(self) -> PngInfo:
        """For `Image.save(..., pnginfo=)`: the settings, and nothing else."""
        return carriers.png_text(self.to_json())

    @property
    def link(self) -> str:
        """The value of `?c=`, without the auxiliary picture, which is too long for an address."""
        return carriers.pack(replace(self, auxiliary="").to_json())

    # For use

    def problem(self, photo: images.Photo, auxiliary: images.Photo | None = None) -> Problem:
        """What is to be solved.

        Args:
            photo: a clean one is cropped at its center to sides that the task can deal with; of a degraded one the
                pixels are y.
            auxiliary: a mask, a kernel or strokes for the tasks that need one; it wins over the one in the settings.

        Raises:
            ImageError: a picture cannot be read.
            ParameterError: the picture in the settings is damaged.
            ProblemError: photo, picture and task do not fit.
        """
        return problems.problem(self, photo, auxiliary)

    def measured_in(self, picture: Tensor, auxiliary: Tensor | None = None) -> Problem:
        """The problem that a degraded picture, (1, 3, h, w) on [-1, 1], is; auxiliary as `Task.prepare` gives it."""
        return problems.measured_in(self, picture, auxiliary)

    def measurement_of(self, truth: Tensor, auxiliary: Tensor | None = None) -> Problem:
        """The problem of clean images (B, C, H, W) on [-1, 1], all measured by one operator; auxiliary as above."""
        return problems.measurement_of(self, truth, auxiliary)

    @property
    def guides(self) -> bool:
        """Whether the conditional estimator is asked, which only the embedded prior brings along."""
        return prior_use.weight(self) != 0

    def guided(self, prior: Denoiser, file: Path | None = None) -> Denoiser:
        """The prior as these settings use it: with a conditional estimator, and with its pyramid.

        Args:
            prior: the prior.
            file: an estimator of one's own; the one that ships with the program when None.

        Raises:
            PriorError, ProblemError: as `estimators.catalog.guided`.
        """
        return prior_use.used(self, prior, file)

    @property
    def passes(self) -> float:
        """What a run of one sample costs, in forward passes of the prior's network at full size."""
        return prior_use.passes(self)

    @property
    def auxiliary_picture(self) -> Image.Image | None:
        """The picture in the settings; as `Task.load` gives it.

        Raises:
            ImageError, ParameterError: it is damaged.
        """
        return carriers.picture_of(self.auxiliary, self.damage.load) if self.auxiliary else None

    def with_auxiliary(self, picture: Image.Image | None) -> Self:
        """The same settings with the picture that the task needs inside, unless it is none or too large to carry."""
        carried = "" if picture is None or not self.damage.auxiliary else carriers.text_of(picture)
        return replace(self, auxiliary=carried)

    def settled(self, photo: Image.Image, problem: Problem) -> Self:
        """The same settings with what was left open filled in: the photo's own size, and the estimated noise."""
        size, sigma_y = self.size, self.sigma_y
        if size is None and not self.degraded and SIZE.low <= min(photo.size) <= SIZE.high:
            size = min(photo.size)
        return replace(self, size=size, sigma_y=problem.sigma_y if sigma_y is None else sigma_y)
