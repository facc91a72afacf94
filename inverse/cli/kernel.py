"""`inverse estimate-kernel`, and the kernel of a photo that `restore --estimate-kernel` restores by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from PIL import Image

from inverse import blind
from inverse.blind import CONFIDENCE, DEFAULT_SIZE, KERNEL_SIZE, TASK, TRUSTED
from inverse.cli.command import GroupedCommand
from inverse.cli.places import check_output, save_picture
from inverse.cli.terminal import Terminal
from inverse.cli.words import SpecType
from inverse.errors import ParameterError
from inverse.imaging import images
from inverse.imaging.files import printable
from inverse.settings import DEGRADED, Settings
from inverse.settings.snippets import command_line


def kernel_options(command: Callable) -> Callable:
    """Decorator for what both share."""
    options = (
        click.option("--within", type=SpecType("within", KERNEL_SIZE), default=DEFAULT_SIZE, show_default=True,
                     help=f"{KERNEL_SIZE.help} {KERNEL_SIZE.limits}."),
        click.option("--confidence", type=SpecType("confidence", CONFIDENCE), default=TRUSTED, show_default=True,
                     help=f"{CONFIDENCE.help} {CONFIDENCE.limits}."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command(cls=GroupedCommand)
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Where the kernel's picture goes.")
@kernel_options
def estimate_kernel(photo: Path, output: Path, within: int, confidence: float) -> None:
    """Tells what blurred PHOTO, and writes it as a small picture: what one bright point became.

    It holds for one blur over the whole photo, at the photo's own resolution. The picture may be edited in any photo
    program (paint black what is wrong), and is what the task deblur-kernel takes.
    """
    check_output(output, photo)
    found = blind.estimate_kernel(photo, within, confidence=confidence)
    save_picture(found.image, output)
    console = Terminal()
    side = len(found.kernel)
    console.print(f"{printable(output)}: {side} × {side} pixels. {found.words}\n\nTo restore by it:")
    settings = Settings.create(mode=DEGRADED, task=TASK, sigma_y=found.sigma_y)
    console.print(command_line(settings, str(photo), str(output)), soft_wrap=True)


def told(photo: Path, asked: Settings, values: dict[str, Any]) -> tuple[Settings, Image.Image | None]:
    """Settings and auxiliary picture of a restoration, as `Task.load` gives it; the photo tells them if that is asked.

    Its flags are taken out of `values`.

    Raises:
        ParameterError: the settings want no kernel, or one was given.
    """
    wanted, within, confidence = (values.pop(name) for name in ("estimate_kernel", "within", "confidence"))
    given = values["auxiliary"]
    if not wanted:
        return asked, given and asked.damage.load(given)
    if asked.damage.auxiliary != "kernel" or not asked.degraded or given is not None:
        raise ParameterError(
            f"--estimate-kernel is for a blurred photo without a kernel. Use it with --task {TASK} --degraded, and "
            "without --kernel."
        )
    picture = images.fit(images.load(photo), asked.size)  # a kernel is that of a size
    found = blind.estimate_kernel(picture, within, asked.sigma_y, confidence)
    return (asked if asked.sigma_y is not None else replace(asked, sigma_y=found.sigma_y)), found.image
