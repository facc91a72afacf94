"""A command that ends in sentences, and whose help has headings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import click

from inverse.errors import InverseError


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
