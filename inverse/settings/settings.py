"""All settings of one restoration, but for the photo: one object that the app, the command line and files share.

    settings, notes = Settings.from_dict(carriers.read(Path("restored.png").read_bytes()))
    problem = settings.problem("photo.jpg")

A restored PNG carries them as text under the key `inverse`: JSON with a schema version. Nothing else is written there.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from PIL import Image
from PIL.PngImagePlugin import PngInfo

import inverse
from inverse.denoisers.catalog import kind_of
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.operators import TASKS, Task, noise
from inverse.parameters import shown
from inverse.restoration import SAMPLES, SEED, SIZE, degrade, make_solver, make_task, measured
from inverse.results.problem import Problem
from inverse.settings import carriers
from inverse.settings.carriers import MAX_BYTES
from inverse.solvers import SOLVERS, Solver
from inverse.solvers.defaults import GENERAL, default_solver
from inverse.solvers.presets import default_task
from inverse.text import visible

SCHEMA = 2
OLDER = {"stop_at_noise": False, "start": "pseudo-inverse"}
"""What solvers did before schema 2, when there was no parameter for it: an old picture comes out as it was."""

CLEAN, DEGRADED = "clean", "degraded"

KNOWN = (
    "inverse", "schema", "mode", "size", "task", "sigma_y", "photons", "solver", "seed", "samples", "prior",
    "auxiliary", "stopped_at", "sample",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """One restoration, but for the photo.

    Attributes:
        degraded: the photo is already degraded.
        size: shorter side at which the photo is used; None for its own.
        task, solver: with their parameters.
        sigma_y: standard deviation of the noise, on [-1, 1]; None to estimate it in a degraded photo.
        seed: of everything random.
        photons: of a white pixel, for a clean photo; None for Gaussian noise only.
        samples: how many restorations are drawn.
        prior: name of the prior, without its folder.
        auxiliary: the picture that the task needs, in base64 of a PNG; empty where there is none.
    """

    degraded: bool
    size: int | None
    task: Task
    sigma_y: float | None
    solver: Solver
    seed: int
    photons: float | None = None
    samples: int = 1
    prior: str = "embedded"
    auxiliary: str = ""

    @classmethod
    def create(
        cls,
        *,
        mode: str = CLEAN,
        size: Any = None,
        task: str | None = None,
        task_parameters: Mapping[str, Any] | None = None,
        sigma_y: Any = None,
        solver: str | None = None,
        solver_parameters: Mapping[str, Any] | None = None,
        seed: Any = 0,
        photons: Any = None,
        samples: Any = 1,
        prior: str = "embedded",
        auxiliary: str = "",
    ) -> Self:
        """Checks every value; `solver_parameters` are what differs from the preset.

        Without a task or a solver, the default is taken.

        Raises:
            ParameterError: with a sentence that names the field and its range.
        """
        if mode not in (CLEAN, DEGRADED):
            raise ParameterError(f"mode must be {CLEAN} or {DEGRADED}, and {shown(mode)} is not. Choose one of them.")
        if sigma_y is None and mode == CLEAN:
            sigma_y = 0.05
        if photons is not None and mode == DEGRADED:
            raise ParameterError(
                f"photons is for a clean photo, and mode is {DEGRADED}. Leave it out, or give sigma_y."
            )
        made = make_task(default_task(mode == DEGRADED) if task is None else task, task_parameters)
        return cls(
            degraded=mode == DEGRADED,
            size=None if size is None else SIZE.check("size", size),
            task=made,
            sigma_y=None if sigma_y is None else noise.SIGMA_Y.check("sigma_y", sigma_y),
            solver=make_solver(solver, made, solver_parameters, kind_of(prior)),
            seed=SEED.check("seed", seed),
            photons=None if photons is None else noise.PHOTONS.check("photons", photons),
            samples=SAMPLES.check("samples", samples),
            prior=prior,
            auxiliary=auxiliary,
        )

    # As plain data

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, with the version that wrote it."""
        data = {
            "inverse": inverse.__version__,
            "schema": SCHEMA,
            "mode": DEGRADED if self.degraded else CLEAN,
            "size": self.size,
            "task": {"name": self.task.name, "parameters": self.task.to_dict()},
            "sigma_y": self.sigma_y,
            "photons": self.photons,
            "solver": {"name": self.solver.name, "parameters": self.solver.to_dict()},
            "seed": self.seed,
            "samples": self.samples,
            "prior": self.prior,
        }
        return {**data, "auxiliary": self.auxiliary} if self.auxiliary else data

    def to_json(self, indent: int | None = None, **also: Any) -> str:
        """`to_dict` as text; `also` are keys to add, of those that are known."""
        return json.dumps({**self.to_dict(), **also}, ensure_ascii=False, allow_nan=False, indent=indent)

    @classmethod
    def from_dict(cls, data: Any) -> tuple[Self, list[str]]:
        """Settings of plain data, and sentences on what in it could not be honoured.

        What is missing takes its default, or the preset's value. None says something of size, sigma_y and photons
        only; elsewhere it is refused like any value of the wrong type. Before schema 2 all tasks had the same default
        solver, and then it is that.

        Raises:
            ParameterError: this is no set of settings, its schema is newer, or a value is not allowed.
        """
        if not isinstance(data, Mapping) or not {"schema", "task", "solver"} & set(data):
            raise ParameterError(
                "These are no settings of this program. Use its JSON, its link or a PNG that it saved."
            )
        schema = data.get("schema", SCHEMA)
        if isinstance(schema, bool) or not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
            raise ParameterError(
                f"These settings have the schema {shown(schema, 20)}, and this version reads {SCHEMA}. "
                "Update the program."
            )
        unknown = [name for name in data if name not in KNOWN]
        task, task_parameters, left = _part(data, "task", TASKS, default_task(data.get("mode") == DEGRADED))
        usual = default_solver(task) if schema >= 2 else GENERAL
        solver, solver_parameters, right = _part(data, "solver", SOLVERS, usual)
        older = {}
        if schema < 2:
            specs = SOLVERS.find(solver).specs()
            older = {name: value for name, value in OLDER.items() if name in specs and name not in solver_parameters}
        unknown += left + right
        plain = {name: data[name] for name in ("mode", "size", "sigma_y", "photons", "seed", "samples") if name in data}
        if plain.get("mode") == DEGRADED and plain.pop("photons", None) is not None:
            unknown.append("photons of a photo that is degraded already")
        texts = {name: data.get(name, default) for name, default in (("prior", "embedded"), ("auxiliary", ""))}
        for name, text in texts.items():
            if not isinstance(text, str) or (name == "prior" and not 1 <= len(text) <= 200):
                raise ParameterError(f"{name} in these settings must be a text. Save them again.")
        settings = cls.create(
            task=task, task_parameters=task_parameters, solver=solver,
            solver_parameters=older | solver_parameters, **plain, **texts,
        )  # fmt: skip
        return settings, _notes(data, unknown, older)

    # As files and links

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
        """What is to be solved; `auxiliary` wins over the picture in the settings.

        Raises:
            ImageError, ParameterError, ProblemError: as in `degrade` and `measured`.
        """
        if auxiliary is None and self.task.auxiliary:
            auxiliary = self.auxiliary_picture
        shared = {"auxiliary": auxiliary, "size": self.size, "seed": self.seed}
        if self.degraded:
            return measured(photo, self.task, sigma_y=self.sigma_y, **shared)
        return degrade(photo, self.task, sigma_y=self.sigma_y, photons=self.photons, **shared)

    @property
    def smaller(self) -> str:
        """What to choose for a smaller image, in a sentence: on the page, a degraded photo has no other size."""
        return "a smaller photo" if self.degraded else "a smaller size"

    @property
    def auxiliary_picture(self) -> Image.Image | None:
        """The picture in the settings.

        Raises:
            ImageError, ParameterError: it is damaged.
        """
        if not self.auxiliary:
            return None
        try:
            return self.task.load(base64.b64decode(self.auxiliary, validate=True))
        except (binascii.Error, ValueError) as error:
            raise ParameterError("The picture in these settings is damaged. Give it again, as a file.") from error

    def with_auxiliary(self, picture: Image.Image | None) -> Self:
        """The same settings with the picture that the task needs inside, unless it is none or too large to carry."""
        if picture is None or not self.task.auxiliary:
            return replace(self, auxiliary="")
        buffer = io.BytesIO()
        picture.save(buffer, "PNG", optimize=True)
        text = base64.b64encode(buffer.getvalue()).decode()
        return replace(self, auxiliary=text if len(text) <= MAX_BYTES // 2 else "")

    def settled(self, photo: Image.Image, problem: Problem) -> Self:
        """The same settings with what was left open filled in: the photo's own size, and the estimated noise."""
        size, sigma_y = self.size, self.sigma_y
        if size is None and not self.degraded and SIZE.low <= min(photo.size) <= SIZE.high:
            size = min(photo.size)
        return replace(self, size=size, sigma_y=problem.sigma_y if sigma_y is None else sigma_y)


def _part(data: Mapping, key: str, registry: Mapping, default: str) -> tuple[str, dict[str, Any], list[str]]:
    """Name, known parameters, and names of what is not known, of the task or the solver."""
    part = data.get(key, default)
    part = {"name": part} if isinstance(part, str) else part
    parameters = part.get("parameters", {}) if isinstance(part, Mapping) else None
    if not isinstance(parameters, Mapping):
        raise ParameterError(f"{key} in these settings must have a name and parameters. Save them again.")
    name = part.get("name", default)
    specs = registry.find(name).specs()
    unknown = [f"{key}.{entry}" for entry in part if entry not in ("name", "parameters")]
    unknown += [f"{key}.parameters.{entry}" for entry in parameters if entry not in specs]
    return name, {entry: value for entry, value in parameters.items() if entry in specs}, unknown


def _notes(data: Mapping, unknown: list[str], older: Mapping[str, Any]) -> list[str]:
    notes = []
    if unknown:
        names = ", ".join(visible(str(name)[:60]) for name in unknown[:12]) + (", …" if len(unknown) > 12 else "")
        notes.append(f"These settings are not known here and were left out: {names}.")
    if older:
        values = ", ".join(f"{name} = {shown(value)}" for name, value in older.items())
        notes.append(f"They are older than some parameters of the solver, which are set as it worked then: {values}.")
    version = data.get("inverse")
    if version is not None and version != inverse.__version__:
        notes.append(
            f"They were saved by version {_plain(version, 20)}; this is {inverse.__version__}, so pixels may differ."
        )
    if data.get("sample") is not None:
        notes.append(f"That picture was sample {_plain(data['sample'], 10)} of several; a run draws them all.")
    if data.get("stopped_at") is not None:
        notes.append(f"That picture was stopped at step {shown(data['stopped_at'], 10)}; a run goes on to the end.")
    return notes


def _plain(value: Any, length: int) -> str:
    """The start of a value's text, without quotation marks."""
    return visible(value[:length]) if isinstance(value, str) else shown(value, length)
