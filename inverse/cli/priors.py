"""`python -m inverse priors` and `priors convert`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table

from inverse.cli.command import GroupedCommand
from inverse.cli.many import found
from inverse.cli.run import loading_options
from inverse.cli.terminal import Terminal
from inverse.denoisers.cards import EMBEDDED, NOT_STATED, PRIORS
from inverse.denoisers.catalog import load_prior
from inverse.imaging.files import printable
from inverse.imaging.images import fit, load, to_tensor
from inverse.resources import EXAMPLES
from inverse.solvers.presets import remark
from inverse.text import visible


@click.group(invoke_without_command=True)
@click.pass_context
def priors(context: click.Context) -> None:
    """Lists the priors that --prior takes by name, and what each is good for.

    A published one is downloaded when it is first used. --prior also takes OWNER/NAME@COMMIT on the Hugging Face Hub,
    a folder with a diffusers UNet2DModel, a checkpoint of guided-diffusion, and a file that `train prior` wrote.
    """
    if context.invoked_subcommand is None:
        _list()


@priors.command(cls=GroupedCommand)
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--half", is_flag=True, help="Keep the weights in half precision, in half the space.")
@click.option(
    "--licence", default=NOT_STATED, show_default=True, help="Of the weights, for the card; the file does not say."
)
@click.option(
    "--allow-pickle", is_flag=True, help="Read the file though it is a pickle, as published ones are; tensors only."
)
def convert(file: Path, folder: Path, half: bool, licence: str, allow_pickle: bool) -> None:
    """Converts FILE, a checkpoint of guided-diffusion as ffhq_10m.pt, to safetensors in a new FOLDER.

    The folder is as diffusers writes it, with a card that names the file, its SHA-256 and its licence. --prior FOLDER
    then needs no pickle, and gives the same results; nearly the same with --half.
    """
    from inverse.denoisers.conversion import convert as write

    write(file, folder, half=half, licence=visible(licence), allow_pickle=allow_pickle)
    Terminal().print(f"{printable(folder)} is a prior now: use it with --prior.")


@priors.command(cls=GroupedCommand)
@click.argument("name", default=EMBEDDED)
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="Photos. Default: the examples.")
@click.option("--side", type=int, default=256, show_default=True, help="Of their center squares, in pixels.")
@loading_options
def scales(
    name: str, images: Path | None, side: int, allow_pickle: bool, device: str | None, precision: str, compiled: bool
) -> None:
    """Measures from which noise on the prior NAME answers as well at a half, a quarter, ... of the size.

    Prints the PSNR of its estimates on noisy photos that it should not have seen, and the thresholds: what its card
    keeps, and what `Pyramid(prior, thresholds)` takes. High noise is then answered there, where the prior sees further
    and costs less.
    """
    from inverse.denoisers import scales as pyramid

    prior = load_prior(name, device, precision, allow_pickle=allow_pickle, compiled=compiled)
    files = found([EXAMPLES if images is None else images])
    photos = [to_tensor(fit(load(file), side, prior.multiple, square=True))[0] for file in files]
    console, levels = Terminal(), []
    console.print("noise  PSNR at full size, then with means over 2, 4, 8 pixels")
    for level in pyramid.measured(prior, photos):
        levels.append(level)
        console.print(f"{level.sigma:5g}  " + "  ".join(f"{psnr:5.2f}" for psnr in level.psnr.values()))
    console.print(f"thresholds={pyramid.thresholds(levels)}")


def _list() -> None:
    table = Table(box=None)
    table.add_column("prior", no_wrap=True)
    for column in ("pixels", "MB"):
        table.add_column(column, justify="right")
    for column in ("licence", "weights", "good for"):
        table.add_column(column)
    for card in PRIORS.values():
        weights = "here" if not card.repository else "pickle: --allow-pickle" if card.pickled else "safetensors"
        size = str(card.size) if card.size else "any"
        table.add_row(card.name, size, str(card.megabytes), card.licence, weights, card.good_for)
    console = Terminal()
    console.print(table)
    kinds = dict.fromkeys(card.kind for card in PRIORS.values())
    for words in dict.fromkeys(filter(None, map(remark, kinds))):
        console.print(words)
