"""Pages of docs/ that are made of the program itself: a command for each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from inverse.imaging.files import write_text


def command(page: Callable[[], str]) -> click.Command:
    """The command that writes the Markdown of `page` to a file."""

    def write(file: Path) -> None:
        write_text(file, page())

    argument = click.Argument(["file"], type=click.Path(path_type=Path))
    return click.Command("page", params=[argument], callback=write, help="Writes the page.")
