"""`python -m inverse priors`."""

from __future__ import annotations

import click
from rich.table import Table

from inverse.cli.options import GroupedCommand
from inverse.cli.terminal import Terminal
from inverse.denoisers.cards import PRIORS
from inverse.solvers.presets import remark


@click.command(cls=GroupedCommand)
def priors() -> None:
    """Lists the priors that --prior takes by name, and what each is good for.

    A published one is downloaded when it is first used. --prior also takes OWNER/NAME@COMMIT on the Hugging Face Hub,
    a folder with a diffusers UNet2DModel, and a file that `train prior` wrote.
    """
    table = Table(box=None)
    table.add_column("prior", no_wrap=True)
    table.add_column("kind")
    for column in ("pixels", "MB"):
        table.add_column(column, justify="right")
    for column in ("licence", "weights", "good for"):
        table.add_column(column)
    for card in PRIORS.values():
        weights = "here" if not card.repository else "pickle: --allow-pickle" if card.pickled else "safetensors"
        size = str(card.size) if card.size else "any"
        table.add_row(card.name, card.kind, size, str(card.megabytes), card.licence, weights, card.good_for)
    console = Terminal()
    console.print(table)
    kinds = dict.fromkeys(card.kind for card in PRIORS.values())
    for words in dict.fromkeys(filter(None, map(remark, kinds))):
        console.print(words)
