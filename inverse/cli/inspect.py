"""`inverse inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from inverse.batch.figure import check_ending
from inverse.cli.command import GroupedCommand
from inverse.cli.many import line
from inverse.cli.places import apart, check_output, check_place, save_picture
from inverse.cli.terminal import Terminal
from inverse.diagnosis import Diagnosis, diagnose, find_scratches
from inverse.imaging import images
from inverse.imaging.files import printable
from inverse.settings.snippets import command_line
from inverse.treatments import Trial
from inverse.treatments.sheet import figure


@click.command(cls=GroupedCommand)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--save-mask", type=click.Path(path_type=Path), help="Write a mask of what seems missing or scratched, "
              "white there, to be edited; faint lines too.")  # fmt: skip
@click.option("--try", "sheet", type=click.Path(path_type=Path, dir_okay=False), help="Restore a part of it in two to "
              "four ways, write them side by side into this SVG or PNG, and print the command of each.")  # fmt: skip
@click.option("--at", nargs=2, type=click.FloatRange(0, 1), metavar="X Y", help="The middle of that part, as shares of "
              "the width and the height: 0.5 0.3. Default: where it tells most.")  # fmt: skip
@click.option("--json", "lines", is_flag=True, help="Tell it in a line of JSON on the standard output.")
def inspect(
    photo: Path, save_mask: Path | None, sheet: Path | None, at: tuple[float, float] | None, lines: bool
) -> None:
    """Says what is wrong with PHOTO, what may be expected of a restoration, and which command does it.

    It is a suggestion: nothing is restored but the part that --try asks for, and the photo stays as it is.
    """
    if save_mask is not None:
        check_output(save_mask, photo)
    if sheet is not None:
        check_place(sheet, photo)
        check_ending(sheet)
        apart(sheet, *filter(None, [save_mask]))
    elif at is not None:
        raise click.UsageError("--at says where --try looks. Give --try FILE too.")
    found = diagnose(photo)
    settings = found.settings()
    if save_mask is not None:
        save_picture(found.mask or find_scratches(images.load(photo)), save_mask)
    mask = "" if save_mask is None else str(save_mask)
    words = command_line(settings, str(photo), mask)
    trial = None if sheet is None else Trial.of(images.load(photo), settings, found, at=at)
    tried = [] if trial is None else [*trial.run()]
    if trial is not None and sheet is not None:
        figure(trial, tried).write(sheet)
    if lines:
        record = {"photo": str(photo), **found.to_dict(), "settings": settings.to_dict(), "command": words}
        ways = [{"name": each.treatment.name, "words": each.treatment.words, "difference": round(each.difference, 2),
                 "settings": each.treatment.settings.to_dict(),
                 "command": command_line(each.treatment.settings, str(photo), mask)} for each in tried]  # fmt: skip
        line(record | ({"treatments": ways} if tried else {}))
        return
    console = Terminal()
    console.print(
        f"{printable(photo)}: {found.size[0]} × {found.size[1]} pixels, sigma_y {found.sigma_y:.3f}{_file(found)}"
    )
    if not found.findings:
        console.print("Nothing is seen to be wrong with it.")
    for each in found.findings:
        console.print(f"\n{each.title}. {each.words}\n  {each.expectation}")
    if found.suggested:
        console.print("\nTo restore that:")
        console.print(words, soft_wrap=True)
    for each in tried:
        treatment = each.treatment
        console.print(f"\n{' '.join(filter(None, (f'{treatment.name}.', treatment.words, each.note)))}")
        console.print(command_line(treatment.settings, str(photo), mask), soft_wrap=True)
    if sheet is not None:
        console.print(f"\n{printable(sheet)}: {len(tried)} of them side by side.")


def _file(found: Diagnosis) -> str:
    if found.jpeg is None:
        return ""
    about = "" if found.jpeg.exact else "about "
    return f", JPEG of quality {about}{found.jpeg.quality} {found.jpeg.subsampling}".rstrip()
