"""`inverse inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from inverse.cli.command import GroupedCommand
from inverse.cli.many import line
from inverse.cli.places import check_output, save_picture
from inverse.cli.terminal import Terminal
from inverse.diagnosis import Diagnosis, diagnose, find_scratches
from inverse.imaging import images
from inverse.imaging.files import printable
from inverse.settings.snippets import command_line


@click.command(cls=GroupedCommand)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--save-mask", type=click.Path(path_type=Path), help="Write a mask of what seems missing or scratched, "
              "white there, to be edited; faint lines too.")  # fmt: skip
@click.option("--json", "lines", is_flag=True, help="Tell it in a line of JSON on the standard output.")
def inspect(photo: Path, save_mask: Path | None, lines: bool) -> None:
    """Says what is wrong with PHOTO, what may be expected of a restoration, and which command does it.

    It is a suggestion: nothing is restored, and the photo stays as it is.
    """
    if save_mask is not None:
        check_output(save_mask, photo)
    found = diagnose(photo)
    settings = found.settings()
    if save_mask is not None:
        save_picture(found.mask or find_scratches(images.load(photo)), save_mask)
    words = command_line(settings, str(photo), "" if save_mask is None else str(save_mask))
    if lines:
        line({"photo": str(photo), **found.to_dict(), "settings": settings.to_dict(), "command": words})
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


def _file(found: Diagnosis) -> str:
    if found.jpeg is None:
        return ""
    about = "" if found.jpeg.exact else "about "
    return f", JPEG of quality {about}{found.jpeg.quality} {found.jpeg.subsampling}".rstrip()
