"""The same run in other words: settings as a command line and as Python, ready to copy."""

from __future__ import annotations

import shlex
from typing import Any

from inverse.denoisers import cards
from inverse.denoisers.cards import EMBEDDED, kind_of
from inverse.operators import Task
from inverse.settings import Settings
from inverse.solvers.presets import preset

PHOTO = "photo.jpg"


def command_line(settings: Settings, photo: str = PHOTO, auxiliary: str = "") -> str:
    """`python -m inverse restore ...`; parameters at their preset are left out.

    `auxiliary` is the file of the mask, kernel or strokes: mask.png, kernel.png or strokes.png if empty.
    """
    words = ["python -m inverse restore", shlex.quote(photo), "-o restored.png", f"--task {settings.task.name}"]
    words += [_flag(name, value) for name, value in settings.task.changed().items()]
    words += [f"--then {shlex.quote(flag_of(each))}" for each in settings.then]
    words += [f"--solver {settings.solver.name}"]
    words += [_flag(name, value) for name, value in changed_solver(settings).items()]
    if settings.damage.auxiliary:
        kind = settings.damage.auxiliary
        words.append(f"--{kind} {shlex.quote(auxiliary or f'{kind}.png')}")
    words += [_flag(name, value) for name, value in _changed(settings).items()]
    words += [switch(name, getattr(settings, name)) for name in _switched(settings)]
    if settings.prior != EMBEDDED:
        words.append(f"--prior {shlex.quote(loaded_by(settings.prior))}")
    if settings.degraded:
        words.append("--degraded")
    return " ".join(words)


def python(settings: Settings, photo: str = PHOTO) -> str:
    """A call of `inverse.restore`; parameters at their preset are left out."""
    arguments: dict[str, Any] = {"task": settings.task.name, "solver": settings.solver.name}
    name = "restore_full_size" if settings.full_size else "restore"
    if settings.degraded and not settings.full_size:
        arguments["degraded"] = True
    arguments |= {
        "task_parameters": settings.task.changed() or None,
        "solver_parameters": changed_solver(settings) or None,
        "then": [_short(each) for each in settings.then] or None,
        "auxiliary": f"{settings.damage.auxiliary}.png" if settings.damage.auxiliary else None,
        **_changed(settings),
        **{name: getattr(settings, name) for name in _switched(settings) if name != "full_size"},
        "denoiser": None if settings.prior == EMBEDDED else loaded_by(settings.prior),
    }
    lines = [f"    {name}={value!r}," for name, value in arguments.items() if value is not None]
    return "\n".join(
        [f"from inverse import {name}", "", f"result = {name}(", f"    {photo!r},", *lines, ")",
         'result.image.save("restored.png")', ""]
    )  # fmt: skip


def _changed(settings: Settings) -> dict[str, Any]:
    """The other settings that are not as they are by themselves, and the seed, which makes a run what it is."""
    own, values = settings.defaults(), {name: getattr(settings, name) for name in settings.numbers()}
    return {name: value for name, value in values.items() if value != own[name] or name == "seed"}


def _switched(settings: Settings) -> list[str]:
    """The switches that are not as they are by themselves."""
    return [name for name in settings.flags() if getattr(settings, name) != settings.defaults()[name]]


def switch(name: str, on: bool) -> str:
    """The flag that sets a switch."""
    return f"--{'' if on else 'no-'}{name.replace('_', '-')}"


def changed_solver(settings: Settings) -> dict[str, Any]:
    """The solver's parameters that are not as its preset for the task has them."""
    usual = preset(settings.damage.name, settings.solver.name, kind=kind_of(settings.prior))
    return settings.solver.changed(usual.to_dict())


def loaded_by(prior: str) -> str:
    """What `load_prior` and --prior take, of what settings keep: of a file the name, to which belongs a folder."""
    return prior if cards.COMMIT.search(prior) and cards.card_of(prior) is None else cards.short(prior)


def flag_of(task: Task) -> str:
    """What --then takes: jpeg:quality=30,subsampling=4:2:0; parameters at their default are left out."""
    changed = ",".join(f"{name}={_text(value)}" for name, value in task.changed().items())
    return f"{task.name}:{changed}" if changed else task.name


def _short(task: Task) -> Any:
    return {"name": task.name, "parameters": task.changed()} if task.changed() else task.name


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _flag(name: str, value: Any) -> str:
    return f"--{name.replace('_', '-')} {shlex.quote(_text(value))}"
