"""`python -m inverse priors`."""

from __future__ import annotations

import click
from rich.table import Table

from inverse.cli.options import GroupedCommand
from inverse.cli.terminal import Terminal
from inverse.denoisers.hub import PUBLISHED
from inverse.resources import EMBEDDED


@click.command(cls=GroupedCommand)
def priors() -> None:
    """Lists the priors that --prior takes by name, and what each is good for.

    A published one is downloaded when it is first used. --prior also takes OWNER/NAME@COMMIT on the Hugging Face Hub,
    a folder with a diffusers UNet2DModel, and a file that `train prior` wrote.
    """
    table = Table(box=None)
    table.add_column("prior", no_wrap=True)
    for column in ("pixels", "MB"):
        table.add_column(column, justify="right")
    for column in ("licence", "weights", "good for"):
        table.add_column(column)
    size = f"{EMBEDDED.stat().st_size / 1e6:.0f}" if EMBEDDED.is_file() else ""
    table.add_row("embedded", "any", size, "Apache-2.0", "here", "photos of all kinds, on a CPU")
    for name, prior in PUBLISHED.items():
        weights = "pickle: --allow-pickle" if prior.pickled else "safetensors"
        table.add_row(name, str(prior.size), str(prior.megabytes), prior.licence, weights, prior.good_for)
    Terminal().print(table)
