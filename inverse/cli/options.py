"""Command-line options made from the registries: every parameter of every task and solver is a flag."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from PIL import Image

from inverse.errors import InverseError, OutputError, ParameterError
from inverse.imaging.files import JPEG, WRITTEN, printable, replace_atomically, unwritable
from inverse.imaging.jpeg_tables import JpegTables
from inverse.imaging.masks import WORDS
from inverse.operators import TASKS, Task
from inverse.parameters import Parameters, Registry, Spec
from inverse.settings import Settings
from inverse.settings.carriers import png_text
from inverse.solvers.presets import DEFAULT_DEGRADED_TASK, DEFAULT_TASK


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


class Stopped(click.ClickException):
    """Ended by Ctrl+C or by SIGTERM; the exit status is what shells expect of that."""

    exit_code = 130


@contextlib.contextmanager
def spoken() -> Iterator[None]:
    """Errors of the library leave here as sentences for the terminal."""
    try:
        yield
    except InverseError as error:
        # Names of files need not be UTF-8, and a terminal takes nothing else.
        raise click.ClickException(str(error).encode("utf-8", "replace").decode()) from None
    except (RuntimeError, MemoryError) as error:
        from inverse.denoisers import memory

        if not memory.exhausted(error):
            raise
        raise click.ClickException("There is not enough memory. Choose a smaller --size.") from None
    except KeyboardInterrupt:
        raise Stopped("Stopped. What was not finished was not written.") from None


class GroupedCommand(click.Command):
    """A command that ends with errors of the library as sentences, and lists the registries' flags under headings."""

    def invoke(self, ctx: click.Context) -> Any:
        with spoken():
            return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record and isinstance(param, click.Option):
                sections.setdefault(getattr(param, "section", "Options"), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)


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
        click.option(
            "--mask",
            "--kernel",
            "--strokes",
            "auxiliary",
            type=click.Path(path_type=Path),
            help=f"The picture that some tasks need: a blur kernel, strokes of colour, or a mask. {WORDS}",
        ),
    )
    for option in reversed(list(options)):
        command = option(command)
    return command


def setting_options(*but: str) -> Callable[[Callable], Callable]:
    """Decorator that adds a flag for every setting that is a number or a switch, except those named."""

    def add(command: Callable) -> Callable:
        defaults = Settings.defaults()
        for name, known in reversed(Settings.flags().items()):
            if name not in but:
                command = click.option(f"--{name.replace('_', '-')}", is_flag=True, help=known.spec.help)(command)
        for name, known in reversed(Settings.numbers().items()):
            if name not in but:
                command = click.option(
                    f"--{name.replace('_', '-')}", type=SpecType(name, known.spec), default=defaults[name],
                    help=f"{known.spec.help} Default: {known.none or defaults[name]}.",
                )(command)  # fmt: skip
        return command

    return add


def check_output(path: Path, *inputs: Path | None) -> None:
    """Refuses a place where a picture could not be written, or that is one of the inputs, before any work is done.

    Raises:
        OutputError: the format is none of `WRITTEN`, or as in `check_place`.
    """
    Image.init()
    kind = path.suffix.lower()
    if kind not in WRITTEN or Image.EXTENSION.get(kind) not in Image.SAVE:
        what = f"{kind[:10]} is" if kind else "a name without an ending is of"
        raise OutputError(f"{_end(path)}: {what} no picture format that is written here. Use one of {_WRITTEN}.")
    check_place(path, *inputs)


def check_place(path: Path, *inputs: Path | None) -> None:
    """Refuses a place where a file of any kind could not be written, before any work is done.

    Raises:
        OutputError: the folder does not exist or cannot be written to, or the file is one of the inputs.
    """
    try:
        exists = path.exists()
        same = exists and any(source and source.exists() and path.samefile(source) for source in inputs)
    except OSError as error:  # a name that is too long
        raise unwritable(path, error) from error
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise OutputError(f"{_end(path)} cannot be written. Choose a file in an existing folder of yours.")
    if same:
        raise OutputError(f"{_end(path)} is one of the files to be read, and would be lost. Choose another name.")


def check_folder(folder: Path) -> None:
    """Makes the folder of several results where there is none.

    Raises:
        OutputError: that fails, or it cannot be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{_end(folder)} is a file, and the results of several photos need a folder. Name one.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{_end(folder)} cannot be written to. Choose a folder of yours.")


def apart(path: Path, *others: Path) -> None:
    """Refuses a file that another result would replace.

    Raises:
        OutputError: it is one of the others.
    """
    if path.absolute() in {other.absolute() for other in others}:
        raise OutputError(f"{_end(path)} would hold two results, of which one is lost. Choose two names.")


def _end(path: Path) -> str:
    return printable(path)[-200:]


_WRITTEN = ", ".join(WRITTEN)


def save_picture(
    picture: Image.Image, path: Path, settings: Settings | None = None, jpeg: JpegTables | None = None, **also: Any
) -> None:  # fmt: skip
    """Writes a picture in the format that the file's name says; a PNG carries the settings, if there are any.

    `also` goes to `Settings.to_json`. A JPEG is written by the tables of another one, where these are fine.

    Raises:
        OutputError: the file cannot be written; what was there before still is.
    """
    kind = path.suffix.lower()
    text = {"pnginfo": png_text(settings.to_json(**also))} if settings is not None and kind == ".png" else {}

    def write(temporary: Path) -> None:
        try:
            alike = jpeg.options if jpeg is not None and jpeg.fine and kind in JPEG else WRITTEN.get(kind, {})
            picture.save(temporary, **text, **alike)
        except (ValueError, KeyError) as error:  # a format that cannot hold this picture
            raise unwritable(path, error) from error

    replace_atomically(path, write)
