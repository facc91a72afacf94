"""`inverse`, or `python -m inverse`: the command line.

A command's module is imported when it is used, so that help is instant.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import click

from inverse import threads
from inverse.text import visible, visible_record

COMMANDS = {
    "restore": ("inverse.cli.restore", "Restore a photo."),
    "inspect": ("inverse.cli.inspect", "Say what is wrong with a photo, and what would restore it."),
    "estimate-kernel": ("inverse.cli.kernel", "Tell what blurred a photo, as a picture of its kernel."),
    "degrade": ("inverse.cli.degrade", "Degrade a clean photo, to try a restoration on it."),
    "sweep": ("inverse.cli.sweep", "Restore a photo over several values of one or two parameters, as a grid."),
    "tasks": ("inverse.cli.listing", "List the tasks and their parameters."),
    "solvers": ("inverse.cli.listing", "List the solvers and their parameters."),
    "priors": ("inverse.cli.priors", "List the priors that can be had, or convert one."),
    "evaluate": (
        "inverse.cli.evaluate",
        "Restore many photos with many solvers, here or on a cluster.",
    ),
    "report": ("inverse.cli.report", "Make tables and charts of what was evaluated."),
    "judge": ("inverse.cli.judge", "Hold solvers to an exact posterior, and print how close they come."),
    "findings": ("inverse.cli.findings", "See what solvers' scores and samples are, where the truth is known."),
    "train": ("inverse.cli.train", "Train a prior on your own photographs."),
    "app": ("inverse.cli.app", "Open the app in the browser."),
}


@contextmanager
def visible_errors() -> Iterator[None]:
    """Errors of click quote what was typed; they leave here fit to print."""
    try:
        yield
    except click.ClickException as error:
        error.message = visible(error.message, lines=True)  # pyright: ignore[reportAttributeAccessIssue]  (Final there)
        raise


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only to run it or to show its help."""

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        with visible_errors():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        with visible_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(import_module(COMMANDS[name][0]), name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name=None, version=import_module("inverse").__version__, prog_name="inverse")
def main() -> None:
    """Restore images with pre-trained diffusion models.

    Each command explains itself: COMMAND --help.
    """


def program() -> None:
    """What `inverse` and `python -m inverse` run: `main` in a process of its own."""
    threads.settle()  # before a command loads torch
    logging.setLogRecordFactory(visible_record)
    # What ends a program politely ends this one like Ctrl+C: nothing half-written stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    main()


if __name__ == "__main__":
    program()
