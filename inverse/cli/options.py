"""Command-line options made from the registries: every parameter of every task and solver is a flag."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import click

from inverse.cli.words import Further, SpecType
from inverse.imaging.masks import WORDS
from inverse.operators import TASKS
from inverse.parameters import Registry, Spec
from inverse.settings import Settings
from inverse.settings.snippets import switch
from inverse.solvers.presets import DEFAULT_DEGRADED_TASK, DEFAULT_TASK


class ParameterOption(click.Option):
    """The flag of a parameter that several tasks or solvers may share; its text is read once the owner is known."""

    def __init__(self, name: str, owners: dict[str, Spec], section: str) -> None:
        first = next(iter(owners.values()))
        limits = {spec.limits for spec in owners.values()}
        shared = f"{first.help} {first.limits[0].upper()}{first.limits[1:]}." if len(limits) == 1 else first.help
        if len({spec.help for spec in owners.values()}) > 1:
            shared = f"Of its own meaning for each; `{section.split()[2]} NAME` explains it."
        super().__init__([f"--{name.replace('_', '-')}", name], metavar="VALUE", help=f"{shared} [{', '.join(owners)}]")
        self.section = section


def parameter_options(registry: Registry, section: str) -> Callable[[click.Command], click.Command]:
    """Decorator that adds one flag for each parameter name in the registry."""

    def add(command: click.Command) -> click.Command:
        owners: dict[str, dict[str, Spec]] = {}
        for kind, parameters in registry.items():
            for name, spec in parameters.specs().items():
                owners.setdefault(name, {})[kind] = spec
        command.params += [ParameterOption(name, specs, section) for name, specs in owners.items()]
        return command

    return add


def names_help(registry: Registry) -> str:
    return f"One of: {', '.join(registry)}."


def photo_options(command: Callable) -> Callable:
    """Decorator for what commands on one photo share."""
    return click.argument("photo", type=click.Path(path_type=Path))(damage_options(command))


def damage_options(command: Callable) -> Callable:
    """Decorator for what `restore`, `degrade` and `sweep` share."""
    options: Iterable[Callable] = (
        click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Where the picture goes."),
        click.option(
            "--task",
            metavar="NAME",
            help=f"{names_help(TASKS)} Default: {DEFAULT_TASK}, or {DEFAULT_DEGRADED_TASK} for a degraded photo.",
        ),
        click.option(
            "--then",
            multiple=True,
            type=Further(),
            metavar="NAME[:PARAMETER=VALUE,...]",
            help="What happened to the photo after that, as a task and its parameters: "
            "--then super-resolution:factor=2 --then jpeg:quality=30. Repeatable, in the order in which it happened.",
        ),
        auxiliary_option("The picture that some tasks need: a blur kernel, strokes of colour, or a mask."),
    )
    for option in reversed(list(options)):
        command = option(command)
    return command


def auxiliary_option(words: str) -> Callable:
    """Decorator for the flag, under all its names, of the picture that a task needs besides the photo."""
    return click.option(
        "--mask", "--kernel", "--strokes", "auxiliary", type=click.Path(path_type=Path), help=f"{words} {WORDS}"
    )


def setting_options(*but: str) -> Callable[[Callable], Callable]:
    """Decorator that adds a flag for every setting that is a number or a switch, except those named."""

    def add(command: Callable) -> Callable:
        defaults = Settings.defaults()
        for name, known in reversed(Settings.flags().items()):
            if name not in but:
                both = [switch(name, on) for on in (True, False) if on or defaults[name]]
                command = click.option(
                    "/".join(both), name, is_flag=True, default=defaults[name], help=known.spec.help
                )(command)
        for name, known in reversed(Settings.numbers().items()):
            if name not in but:
                command = click.option(
                    f"--{name.replace('_', '-')}", type=SpecType(name, known.spec), default=defaults[name],
                    help=f"{known.spec.help} Default: {known.none or defaults[name]}.",
                )(command)  # fmt: skip
        return command

    return add
