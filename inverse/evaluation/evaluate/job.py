"""A job: one photo and the settings of one restoration, and by what it is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from inverse.errors import ParameterError
from inverse.settings import Settings
from inverse.settings.snippets import changed_solver, flag_of


@dataclass(frozen=True)
class Job:
    """A restoration of the center square of a photo.

    Attributes:
        photo: the name of its file.
        digest: SHA-256 of that file.
        settings: of the run; its `samples` are drawn at once, and count as one result.
    """

    photo: str
    digest: str
    settings: Settings

    @cached_property
    def id(self) -> str:
        """Of the photo's content and the settings: the same wherever, whenever and under which name it is done."""
        known = {name: value for name, value in self.settings.to_dict().items() if name != "inverse"}
        text = json.dumps([self.digest, known], sort_keys=True, allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    @property
    def task(self) -> str:
        """What was done to the photo, as `--tasks` takes it, with noise."""
        damages = " then ".join(flag_of(each) for each in (self.settings.task, *self.settings.then))
        return f"{damages}, sigma_y {self.settings.sigma_y:g}"

    @property
    def solver(self) -> str:
        """The solver, with what is not as in its preset."""
        changed = [f"{name}={value}" for name, value in changed_solver(self.settings).items()]
        if self.settings.estimator_scale:
            changed.append(f"estimator_scale={self.settings.estimator_scale:g}")
        return ":".join(filter(None, [self.settings.solver.name, ",".join(changed)]))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"id": self.id, "photo": self.photo, "digest": self.digest, "settings": self.settings.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """What `to_dict` wrote.

        Raises:
            ParameterError: it is damaged, or of a version whose settings mean something else.
        """
        try:
            job = cls(data["photo"], data["digest"], Settings.from_dict(data["settings"])[0])
        except (KeyError, TypeError):
            raise ParameterError("A job of this plan is damaged. Make a new plan, in another folder.") from None
        if job.id != data.get("id"):
            raise ParameterError(
                "This plan was made by another version of the program, whose settings meant something else. Go on "
                "with that version, or make a new plan in another folder."
            )
        return job
