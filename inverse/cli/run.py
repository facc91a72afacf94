"""Flags of the commands that run solvers, and the settings that flags and a settings file make together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from inverse.cli.options import names_help, parameter_options
from inverse.cli.words import given
from inverse.denoisers.base import Denoiser
from inverse.denoisers.cards import EMBEDDED, card_of, short
from inverse.denoisers.catalog import kind_at, load_prior
from inverse.denoisers.identity import identity_of
from inverse.errors import ParameterError
from inverse.fullsize import method
from inverse.imaging.files import printable
from inverse.operators import TASKS, Task
from inverse.operators.chain import in_order, link
from inverse.settings import CLEAN, DEGRADED, SCHEMA, Settings
from inverse.settings.carriers import read
from inverse.settings.saved import plain_data
from inverse.settings.snippets import changed_solver
from inverse.solvers import SOLVERS
from inverse.solvers.presets import default_solver_for, default_task
from inverse.solvers.qualities import QUALITIES, QUALITY, at_quality

MAX_FILE_BYTES = 100_000_000
"""Of a file with settings: a PNG of the largest picture is below."""


def loading_options(command: Any) -> Any:
    """Decorator for how priors are loaded; see `Priors`."""
    options: tuple[Callable, ...] = (
        click.option(
            "--allow-pickle", is_flag=True,
            help="Read weights in PyTorch's pickle format too, tensors only; safetensors need no such trust.",
        ),
        click.option("--device", help="cpu, cuda, ... Default: the best there is."),
        click.option(
            "--precision", default="auto", show_default=True,
            help="In which the network computes: auto, float32, bfloat16, or float16 for networks of diffusers.",
        ),
        click.option(
            "--compile", "compiled", is_flag=True,
            help="Compile the network first (torch.compile), in minutes: worth it on a GPU, for many runs of one size.",
        ),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


def run_options(command: click.Command) -> click.Command:
    """Decorator of a finished command: how to degrade, how to restore, and with which prior."""
    options: tuple[Callable, ...] = (
        click.option(
            "--degraded/--clean", default=False,
            help="The photo is already degraded; or it is clean, and degraded here first (the default).",
        ),
        click.option("--solver", metavar="NAME", help=f"{names_help(SOLVERS)} Default: that of the task; see `tasks`."),
        click.option(
            "--settings", type=click.Path(path_type=Path),
            help="Start from the settings in this PNG or JSON that the program or the app saved; other flags win.",
        ),
        click.option(
            "--prior", default="embedded", show_default=True, metavar="NAME",
            help="A name that `priors` lists, OWNER/NAME@COMMIT on the Hugging Face Hub, a folder of diffusers, a "
            "checkpoint of guided-diffusion, or a file that `train prior` wrote.",
        ),
        loading_options,
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    command = parameter_options(TASKS, "Parameters of tasks")(command)
    shared = next(each for each in command.params if each.name == "quality")  # which is a parameter of a task, too
    assert isinstance(shared, click.Option)
    shared.help = f"In the place of --solver, {', '.join(QUALITIES)}. {QUALITY.help} Or a number: {shared.help}"
    return parameter_options(SOLVERS, "Parameters of solvers (default: the preset of task and solver)")(command)


def chosen(context: click.Context, values: dict[str, Any]) -> tuple[Settings, list[str]]:
    """The settings that a command was given, and sentences on what in its settings file could not be honoured.

    Where no flag names a prior and the file names one that has a card, `values` get that one.

    Raises:
        ParameterError: a flag or the file is wrong.
    """
    data, notes = {"schema": SCHEMA, "task": {}, "solver": {}}, []
    if values["settings"] is not None:
        found, notes = Settings.from_dict(_read(values["settings"]))
        data = found.to_dict()
    quality = values["quality"] if values["quality"] in QUALITIES else None
    texts = values if quality is None else {**values, "quality": None}
    typed = {name for name in values if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    full_size = values.get("full_size", False)  # which is for such photos only
    degraded = values["degraded"] if "degraded" in typed else full_size or data.get("mode") == DEGRADED
    if degraded != (data.get("mode") == DEGRADED):
        # How noisy the file's photo was says nothing of another one.
        data |= {name: None for name, known in Settings.specs().items() if known.clean_only}
        data |= {"mode": DEGRADED if degraded else CLEAN, "sigma_y": None}
    if "prior" not in typed and (card := card_of(str(data.get("prior")))):
        values["prior"] = card.name  # of the file; a name that is known, and no place that a stranger's file names
    prior = identity_of(values["prior"])
    named = {"task": default_task(degraded) if values["task"] is None else values["task"]}
    if values["then"]:
        data["then"] = [{"name": each.name, "parameters": each.to_dict()} for each in values["then"]]
    elif "task" in typed and data["task"].get("name") != named["task"]:  # the file's damages are one whole
        data.pop("then", None)
    then = [link(each) for each in data.get("then", ())]
    for part, registry in (("task", TASKS), ("solver", SOLVERS)):
        # Parameters in the file belong to its task and its solver, those of the solver to the pair.
        if part == "solver":
            first = TASKS.find(data["task"]["name"]).create(data["task"]["parameters"])
            own = default_solver_for(in_order(first, then), estimator=prior == EMBEDDED)
            named["solver"] = own if values["solver"] is None else values["solver"]
            data[part] = _of_quality(quality, values, in_order(first, then), prior) or data[part]
            if full_size and not data[part] and values["solver"] is None:
                quick = method.chosen(data["task"]["name"], None, None, prior == EMBEDDED)
                data[part] = {"name": quick["solver"] or own, "parameters": dict(quick["solver_parameters"] or {})}
        if not data[part] or (part in typed and named[part] != data[part]["name"]):
            if part == "task" and data["solver"]:
                data["solver"]["parameters"] = changed_solver(found)
            data[part] = {"name": named[part], "parameters": {}}
        kind = registry.find(data[part]["name"])
        data[part]["parameters"] |= given(registry, kind, texts, then if part == "task" else ())
    data |= {name: values[name] for name in (*Settings.numbers(), *Settings.flags()) if name in typed}
    if data.get("prior", prior) not in (prior, short(prior)):
        notes.append(f"They were made with the prior {data['prior']}, and this run uses {prior}; --prior chooses one.")
    settings, more = Settings.from_dict({**data, "prior": prior}, kind_at(values["prior"]))
    return settings, [*notes, *more]


def _of_quality(quality: str | None, values: dict[str, Any], damage: Task, prior: str) -> Any:
    """The solver that a quality means, as plain data; None without.

    Raises:
        ParameterError: --solver names one, too.
    """
    if quality is None:
        return None
    if values["solver"] is not None:
        raise ParameterError("--quality chooses the solver. Leave one of --quality and --solver out.")
    return plain_data(at_quality(quality, damage, kind_at(values["prior"]), prior == EMBEDDED))


@dataclass
class Priors:
    """Loads the priors of runs by what their settings keep, as flags say how; it can be copied to another process.

    Attributes:
        places: what `load_prior` takes for those that a flag or an axis named, by what settings keep.
    """

    device: str | None
    precision: str
    allow_pickle: bool
    compiled: bool
    places: dict[str, str] = field(default_factory=dict)

    def __call__(self, name: str) -> Denoiser:
        place = self.places.get(name, name)
        return load_prior(place, self.device, self.precision, allow_pickle=self.allow_pickle, compiled=self.compiled)

    def named(self, place: str) -> str:
        """What settings keep of a prior that was named by a place."""
        self.places[identity := identity_of(place)] = place
        return identity


def _read(path: Path) -> Any:
    shown = printable(path)
    try:
        if not path.is_file():  # a pipe would be waited for, a device has no end
            raise ParameterError(f"{shown} cannot be opened: it is no file. Check its name.")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ParameterError(f"{shown} is larger than {MAX_FILE_BYTES // 10**6} MB. Use the app's JSON file.")
        return read(path.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, ParameterError):
            raise
        raise ParameterError(f"{shown} cannot be opened. Check its name and permissions.") from None
