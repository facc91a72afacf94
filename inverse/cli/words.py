"""Words of a command line, read as values, tasks and solvers: what the library refuses, they refuse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import click

from inverse.errors import InverseError, ParameterError
from inverse.operators import TASKS, Task
from inverse.parameters import Parameters, Registry, Spec


class SpecType(click.ParamType):
    """Reads and checks a value with its specification, so that the command line refuses what the library refuses."""

    def __init__(self, name: str, spec: Spec) -> None:
        self.name, self.spec = name, spec

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self.spec.parse(self.name, value) if isinstance(value, str) else self.spec.check(self.name, value)
        except InverseError as error:
            raise click.ClickException(str(error)) from None

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return type(self.spec).__name__.upper()


Kind = TypeVar("Kind", bound=type[Parameters])


def named(registry: Registry[Kind], text: str, example: str) -> tuple[Kind, dict[str, Any]]:
    """What NAME:PARAMETER=VALUE,... says, its values checked; `example` is what a sentence tells people to write.

    Raises:
        ParameterError: the name or a parameter is unknown, or a value is missing or not allowed.
    """
    name, _, rest = text.partition(":")
    kind = registry.find(name.strip())
    parameters = {}
    for word in filter(None, (word.strip() for word in rest.split(","))):
        key, found, value = word.partition("=")
        key = key.strip().replace("-", "_")
        if not found:
            raise ParameterError(f"{word[:40]!r} gives no value. Write {example} {name}:PARAMETER=VALUE.")
        spec = kind.specs().get(key)
        parameters[key] = value if spec is None else spec.parse(key, value.strip())
    kind.create(parameters)  # names those that do not belong to it
    return kind, parameters


class Further(click.ParamType):
    """A further damage: jpeg:quality=30,subsampling=4:2:0."""

    name = "damage"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Task:
        if isinstance(value, Task):
            return value
        try:
            kind, parameters = named(TASKS, value, "--then")
            return kind.create(parameters)
        except InverseError as error:
            raise click.ClickException(str(error)) from None


class Listed(click.ParamType):
    """Several names with commas between, each as `named` reads it: dps,dmap:steps=50,gradient_steps=2."""

    name = "names"

    def __init__(self, registry: Registry) -> None:
        self.registry = registry

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[tuple[type[Parameters], dict[str, Any]], ...]:
        if not isinstance(value, str):
            return value
        texts: list[str] = []
        for word in filter(None, (word.strip() for word in value.split(","))):
            if texts and "=" in word.partition(":")[0]:  # one more parameter of the last name
                texts[-1] += f",{word}"
            else:
                texts.append(word)
        try:
            example = param.opts[0] if param is not None else ""
            return tuple(named(self.registry, text, example) for text in texts)
        except InverseError as error:
            raise click.ClickException(str(error)) from None


def given(
    registry: Registry, kind: type[Parameters], values: dict[str, Any], then: Sequence[Task] = ()
) -> dict[str, Any]:
    """The parameters of one task or solver among all flags, checked; `then` are the tasks that come after it.

    Raises:
        ParameterError: a flag was given that this task or solver does not have, or its value is out of range.
    """
    names = {name for parameters in registry.values() for name in parameters.specs()}
    texts = {name: values[name] for name in names if values.get(name) is not None}
    specs = kind.specs()
    for name, text in texts.items():
        later = next((task.name for task in then if name in task.specs()), None)
        if name not in specs and later is not None:
            raise ParameterError(
                f"--{name.replace('_', '-')} stands for {kind.name}, which has no such parameter; {later} has. Write "
                f"--then {later}:{name}={text}."
            )
    parsed = {name: specs[name].parse(name, text) if name in specs else text for name, text in texts.items()}
    kind.create(parsed)  # names the flags that do not belong to it
    return parsed
